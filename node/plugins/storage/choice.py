"""Which disk: a pure choice by rule that never guesses, and a reason for every disk that is passed over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from node.model.answers import Answers
from node.model.consent import consents_to
from node.model.inventory import Disk, Finding, Inventory
from node.model.layout import partition_node
from node.model.problem import Blame, Problem
from node.model.size import format_size
from node.plugins.storage.answers import DiskRule, Prefer, StorageAnswers

OWNER = "storage"
_LISTED = 8
_ELSEWHERE = "Boot over PXE or from another medium"


@dataclass(frozen=True)
class Choice:
    """The disk, or the problems that keep it from being taken."""

    disk: Disk | None
    problems: tuple[Problem, ...] = ()


def choose_disk(inventory: Inventory, answers: Answers) -> Choice:
    """Give the one disk that the rule means; where none or several do, a problem that lists them all."""
    storage = answers[StorageAnswers]
    rule = storage.disk
    if not inventory.disks:
        why = "".join(f"; {u.where}: {u.why}" for u in inventory.unknown if "disk" in u.where)
        return _refused("no-disk", f"this machine shows no disk{why}", "Check the cables and the controller")
    reasons = {disk.node: why_not(disk, rule, inventory) for disk in inventory.disks}
    fit = [disk for disk in inventory.disks if not reasons[disk.node]]
    if not fit:
        wanted = "no disk fits the rule" if rule.is_set else "no disk can be installed on"
        listed = "; ".join(f"{describe(disk)}: {reasons[disk.node]}" for disk in inventory.disks)
        return _refused("no-disk-fits", f"{wanted}: {listed}", "Change the rule, or name the disk by serial")
    if len(fit) > 1 and rule.prefer:
        sizes = [disk.size for disk in fit]
        wanted_size = min(sizes) if rule.prefer is Prefer.SMALLEST else max(sizes)
        fit = [disk for disk in fit if disk.size == wanted_size]
    if len(fit) > 1:
        how = "fit the rule equally" if rule.is_set or rule.prefer else "could be meant"
        return _refused(
            "disk-ambiguous", f"{len(fit)} disks {how}: {_listed(fit)}", _how_to_settle(fit, rule)
        )
    disk = fit[0]
    problems = (*_unwritable(disk, inventory), *refused_contents(disk, inventory, storage))
    origin = answers.origin("storage.disk")
    return Choice(disk, tuple(replace(p, origin=p.origin or origin) for p in problems))


def _listed(disks: list[Disk]) -> str:
    """Describe disks, of a great many the first: a shelf of them would push all else off the screen."""
    more = len(disks) - _LISTED
    return "; ".join([*map(describe, disks[:_LISTED]), *([f"and {more} more"] if more > 0 else [])])


def _how_to_settle(fit: list[Disk], rule: DiskRule) -> str:
    first, *others = fit
    if all(set(first.identities) & set(other.identities) for other in others):
        return "They share a name, as one disk over several paths does: name one by storage.disk.by_path"
    settled = "" if rule.prefer else ", or settle it with storage.disk.prefer: smallest or largest"
    return f"Name one by storage.disk.serial, wwn or by_id{settled}"


def why_not(disk: Disk, rule: DiskRule, inventory: Inventory) -> str:
    """Say why a disk is no candidate; "" where it is one."""
    if reason := _mismatch(disk, rule):
        return reason
    if rule.names_a_disk:
        return ""
    reasons = (
        (disk.boot_medium or runs_from(disk, inventory), "it is the medium that this system runs from"),
        (disk.read_only, "it is read-only"),
        (disk.removable, "it is removable, and the rule doesn't name it"),
        (disk.size <= 0, "it holds no medium"),
    )
    return next((reason for applies, reason in reasons if applies), "")


def _mismatch(disk: Disk, rule: DiskRule) -> str:
    """Say which key of the rule this disk fails first; "" where it meets all of them."""
    spinning = {True: "it spins", False: "it is a solid-state disk", None: "whether it spins is unknown"}
    checks = (
        (rule.serial, _same(rule.serial, disk.serial), f"its serial is {disk.serial or 'unknown'}"),
        (rule.wwn, _wwn(rule.wwn) == _wwn(disk.wwn), f"its WWN is {disk.wwn or 'unknown'}"),
        (rule.by_id, _any(rule.by_id, disk.by_id), "its by-id names are others"),
        (rule.by_path, _any(rule.by_path, disk.by_path), "its by-path names are others"),
        (rule.model, _model(rule.model, disk), f"its model is {disk.model.strip() or 'unknown'}"),
        (rule.node, _device(rule.node) == disk.node, f"it is {disk.node}"),
        (rule.min_size, disk.size >= (rule.min_size or 0), f"it is smaller than {_size(rule.min_size)}"),
        (rule.max_size, disk.size <= (rule.max_size or 0), f"it is larger than {_size(rule.max_size)}"),
        (rule.transport, _same(rule.transport, disk.transport), f"it is {disk.transport or 'unknown'}"),
        (rule.rotational is not None, disk.rotational == rule.rotational, spinning[disk.rotational]),
    )
    asked = (reason for wanted, met, reason in checks if wanted not in ("", None, False) and not met)
    return next(asked, "")


def runs_from(disk: Disk, inventory: Inventory) -> bool:
    """Tell whether the running image lies on this disk, so that writing it would pull the floor away."""
    nodes = {disk.node, *(partition_node(disk.node, n) for n in range(1, 129))}
    return bool({inventory.image.path, inventory.image.device} & nodes)


def _unwritable(disk: Disk, inventory: Inventory) -> tuple[Problem, ...]:
    found = []
    if disk.read_only:
        found.append(("disk-read-only", "it is read-only", "Lift its write protection"))
    if runs_from(disk, inventory):
        what = "the running system lies on it and would be overwritten while it is read"
        found.append(("disk-in-use", what, _ELSEWHERE))
    elif disk.boot_medium:
        found.append(("disk-in-use", "this system was started from it", _ELSEWHERE))
    return tuple(
        Problem(
            code=code,
            where=describe(disk),
            what=what,
            mend=mend,
            owner=OWNER,
            blame=Blame.MACHINE,
        )
        for code, what, mend in found
    )


def refused_contents(disk: Disk, inventory: Inventory, storage: StorageAnswers) -> tuple[Problem, ...]:
    """Give the problem of a disk that isn't empty and whose loss nobody consented to."""
    if disk.contents.finding is Finding.EMPTY:
        return ()
    shared = {name for other in inventory.disks if other.node != disk.node for name in other.identities}
    consents = consents_to(disk, storage.consent, inventory.disks)
    if consents.own:
        return ()
    what = f"it holds {describe_contents(disk)}"
    if disk.contents.finding is Finding.UNKNOWN:
        what = f"what it holds can't be read ({disk.contents.why or 'no reason given'})"
    if consents.shared:
        what += f", and {' and '.join(sorted(consents.shared))} in the consent names another disk as well"
    own = next((name for name in disk.identities if name not in shared), "")
    return (
        Problem(
            code="disk-not-empty",
            where=describe(disk),
            what=what,
            mend=f"If that may be lost, add '{own}' to storage.consent"
            if own
            else "No serial, WWN or by-id is its own: empty it by hand (wipefs), or take another disk",
            owner=OWNER,
            blame=Blame.MACHINE,
        ),
    )


