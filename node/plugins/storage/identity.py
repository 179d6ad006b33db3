"""Whether a disk is still the one that was planned for."""

from __future__ import annotations

from node.errors import NodeError
from node.model.inventory import Contents, Disk, Partition
from node.model.layout import DiskIdentity
from node.model.size import format_size


def require_same_disk(found: Disk, planned: DiskIdentity) -> None:
    """NodeError where the disk under the planned node is another one than planned."""
    pairs = (
        ("serial", found.serial, planned.serial),
        ("WWN", found.wwn, planned.wwn),
        ("model", found.model, planned.model),
        ("size", format_size(found.size), format_size(planned.size)),
        ("size in bytes", str(found.size), str(planned.size)),
        ("sector size", str(found.sector_size), str(planned.sector_size)),
    )
    for name, is_now, was in pairs:
        if is_now != was:
            raise NodeError(
                f"{planned.node} is another disk than planned: its {name} is"
                f" '{is_now or 'unknown'}', not '{was or 'unknown'}'",
                mend="Start again, so that the disks are read anew",
            )


def require_same_contents(found: Disk, contents: Contents, partitions: tuple[Partition, ...]) -> None:
    """NodeError where the disk holds something else than what the plan was agreed upon for."""
    if found.contents.finding is not contents.finding:
        raise _changed(found, f"it was {contents.finding} and is {found.contents.finding} now")
    before = {(holding.kind, holding.node) for holding in contents.holdings}
    now = {(holding.kind, holding.node) for holding in found.contents.holdings}
    if now - before:
        kinds = ", ".join(f"{kind} on {node}" if node else kind for kind, node in sorted(now - before))
        raise _changed(found, f"it holds something new: {kinds}")
    if before - now:
        kinds = ", ".join(f"{kind} on {node}" if node else kind for kind, node in sorted(before - now))
        raise _changed(found, f"it no longer holds: {kinds}")
    places = [(p.number, p.start, p.size, p.uuid) for p in partitions]
    if [(p.number, p.start, p.size, p.uuid) for p in found.partitions] != places:
        raise _changed(found, "its partitions are others")


def _changed(found: Disk, how: str) -> NodeError:
    return NodeError(
        f"{found.node} has changed since the plan was made: {how}",
        mend="Look at the disk, then start again, so that the disks are read anew",
    )
