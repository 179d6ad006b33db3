"""The node in the few words that fit beside the menu: terms and values, in the operator's language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from node.console.views import Overview
from node.errors import InputError, NodeError
from node.hookspecs import StatusLine
from node.locale import _, plural, say
from node.model.problem import Problem, Severity
from node.model.size import format_size
from node.model.status import PLACES, SWAP, RoleUse, RunningImage, configuration_words
from node.tui.bars import progress

Line = tuple[str, Any]
REGISTRATION = "registration"
_BAR_COLUMNS = 24


def plain(text: str) -> str:
    """Give a text that acts on no terminal, whoever wrote it."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def status_lines(overview: Overview) -> list[Line]:
    """Give the first page: how the node is, what runs, how to reach it, what it keeps."""
    status = overview.status
    lines: list[Line] = [
        (_("Health"), ("good", _("all is well")) if overview.healthy else _degraded(overview))
    ]
    lines += [("", ("problem", f"! {plain(say(fault))}")) for fault in overview.faults]
    if overview.trial:
        words = _("{reason}; taken back in {n} s unless it is kept")
        words = words.replace("{n}", str(overview.trial.remaining_s))
        lines.append((_("On trial"), ("warning", words.replace("{reason}", plain(overview.trial.reason)))))
    lines.append(
        (_("Version"), image_words(status.image) if status.image else _("no image of ours runs here"))
    )
    if words := configuration_words(status):
        lines.append((_("Configuration"), say(words)))
    lines += addresses(overview)
    lines += [
        (_("Gateway") if number == 0 else "", plain(each)) for number, each in enumerate(status.gateways)
    ]
    # What is only of use with its topic stands on that one's page.
    first = (each for each in overview.panels if each.topic in ("", each.term.lower()) or not each.healthy)
    lines += panel_lines(first)
    disks = [role for role in status.roles if role.role in PLACES and role.mounted_at]
    if disks:
        lines.append((_("Disk use"), ", ".join(f"{role.mounted_at} {role.share:.0%}" for role in disks)))
    lines.append((_("Running for"), duration_words(status.uptime_s)))
    lines += [(_("SSH host key"), f"{key.kind} {key.fingerprint}") for key in status.host_keys[:1]]
    return lines


def _degraded(overview: Overview) -> Any:
    return (
        "problem",
        plural("degraded: {n} fault", "degraded: {n} faults", len(overview.faults)),
    )


def addresses(overview: Overview) -> list[Line]:
    """Give the addresses, each with its card; in words where there is none."""
    found = [
        f"{address} ({plain(interface.name)})"
        for interface in overview.status.interfaces
        for address in interface.addresses
    ]
    if not found:
        return [(_("Addresses"), ("warning", _("none yet")))]
    return [(_("Addresses") if number == 0 else "", words) for number, words in enumerate(found)]


def panel_lines(panels: Iterable[StatusLine]) -> list[Line]:
    """Give plugins' lines; one that is not well stands out, also without colours."""
    return [
        (
            _heading(say(panel.term)),
            plain(say(panel.value)) if panel.healthy else ("problem", f"! {plain(say(panel.value))}"),
        )
        for panel in panels
    ]


def registration_lines(overview: Overview) -> list[Line]:
    """Give where the node stands with its servers and what an operator must do."""
    return panel_lines(
        panel
        for panel in overview.panels
        if panel.topic == REGISTRATION or panel.term.lower().startswith(REGISTRATION)
    )


def _heading(term: str) -> str:
    term = plain(term)
    # A name that is written small stays so.
    return term if term.islower() and term == "libvirt" else term[:1].upper() + term[1:]


def image_words(image: RunningImage) -> str:
    """Say which image runs and where it came from."""
    sources = {"url": _("from the network"), "medium": _("from a boot medium")}
    where = (
        _("slot {name}").replace("{name}", image.slot)
        if image.slot
        else sources.get(image.source, image.source)
    )
    name = f"{image.name} {image.version}".strip() or _("unknown")
    return ", ".join(plain(part) for part in (name, where, image.kernel) if part)


def duration_words(seconds: float) -> str:
    """Give a time span in its two largest units."""
    minutes = int(seconds) // 60
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def storage_lines(overview: Overview) -> list[Line]:
    """Give the roles of the disk with how full they are, and the root."""
    root = overview.status.root
    lines: list[Line] = []
    if root.is_thin:
        words = _("read-only {kind}; changes in memory: {used} of {size}")
        words = words.replace("{kind}", root.lower).replace("{used}", format_size(root.used))
        lines.append((_("Root"), words.replace("{size}", format_size(root.size))))
    for role in overview.status.roles:
        lines += _role_lines(role)
    if not overview.status.roles:
        lines.append((_("Disk"), _("this node keeps nothing on a disk")))
    return lines


def _role_lines(role: RoleUse) -> list[Line]:
    size = format_size(role.size)
    if role.role == SWAP:
        return [(role.role, f"{size}, {_('on') if role.mounted_at else _('off')}")]
    if role.role.startswith("ROOT-"):
        return [(role.role, f"{size}, {_('runs now')}" if role.mounted_at else size)]
    if not role.mounted_at:
        fault = f", {_('not mounted')}" if role.role in PLACES else ""
        return [(role.role, ("problem", f"! {size}{fault}") if fault else size)]
    words = _("{used} of {size}").replace("{used}", format_size(role.used)).replace("{size}", size)
    note = f", {_('read-only')}" if role.read_only else ""
    return [
        (role.role, f"{role.mounted_at}, {words}{note}"),
        ("", progress(role.used, role.size, _BAR_COLUMNS)),
    ]


def error_lines(error: Exception) -> list[Any]:
    """Give an error with all that it knows, as lines of markup."""
    if not isinstance(error, NodeError):
        return [("problem", f"! {type(error).__name__}")]
    lines: list[Any] = [("problem", f"! {say(error.brief)[:1].upper()}{say(error.brief)[1:]}.")]
    lines += [plain(line) for line in error.details.splitlines()]
    if isinstance(error, InputError):
        lines += [problem_words(problem) for problem in error.problems]
    return [*lines, f"{say(error.mend)}."] if error.mend else lines


def problem_words(problem: Problem, *, where: bool = True) -> tuple[str, str]:
    """Give a problem as (attribute, words)."""
    warning = problem.severity is Severity.WARNING
    mark = f"{_('Note')}: " if warning else "! "
    lead = f"{problem.where}: " if where else ""
    words = ". ".join(say(part).rstrip(".") for part in (problem.what, problem.mend) if part)
    return ("warning" if warning else "problem", plain(f"{mark}{lead}{words}."))


def difference_lines(text: str) -> list[Any]:
    """Give a unified difference without its heads, what goes and what comes told apart."""
    kinds = {"+": "good", "-": "problem"}
    return [
        (kinds.get(line[:1]), plain(line)) if line[:1] in kinds else plain(line)
        for line in text.splitlines()
        if not line.startswith(("---", "+++", "@@"))
    ]


def joined(lines: Sequence[Any]) -> Any:
    """Give lines of markup as one markup."""
    pieces: list[Any] = []
    for line in lines:
        pieces += [line, "\n"]
    return pieces[:-1] or ""
