"""What a disk holds: recognized, empty, or unknown with the reason; unknown is treated like data."""

from __future__ import annotations

import os
from dataclasses import dataclass

from node.model.inventory import EMPTY, Contents, Finding, Holding, Partition
from node.model.layout import partition_node
from node.model.size import MIB
from node.system import libblkid
from node.system.libblkid import ProbeError, Signature

# libblkid's TYPE -> the word for its kind; for the rest its USAGE decides.
_KINDS = {
    "LVM1_member": "lvm",
    "LVM2_member": "lvm",
    "linux_raid_member": "md",
    "zfs_member": "zfs",
    "VMFS": "vmfs",
    "VMFS_volume_member": "vmfs",
    "ceph_bluestore": "ceph",
    "crypto_LUKS": "luks",
    "BitLocker": "encryption",
    "swap": "swap",
    "swsuspend": "hibernation",
    "drbd": "drbd",
    "drbdmanage_control_volume": "drbd",
    "drbdproxy_datalog": "drbd",
    "bcache": "bcache",
    "stratis": "stratis",
    "vdo": "vdo",
}

# GPT types whose owner matters though libblkid sees nothing within (not yet used, or a format that
# it doesn't know). The GUIDs are from util-linux's include/pt-gpt-partnames.h, Ceph's from ceph-disk.
_TYPE_KINDS = {
    "aa31e02a-400f-11db-9590-000c2911d1b8": ("vmfs", "VMware VMFS partition"),
    "9d275380-40ad-11db-bf97-000c2911d1b8": ("vmfs", "VMware core dump partition"),
    "9198effc-31c0-11db-8f78-000c2911d1b8": ("vmfs", "VMware reserved partition"),
    "4fbd7e29-9d25-41b8-afd0-062c0ceff05d": ("ceph", "Ceph OSD partition"),
    "45b0969e-9b03-4f30-b4c6-b4b80ceff106": ("ceph", "Ceph journal partition"),
    "cafecafe-9b03-4f30-b4c6-b4b80ceff106": ("ceph", "Ceph block partition"),
    "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3": ("ldm", "Windows dynamic disk metadata"),
    "af9b60a0-1431-4f62-bc68-3311714a69ad": ("ldm", "Windows dynamic disk data"),
}


@dataclass(frozen=True)
class Reading:
    """What was read of a disk in one go."""

    contents: Contents
    table: str = ""
    table_uuid: str = ""
    partitions: tuple[Partition, ...] = ()


def unreadable(why: str) -> Reading:
    """Give the reading of a disk that could not be read."""
    return Reading(Contents(Finding.UNKNOWN, why=why))


def read_contents(node: str) -> Reading:
    """Read a disk's table, partitions and contents, past the page cache; never raises OSError."""
    try:
        descriptor = os.open(node, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        return unreadable(f"{node} can't be opened: {error.strerror}")
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        size = os.lseek(descriptor, 0, os.SEEK_END)
        return _read(descriptor, node, size)
    except ProbeError as error:
        return unreadable(f"{node}: {error}")
    except OSError as error:
        return unreadable(f"{node} can't be read: {error.strerror}")
    finally:
        os.close(descriptor)


def _read(descriptor: int, node: str, size: int) -> Reading:
    found = libblkid.probe(descriptor)
    holdings = [_holding(signature, node) for signature in found.signatures]
    partitions = []
    unread = []
    for entry in found.entries:
        name = partition_node(node, entry.number)
        within: tuple[Signature, ...] = ()
        if entry.start + entry.size > size:
            unread.append(f"{name} reaches beyond the end of the disk")
        elif entry.size > 0:
            within = _probe_partition(descriptor, entry.start, entry.size, name, unread)
        # A table within a partition is a boot record of a filesystem more often than one.
        superblocks = [signature for signature in within if not signature.is_table]
        holdings += [_holding(signature, name) for signature in within]
        if not within and (known := _TYPE_KINDS.get(entry.type)):
            holdings.append(Holding(known[0], known[1], name))
        only = superblocks[0] if len(superblocks) == 1 else Signature("")
        partitions.append(
            Partition(
                number=entry.number,
                node=name,
                start=entry.start,
                size=entry.size,
                type_uuid=entry.type,
                uuid=entry.uuid,
                label=entry.label,
                filesystem=only.type,
                filesystem_label=only.label,
                filesystem_uuid=only.uuid,
            )
        )
    contents = _contents(descriptor, size, tuple(holdings), unread)
    return Reading(contents, found.table, found.table_uuid, tuple(partitions))


def _probe_partition(
    descriptor: int, start: int, size: int, name: str, unread: list[str]
) -> tuple[Signature, ...]:
    try:
        return libblkid.probe(descriptor, offset=start, size=size).signatures
    except ProbeError as error:
        unread.append(f"{name}: {error}")
        return ()


def _contents(descriptor: int, size: int, holdings: tuple[Holding, ...], unread: list[str]) -> Contents:
    if holdings:
        return Contents(Finding.HOLDS, holdings, "; ".join(unread))
    # Asked in this order, so that a disk with a bad sector at its end is unknown and not empty.
    for start in {0, max(0, size - MIB)}:
        if _has_bytes(descriptor, start):
            return Contents(Finding.UNKNOWN, why="it has bytes that no known format explains")
    return EMPTY


def _has_bytes(descriptor: int, start: int) -> bool:
    data = os.pread(descriptor, MIB, start)
    return data.count(0) != len(data)


def _holding(signature: Signature, node: str) -> Holding:
    label = f' "{signature.label}"' if signature.label else ""
    if signature.is_table:
        return Holding("partition table", signature.type, node)
    usages = {"raid": "raid", "crypto": "encryption", "filesystem": "filesystem"}
    kind = _KINDS.get(signature.type) or usages.get(signature.usage, "data")
    return Holding(kind, signature.type + label, node)
