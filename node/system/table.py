"""Writes partition tables: libparted makes them, our identifiers go in, the kernel takes them over."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from node.errors import NodeError
from node.model.layout import Layout, PlannedPartition
from node.model.system import Commands
from node.system import gpt
from node.system.block import BlockDevices
from node.system.device import exclusive, reread_partitions
from node.system.udev import is_block_device, settle, udev_is_running

_NODES_S = 30.0
# udev's own re-reading (see wait_for_node) has begun by the second look and is over by the third.
_LOOKS = 3
_PAUSE_S = 0.1


def write_new_table(layout: Layout, commands: Commands) -> None:
    """Write a fresh GPT with the layout's partitions and wait for their nodes."""
    _write(layout, commands, keep=False)


def replace_in_table(layout: Layout, commands: Commands) -> None:
    """Write the layout's new partitions beside those that it keeps; NodeError where these lie elsewhere now.

    The contents of kept partitions are not touched.
    """
    _write(layout, commands, keep=True)


def _write(layout: Layout, commands: Commands, *, keep: bool) -> None:
    disk = layout.disk
    with exclusive(disk.node, size=disk.size) as descriptor:
        _commit(layout, keep=keep)
        identities = {p.start: gpt.Identity(p.number, p.type_uuid, p.uuid) for p in layout.partitions}
        gpt.identify(
            descriptor, sector_size=disk.sector_size, disk_uuid=layout.table_uuid, partitions=identities
        )
        reread_partitions(descriptor)
    _wait_for_nodes(layout, commands)


def _commit(layout: Layout, *, keep: bool) -> None:
    """Let libparted write the table; the kernel hears of it when identifiers are in, too."""
    import parted  # noqa: PLC0415 - most commands never touch a table

    sector_size = layout.disk.sector_size
    try:
        # libparted remembers what it once knew of a node, though another disk may stand behind it by now.
        parted.getDevice(layout.disk.node).removeFromCache()
        device = parted.getDevice(layout.disk.node)
        if device.sectorSize != sector_size:
            raise NodeError(
                f"{layout.disk.node} has sectors of {device.sectorSize} bytes, not {sector_size}",
                mend="Start again, so that the disks are read anew",
            )
        table = parted.newDisk(device) if keep else parted.freshDisk(device, "gpt")
        kept = _drop_all_but_kept(table, layout, sector_size) if keep else set()
        for partition in sorted(layout.partitions, key=lambda p: p.number):
            if partition.number not in kept:
                _add(parted, table, partition, sector_size)
        table.commitToDevice()
    except _kinds_of_error() as error:
        raise NodeError(
            f"the partition table of {layout.disk.node} can't be written", details=str(error)
        ) from error


def _kinds_of_error() -> tuple[type[Exception], ...]:
    """Give libparted's exceptions, which have no common kind."""
    import _ped  # noqa: PLC0415 - as above

    return tuple(kind for name, kind in vars(_ped).items() if name.endswith("Exception"))


def _drop_all_but_kept(table: Any, layout: Layout, sector_size: int) -> set[int]:
    if table.type != "gpt":
        raise NodeError(f"{layout.disk.node} has no GPT whose partitions could be kept, but '{table.type}'")
    wanted = {p.start: p for p in layout.partitions if p.keep}
    kept: set[int] = set()
    for partition in list(table.partitions):
        planned = wanted.get(partition.geometry.start * sector_size)
        if planned and planned.size == partition.geometry.length * sector_size:
            kept.add(planned.number)
        else:
            table.deletePartition(partition)
    if missing := [p.label for p in wanted.values() if p.number not in kept]:
        raise NodeError(
            f"{', '.join(missing)} can't be kept: not at the planned place on {layout.disk.node} any more",
            mend="Start again, so that the disks are read anew",
        )
    return kept


def _add(parted: Any, table: Any, planned: PlannedPartition, sector_size: int) -> None:
    geometry = parted.Geometry(
        device=table.device, start=planned.start // sector_size, length=planned.size // sector_size
    )
    partition = parted.Partition(disk=table, type=parted.PARTITION_NORMAL, geometry=geometry)
    # Without an exact constraint libparted moves starts and ends to what it thinks is better.
    table.addPartition(partition, constraint=parted.Constraint(exactGeom=geometry))
    partition.set_name(planned.label)


def _wait_for_nodes(layout: Layout, commands: Commands) -> None:
    """Wait until the kernel and udev show what was written and go on doing so, else NodeError."""
    if _wrong_in_kernel(layout):
        # A kernel without GPT support, or a loop device without its partitions: told one by one instead.
        commands.run(["partx", "--update", layout.disk.node], check=False)
    until = time.monotonic() + _NODES_S
    stable = 0
    while stable < _LOOKS:
        settle(commands)
        missing = _missing(layout)
        stable = 0 if missing else stable + 1
        if missing and time.monotonic() > until:
            raise NodeError(
                f"the kernel does not show {', '.join(missing)} within {_NODES_S:g} s",
                mend=f"See whether something uses {layout.disk.node}: nodectl inventory lists it",
            )
        if missing or udev_is_running():
            time.sleep(_PAUSE_S)


def _wrong_in_kernel(layout: Layout) -> bool:
    block = BlockDevices()
    name = Path(layout.disk.node).resolve().name
    shown = {
        number: (block.number(part, "start") * 512, block.size(part))
        for number, part in block.partitions(name).items()
    }
    return shown != {p.number: (p.start, p.size) for p in layout.partitions}


def _missing(layout: Layout) -> list[str]:
    if _wrong_in_kernel(layout):
        return [layout.node_of(p) for p in layout.partitions]
    return [node for p in layout.partitions if not is_block_device(node := layout.node_of(p))]
