"""The answers as a file that installs the next nodes without anybody at the screen."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

import yaml

from node.installer.answers import VERSION
from node.installer.tui.session import Session
from node.locale import _, say
from node.model.inventory import Disk, Inventory
from node.model.origin import Precedence
from node.model.problem import errors
from node.model.size import format_size

# Lines of 70 columns are whole in a dialog of a screen of 80.
_COLUMNS = 70


def saved_answers(session: Session) -> str:
    """Give the answers as YAML: what was set, and `mode: unattended`.

    The disk is named by what it has in common with those of like machines. What is this machine's alone
    stands in a comment: its serial number, and the consent to lose what this one disk holds. Comments
    say, too, which values another node can't share, and what was wrong and is left out.
    """
    if session.view is None:
        return ""
    answers = session.view.best.answers
    data: dict[str, Any] = {"version": VERSION}
    for key, section in answers.sections.items():
        values = section.model_dump(mode="json", exclude_defaults=True)
        if key == "storage":
            values.pop("consent", None)
            if answers.origin("storage.disk").precedence is Precedence.SCREEN:
                values.pop("disk", None)
        if key == "install":
            values = {name: value for name, value in values.items() if name not in ("reinstall", "locked")}
            values["mode"] = "unattended"
        if values:
            data[key] = values
    comment = ""
    if disk := session.disk:
        rule = _rule(disk, session.inventory)
        if rule and "disk" not in data.get("storage", {}):
            data.setdefault("storage", {})["disk"] = rule
        comment = _comment(disk)
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=False, width=100)
    return f"{_head()}{comment}{_alone(data)}{_wrong(session)}{text}"


def _head() -> str:
    given = _(
        "Answers of Nodecrust, saved from the installer's screens. Give them to other nodes by"
        " node.answers=URL or on a medium with the label ANSWERS, or try them with:"
        " nodectl plan --answers FILE"
    )
    kept = _(
        "Passwords are here as hashes only; they are still worth guessing, so keep this file to yourself."
    )
    return _commented(given, indent="") + _commented(kept, indent="")


def _alone(data: dict[str, Any]) -> str:
    network = data.get("network", {})
    named, addressed = bool(network.get("hostname")), _has_addresses(network.get("netplan"))
    if named and addressed:
        words = _("For this node alone: network.hostname and the addresses in network.netplan.")
    elif named:
        words = _("For this node alone: network.hostname.")
    elif addressed:
        words = _("For this node alone: the addresses in network.netplan.")
    else:
        return ""
    return _commented(f"{words} {_('Take out for others.')}")


def _has_addresses(value: Any) -> bool:
    return isinstance(value, dict) and (
        bool(value.get("addresses"))
        or any(_has_addresses(one) for key, one in value.items() if key != "nameservers")
    )


def _wrong(session: Session) -> str:
    wrong = [one for one in errors(session.problems()) if one not in session.held()]
    lead = _("NOT WHOLE")
    return "".join(_commented(f"{lead}: {one.where}: {say(one.what)}") for one in wrong)


def _commented(words: str, *, indent: str = "  ") -> str:
    lines = wrap(
        words,
        _COLUMNS,
        initial_indent="# ",
        subsequent_indent=f"# {indent}",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines) + "\n"


def _rule(disk: Disk, inventory: Inventory) -> dict[str, Any]:
    """Give what tells this disk from the others, on a like machine too; {} where it is alone."""
    others = [other for other in inventory.disks if other.node != disk.node and not other.removable]
    if not others:
        return {}
    if disk.model and all(other.model != disk.model for other in others):
        return {"model": disk.model}
    if all(other.size > disk.size for other in others):
        return {"prefer": "smallest"}
    if all(other.size < disk.size for other in others):
        return {"prefer": "largest"}
    if disk.by_path:
        return {"by_path": disk.by_path[0]}
    return {"serial": disk.serial} if disk.serial else {"node": disk.node}


def _comment(disk: Disk) -> str:
    name = next(iter(disk.identities), "")
    words = _("Saved for {model} of {size}, {node}, serial {serial}. To lose what a disk holds:")
    if not name:
        words = _("Saved for {model} of {size}, {node}.")
    values = {
        "model": disk.model or _("a disk"),
        "size": format_size(disk.size),
        "node": disk.node,
        "serial": name,
    }
    for place, value in values.items():
        words = words.replace(f"{{{place}}}", value)
    return _commented(words) + (f"#   storage: {{consent: [{name}]}}\n" if name else "")
