"""Puts identifiers of our choice into a GPT that libparted wrote.

libparted sets names, types only since 3.6, and no GUIDs at all. The format: UEFI specification 2.10, 5.3.
Changing it in place is one short write, where sfdisk would be a process and a change event a partition, and
would show udev a table with wrong identifiers before.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from node.errors import NodeError
from node.system.device import write_at

# Signature, revision, header size, CRC, reserved, own LBA, other LBA, first and last usable LBA, disk GUID,
# LBA of the entries, their number, their size, their CRC.
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQ")  # type GUID, own GUID, first LBA; what follows stays
_SIGNATURE = b"EFI PART"
_MOST_ENTRY_BYTES = 1 << 20


@dataclass(frozen=True)
class Identity:
    """What one entry gets: its place in the table (from 1), its type and its GUID."""

    number: int
    type_uuid: UUID
    uuid: UUID


@dataclass(frozen=True)
class _Header:
    size: int
    revision: int
    own_lba: int
    other_lba: int
    first_lba: int
    last_lba: int
    disk_uuid: bytes
    entries_lba: int
    count: int
    entry_size: int
    entries_crc: int

    def to_bytes(self) -> bytes:
        def pack(crc: int) -> bytes:
            return _HEADER.pack(
                _SIGNATURE, self.revision, self.size, crc, 0, self.own_lba, self.other_lba, self.first_lba,
                self.last_lba, self.disk_uuid, self.entries_lba, self.count, self.entry_size,
                self.entries_crc,
            )  # fmt: skip

        # The CRC is over the header with its own field zero.
        return pack(zlib.crc32(pack(0)))


def identify(
    descriptor: int, *, sector_size: int, disk_uuid: UUID, partitions: Mapping[int, Identity]
) -> None:
    """Give the table its GUID and each partition, named by its start in bytes, its number, type and GUID.

    NodeError where the disk has no intact primary GPT or lacks one of the partitions. The backup is written
    first, so that a cut leaves one of the two intact.
    """
    primary = _read_header(descriptor, 1, sector_size)
    entries = _rearranged(_read_entries(descriptor, primary, sector_size), primary, sector_size, partitions)
    primary = replace(primary, disk_uuid=disk_uuid.bytes_le, entries_crc=zlib.crc32(entries))
    length = -(-len(entries) // sector_size)
    backup = replace(
        primary,
        own_lba=primary.other_lba,
        other_lba=primary.own_lba,
        entries_lba=primary.other_lba - length,
    )
    for header in (backup, primary):
        write_at(descriptor, header.entries_lba * sector_size, entries)
        write_at(descriptor, header.own_lba * sector_size, header.to_bytes())
        os.fsync(descriptor)


def _read_header(descriptor: int, lba: int, sector_size: int) -> _Header:
    data = os.pread(descriptor, sector_size, lba * sector_size)
    signature, revision, size, crc, _, *fields = _HEADER.unpack_from(data)
    bare = data[:16] + bytes(4) + data[20:size]
    # Longer headers are allowed and unheard of; libparted's, which this is, has the standard's length.
    if signature != _SIGNATURE or size != _HEADER.size or zlib.crc32(bare) != crc:
        raise NodeError("the disk has no intact partition table where one was written just now")
    return _Header(size, revision, *fields)


def _read_entries(descriptor: int, header: _Header, sector_size: int) -> bytes:
    length = header.count * header.entry_size
    if length > _MOST_ENTRY_BYTES:
        raise NodeError("the partition table claims to be larger than any")
    data = os.pread(descriptor, length, header.entries_lba * sector_size)
    if zlib.crc32(data) != header.entries_crc:
        raise NodeError("the partition table's entries are not what its header says")
    return data


def _rearranged(
    entries: bytes, header: _Header, sector_size: int, partitions: Mapping[int, Identity]
) -> bytes:
    size = header.entry_size
    placed = bytearray(len(entries))
    missing = dict(partitions)
    for at in range(0, len(entries), size):
        entry = bytearray(entries[at : at + size])
        kind, _, first, _ = _ENTRY.unpack_from(entry)
        if not any(kind):
            continue
        identity = missing.pop(first * sector_size, None)
        if identity is None:
            raise NodeError(f"the partition table has a partition at {first * sector_size} that is not ours")
        entry[:32] = identity.type_uuid.bytes_le + identity.uuid.bytes_le
        to = (identity.number - 1) * size
        if not 0 <= to < len(placed) or any(placed[to : to + size]):
            raise NodeError(f"the partition table has no place {identity.number}")
        placed[to : to + size] = entry
    if missing:
        raise NodeError(f"the partition table lacks the partitions at {sorted(missing)}")
    return bytes(placed)
