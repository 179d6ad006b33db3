"""Where everything goes: room divided among needs, and needs placed between what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from node.model.inventory import Disk, Inventory, Partition
from node.model.layout import (
    KEPT_ON_REINSTALL,
    TYPE_UUIDS,
    DiskIdentity,
    Layout,
    PlannedPartition,
    Role,
    identifier,
)
from node.model.problem import Blame, Problem
from node.model.size import GIB, MIB, format_size
from node.plugins.storage.answers import StorageAnswers
from node.plugins.storage.choice import describe
from node.plugins.storage.needs import Need, needs, up

_FILESYSTEMS = {
    Role.ESP: "vfat",
    Role.BOOT: "ext4",
    Role.SWAP: "swap",
    Role.CONFIG: "ext4",
    Role.LOGGING: "ext4",
}


@dataclass(frozen=True)
class Arrangement:
    """A layout, or what keeps it from being one."""

    layout: Layout | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class _Gap:
    start: int
    end: int

    @property
    def size(self) -> int:
        return max(0, self.end - self.start)


def arrange(disk: Disk, inventory: Inventory, storage: StorageAnswers, install_id: UUID) -> Arrangement:
    """Lay the roles out on the disk: from 1 MiB on, aligned, the last MiB left to the backup table.

    With `storage.keep` the kept partitions stay to the byte, and the others go into the largest gap.
    """
    kept: tuple[PlannedPartition, ...] = ()
    if storage.keep:
        kept, problems = _kept(disk, storage)
        if problems:
            return Arrangement(None, problems)
    wanted = needs(inventory, storage, disk.sector_size)
    gap = max(_gaps(disk.size, kept), key=lambda g: g.size)
    missing = sum(need.least for need in wanted) - gap.size
    if missing > 0:
        return Arrangement(None, (_too_small(disk, wanted, gap, missing, keeps=bool(kept)),))
    taken = {partition.number for partition in kept}
    numbers = iter(n for n in range(1, 129) if n not in taken)
    start, made = gap.start, []
    for need, size in zip(wanted, divide(wanted, gap.size), strict=True):
        filesystem = _FILESYSTEMS.get(need.role, "")
        if need.role is Role.DATA:
            filesystem = storage.data_filesystem
        made.append(
            PlannedPartition(
                role=need.role,
                number=next(numbers),
                start=start,
                size=size,
                uuid=identifier(install_id, need.role.value),
                filesystem=filesystem,
                filesystem_uuid=_filesystem_uuid(install_id, need.role, filesystem),
            )
        )
        start += size
    partitions = tuple(sorted((*kept, *made), key=lambda partition: partition.start))
    return Arrangement(Layout(identify(disk), identifier(install_id, "table"), partitions))


def divide(wanted: Sequence[Need], room: int) -> list[int]:
    """Give each need a size in whole MiB; together at most `room`, which holds every `least`.

    Where not everyone gets what it wants, all shrink in proportion towards their least.
    """
    room = room // MIB * MIB
    least, full = sum(n.least for n in wanted), sum(n.wanted for n in wanted)
    if full > room:
        spare, wish = room - least, full - least
        return [n.least + (n.wanted - n.least) * spare // wish // MIB * MIB for n in wanted]
    sizes = [n.wanted for n in wanted]
    left = room - full
    # Those with a limit first, so that whoever takes the rest takes all that is really left.
    for i, need in sorted(enumerate(wanted), key=lambda pair: pair[1].cap is None):
        if need.share:
            extra = int(left * need.share) // MIB * MIB
            if need.cap is not None:
                extra = min(extra, max(0, need.cap - need.wanted))
            sizes[i] += extra
            left -= extra
    return sizes


def identify(disk: Disk) -> DiskIdentity:
    """Give what the disk must still be before the first write."""
    return DiskIdentity(
        node=disk.node,
        size=disk.size,
        sector_size=disk.sector_size,
        serial=disk.serial,
        wwn=disk.wwn,
        model=disk.model,
    )


def _gaps(size: int, kept: Sequence[PlannedPartition]) -> list[_Gap]:
    """Give the free stretches between kept partitions, in whole MiB; the first and last MiB stay free."""
    gaps, start = [], MIB
    for partition in sorted(kept, key=lambda p: p.start):
        gaps.append(_Gap(start, partition.start // MIB * MIB))
        start = up(partition.start + partition.size)
    gaps.append(_Gap(start, size // MIB * MIB - MIB))
    return gaps


def _kept(disk: Disk, storage: StorageAnswers) -> tuple[tuple[PlannedPartition, ...], tuple[Problem, ...]]:
    kept, missing = [], []
    for role in Role:
        if role not in KEPT_ON_REINSTALL or role not in storage.roles:
            continue
        found = [p for p in disk.partitions if _is(p, role)]
        if len(found) == 1 and found[0].filesystem:
            kept.append(_keep(found[0], role))
        else:
            missing.append(role.value)
    if not missing:
        return tuple(kept), ()
    return (), (
        Problem(
            code="nothing-to-keep",
            where="storage.keep",
            what=f"{describe(disk)} has no {' and no '.join(missing)} of an earlier installation to keep",
            mend="Leave storage.keep out for a new installation, or leave these out of storage.roles",
            owner="storage",
        ),
    )


def _is(partition: Partition, role: Role) -> bool:
    return partition.label == role.value and partition.type_uuid.lower() == str(TYPE_UUIDS[role])


def _keep(partition: Partition, role: Role) -> PlannedPartition:
    return PlannedPartition(
        role=role,
        number=partition.number,
        start=partition.start,
        size=partition.size,
        uuid=UUID(partition.uuid),
        filesystem=partition.filesystem,
        filesystem_uuid=partition.filesystem_uuid,
        keep=True,
    )


def _too_small(disk: Disk, wanted: Sequence[Need], gap: _Gap, missing: int, *, keeps: bool) -> Problem:
    table = ", ".join(f"{need.role} {format_size(need.least)}" for need in wanted)
    room = f"the largest gap beside what is kept, {format_size(gap.size)}," if keeps else describe(disk)
    return Problem(
        code="disk-too-small",
        where="storage.disk",
        what=f"{room} is too small by {_exact(missing)}; at least needed: {table}",
        mend="Take a larger disk, give smaller storage.sizes, or leave out some of storage.roles",
        owner="storage",
        blame=Blame.MACHINE,
    )


def _exact(size: int) -> str:
    """Round up, so that a disk that is larger by this much is large enough."""
    if size > 10 * GIB:
        tenths = -(-size * 10 // GIB)
        return f"{tenths // 10}.{tenths % 10} GiB"
    return f"{-(-size // MIB)} MiB"


def _filesystem_uuid(install_id: UUID, role: Role, filesystem: str) -> str:
    uuid = identifier(install_id, f"{role.value} filesystem")
    if filesystem == "vfat":  # a FAT has a serial number of 32 bits, written so
        return f"{uuid.hex[:4]}-{uuid.hex[4:8]}".upper()
    return str(uuid) if filesystem else ""
