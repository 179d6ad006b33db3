"""Disks in words: what one is, what it holds, what an installation takes from it and what stays."""

from __future__ import annotations

from collections.abc import Iterator

from node.model.inventory import Disk, Finding, Holding, Inventory, Partition
from node.model.layout import Layout
from node.model.size import format_size


def describe_disk(disk: Disk) -> str:
    """Give `/dev/sda (Samsung SSD 870, 465.8 GiB, serial S5Y1)`."""
    name = " ".join(part for part in (disk.vendor, disk.model) if part)
    parts = [name, format_size(disk.size), _name(disk)]
    return f"{disk.node} ({', '.join(part for part in parts if part)})"


def lost_and_kept(layout: Layout | None, inventory: Inventory) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give what is lost and what stays, disk by disk; nothing is lost without a layout."""
    lost: list[str] = []
    kept: list[str] = []
    for disk in inventory.disks:
        if layout is None or disk.node != layout.disk.node:
            kept.append(f"{describe_disk(disk)}: {_untouched(disk)}")
            continue
        stays = {p.number: p for p in layout.partitions if p.keep}
        if stays:
            names = ", ".join(f"{p.label} ({format_size(p.size)})" for p in stays.values())
            kept.append(f"{describe_disk(disk)}: the contents of {names}")
        if disk.contents.finding is Finding.UNKNOWN:
            lost.append(f"{describe_disk(disk)}: whatever it holds; it can't be read: {disk.contents.why}")
        elif goes := tuple(_goes(disk, set(stays))):
            lost.append(f"{describe_disk(disk)}: {'; '.join(goes)}")
    return tuple(lost), tuple(kept)


def describe_contents(disk: Disk) -> tuple[str, ...]:
    """Give what a disk holds, one piece a line; `nothing` or why it can't be read."""
    if disk.contents.finding is Finding.UNKNOWN:
        return (f"unknown: {disk.contents.why}",)
    return tuple(_goes(disk, set())) or ("nothing",)


def _goes(disk: Disk, kept_numbers: set[int]) -> Iterator[str]:
    if disk.table and not kept_numbers:
        yield f"partition table {disk.table}"
    for partition in disk.partitions:
        if partition.number not in kept_numbers:
            yield _describe_partition(partition)
    nodes = {partition.node for partition in disk.partitions if partition.filesystem}
    for holding in disk.contents.holdings:
        if holding.kind != "partition table" and holding.node not in nodes:
            yield _describe_holding(holding)


def _describe_partition(partition: Partition) -> str:
    label = partition.filesystem_label or partition.label
    named = f' "{label}"' if label else ""
    kind = partition.filesystem or "no filesystem"
    return f"{partition.node.removeprefix('/dev/')}{named}, {kind}, {format_size(partition.size)}"


def _describe_holding(holding: Holding) -> str:
    words = " ".join(word for word in (holding.kind, holding.detail) if word)
    return f"{words} on {holding.node.removeprefix('/dev/')}" if holding.node else words


def _untouched(disk: Disk) -> str:
    return "the boot medium, stays as it is" if disk.boot_medium else "stays as it is"


def _name(disk: Disk) -> str:
    if disk.serial:
        return f"serial {disk.serial}"
    if disk.wwn:
        return f"WWN {disk.wwn}"
    return disk.by_id[0] if disk.by_id else "no serial"
