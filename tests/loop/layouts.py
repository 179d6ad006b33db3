"""Layouts that fit on a small loop disk."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid5

from node.model.inventory import Disk
from node.model.layout import DiskIdentity, Layout, PlannedPartition, Role
from node.model.size import MIB

SEED = UUID("3c1d6e5a-8e37-4a43-9a52-0f8a2f6f1c11")
WHOLE = (
    (Role.BIOS_GRUB, 1, ""),
    (Role.ESP, 40, "vfat"),
    (Role.BOOT, 60, "ext4"),
    (Role.ROOT_A, 40, ""),
    (Role.ROOT_B, 40, ""),
    (Role.SWAP, 20, "swap"),
    (Role.CONFIG, 30, "ext4"),
    (Role.LOGGING, 30, "ext4"),
    (Role.DATA, 310, "xfs"),
)


def identity(disk: Disk) -> DiskIdentity:
    return DiskIdentity(disk.node, disk.size, disk.sector_size, disk.serial, disk.wwn, disk.model)


def layout(
    disk: Disk,
    roles: Sequence[tuple[Role, int, str]] = WHOLE,
    *,
    keep: Sequence[Role] = (),
    seed: UUID = SEED,
) -> Layout:
    """Lay the roles out one after another, sizes in MiB; what is kept has the identifiers of SEED."""
    partitions = []
    at = MIB
    for number, (role, size, filesystem) in enumerate(roles, 1):
        mine = SEED if role in keep else seed
        name = "1234-ABCD" if filesystem == "vfat" else str(uuid5(mine, f"filesystem {role}"))
        partitions.append(
            PlannedPartition(
                role=role,
                number=number,
                start=at,
                size=size * MIB,
                uuid=uuid5(mine, role),
                filesystem=filesystem,
                filesystem_uuid=name if filesystem else "",
                keep=role in keep,
            )
        )
        at += size * MIB
    return Layout(identity(disk), uuid5(seed, "table"), tuple(partitions))