def describe(disk: Disk) -> str:
    """Name a disk for a person: `/dev/sda (20 GiB, QEMU HARDDISK, serial ABC)`."""
    words = [format_size(disk.size), disk.model.strip()]
    words += [f"serial {disk.serial}" if disk.serial else f"WWN {disk.wwn}" if disk.wwn else "no serial"]
    return f"{disk.node} ({', '.join(word for word in words if word)})"


def describe_contents(disk: Disk) -> str:
    """List what a disk holds, in words."""
    held = [
        f"{h.kind} {h.detail}".strip() + (f" on {h.node}" if h.node else "") for h in disk.contents.holdings
    ]
    return ", ".join(held) or disk.contents.why or "something"


def _refused(code: str, what: str, mend: str) -> Choice:
    problem = Problem(code=code, where="storage.disk", what=what, mend=mend, owner=OWNER, blame=Blame.MACHINE)
    return Choice(None, (problem,))


def _same(wanted: str, found: str) -> bool:
    return wanted.strip().casefold() == found.strip().casefold()


def _wwn(text: str) -> str:
    return text.strip().casefold().removeprefix("wwn-").removeprefix("0x")


def _any(pattern: str, names: tuple[str, ...]) -> bool:
    bare = pattern.strip().removeprefix("/dev/disk/by-id/").removeprefix("/dev/disk/by-path/")
    return any(fnmatchcase(name, bare) for name in names)


def _model(pattern: str, disk: Disk) -> bool:
    wanted, names = pattern.strip().casefold(), {disk.model, f"{disk.vendor} {disk.model}"}
    return any(fnmatchcase(" ".join(name.split()).casefold(), f"*{wanted}*") for name in names)


def _device(node: str) -> str:
    return node if node.startswith("/dev/") else f"/dev/{node}"


def _size(size: int | None) -> str:
    return format_size(size or 0)
