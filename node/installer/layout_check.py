"""Checks a layout that a plugin gave, before any step is made from it: no plugin is trusted with a disk."""

from __future__ import annotations

from node.model.inventory import Disk
from node.model.layout import Layout, PlannedPartition
from node.model.problem import Blame, Problem
from node.model.size import MIB, format_size


def check_layout(layout: Layout, disk: Disk | None) -> tuple[Problem, ...]:
    """Give what is wrong with a layout: another disk, overlaps, beyond the end, numbers or kept parts."""
    if disk is None:
        return (_problem(layout, f"is on {layout.disk.node}, which this machine doesn't have"),)
    wrong: list[str] = []
    if (layout.disk.size, layout.disk.serial) != (disk.size, disk.serial):
        wrong.append("takes the disk for another one")
    if disk.boot_medium or disk.read_only:
        wrong.append(f"is on {disk.node}, which is " + ("read-only" if disk.read_only else "the boot medium"))
    end = 0
    for partition in sorted(layout.partitions, key=lambda p: p.start):
        # The first MiB belongs to the table, so does the end: the second GPT needs 33 sectors.
        misaligned = partition.start % MIB or partition.size % MIB
        if partition.size <= 0 or (misaligned and not partition.keep):
            wrong.append(f"{partition.label} is not aligned to 1 MiB")
        if partition.start < max(end, MIB):
            wrong.append(f"{partition.label} begins before what stands there ends")
        end = partition.start + partition.size
        if end > disk.size - 33 * disk.sector_size:
            over = format_size(end - disk.size + 33 * disk.sector_size)
            wrong.append(f"{partition.label} goes {over} beyond the disk's end")
        if partition.keep and not _stands(partition, disk):
            wrong.append(f"{partition.label} is to be kept, but doesn't stand there")
    numbers = [partition.number for partition in layout.partitions]
    if len(set(numbers)) != len(numbers) or len({p.role for p in layout.partitions}) != len(numbers):
        wrong.append("has a number or a role twice")
    return tuple(_problem(layout, what) for what in wrong)


def _stands(partition: PlannedPartition, disk: Disk) -> bool:
    return any(
        (there.number, there.start, there.size) == (partition.number, partition.start, partition.size)
        for there in disk.partitions
    )


def _problem(layout: Layout, what: str) -> Problem:
    about_layout = what.split(maxsplit=1)[0] in ("is", "takes", "has")
    return Problem(
        "layout-nonsense",
        layout.disk.node,
        f"the layout {what}" if about_layout else f"in the layout, {what}",
        "Report it to the author of the plugin that laid the disk out",
        blame=Blame.MACHINE,
    )
