"""The answers as a file that installs the next nodes without anybody at the screen."""

from __future__ import annotations

from typing import Any

import yaml

from node.installer.answers import VERSION
from node.installer.tui.session import Session
from node.model.inventory import Disk, Inventory
from node.model.origin import Precedence
from node.model.size import format_size

_HEAD = """\
# Answers of Nodecrust, saved from the installer's screens. Give them to other nodes by node.answers=URL, or
# on a medium with the label ANSWERS, or try them with: nodectl plan --answers FILE
# Passwords are here as hashes only; they are still worth guessing, so keep this file to yourself.
"""


def saved_answers(session: Session) -> str:
    """Give the answers as YAML: what was set, and `mode: unattended`.

    The disk is named by what it has in common with those of like machines. What is this machine's alone
    stands in a comment: its serial number, and the consent to lose what this one disk holds.
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
    return f"{_HEAD}{comment}{text}"


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
    words = f"# Saved for {disk.model or 'a disk'} of {format_size(disk.size)}, {disk.node}"
    if not name:
        return f"{words}.\n"
    return f"{words}, serial {name}. To lose what a disk holds:\n#   storage: {{consent: [{name}]}}\n"
