"""Where an earlier system boots from on a disk whose table is to be kept."""

from __future__ import annotations

from node.model.inventory import Disk
from node.model.layout import TYPE_UUIDS, Layout, Role
from node.model.size import MIB

_BOOTS = {str(TYPE_UUIDS[role]) for role in (Role.ESP, Role.BOOT, Role.BIOS_GRUB)}


def old_boot_areas(disk: Disk, layout: Layout) -> tuple[tuple[int, int], ...]:
    """Give the first MiB of each partition that firmware or GRUB would read, as (start, size).

    Without its first MiB a FAT or an ext4 can't be read, so no loader is found. Empty where nothing is kept,
    since the whole table goes then.
    """
    if not layout.keeps:
        return ()
    return tuple(
        (partition.start, min(MIB, partition.size))
        for partition in disk.partitions
        if partition.type_uuid.lower() in _BOOTS
    )
