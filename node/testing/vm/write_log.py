"""What a disk would hold after a power cut: the log of its writes, cut and reordered as a drive may do it.

QEMU's driver blklogwrites logs every write, discard and flush of a disk in the format of dm-log-writes
(Linux, drivers/md/dm-log-writes.c). A flush is the only promise of a drive with a volatile cache: what was
written before it is there; of what was written after it any part may be there, in any order, in sectors.
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_MAGIC = 0x6A736677736872
_SUPER = struct.Struct("<QQQI")  # magic, version, entries, bytes a sector
_ENTRY = struct.Struct("<QQQQ")  # sector, sectors, flags, bytes of data that a mark carries
_FLUSH, _DISCARD, _MARK = 1, 4, 8
#: What a drive writes whole or not at all.
_ATOM = 512


@dataclass(frozen=True)
class Write:
    """A write to the disk: where, how many bytes, and where its data stand in the log; None for a discard."""

    offset: int
    size: int
    data_at: int | None = None

    def torn(self, begin: int, end: int) -> Write:
        """Give the part of it from byte `begin` to before byte `end` of its own."""
        data_at = None if self.data_at is None else self.data_at + begin
        return Write(self.offset + begin, end - begin, data_at)


#: All the writes between two flushes.
Epoch = tuple[Write, ...]


def read_epochs(log: Path, *, start: int = 0, size: int | None = None) -> tuple[Epoch, ...]:
    """Give the log's writes, divided by its flushes; what comes after the last flush is the last epoch.

    With `start` and `size`, in bytes, only what was written to that part of the disk, and only the epochs
    that wrote to it; a write's offset is then counted from `start`. ValueError where it is no such log.
    """
    epochs: list[Epoch] = []
    current: list[Write] = []
    for flushes, write in _entries(log):
        if flushes and current:
            epochs.append(tuple(current))
            current = []
        if write and (part := _part_within(write, start, size)):
            current.append(part)
    return (*epochs, tuple(current)) if current else tuple(epochs)


def _entries(log: Path) -> Iterator[tuple[bool, Write | None]]:
    """Give for each entry whether it flushes what came before it, and what it writes."""
    with log.open("rb") as file:
        head = file.read(_SUPER.size)
        magic, version, count, sector_bytes = _SUPER.unpack(head.ljust(_SUPER.size, b"\0"))
        if (magic, version) != (_MAGIC, 1):
            raise ValueError(f"{log} is not a log of writes")
        at = sector_bytes
        for _ in range(count):
            file.seek(at)
            sector, sectors, flags, mark_bytes = _ENTRY.unpack(file.read(_ENTRY.size))
            at += sector_bytes
            size = sectors * sector_bytes
            write = None
            if flags & _MARK:
                at += -(-mark_bytes // sector_bytes) * sector_bytes
            elif size:
                discards = bool(flags & _DISCARD)
                write = Write(sector * sector_bytes, size, None if discards else at)
                at += 0 if discards else size
            yield bool(flags & _FLUSH), write


def _part_within(write: Write, start: int, size: int | None) -> Write | None:
    begin = max(write.offset, start)
    end = write.offset + write.size
    if size is not None:
        end = min(end, start + size)
    if begin >= end:
        return None
    part = write.torn(begin - write.offset, end - write.offset)
    return Write(part.offset - start, part.size, part.data_at)


def apply(writes: Sequence[Write], *, log: Path, disk: Path) -> None:
    """Do the writes to the file `disk`, in this order. A discarded range reads as zeros."""
    with log.open("rb") as source, disk.open("r+b") as target:
        for write in writes:
            if write.data_at is None:
                data = bytes(write.size)
            else:
                # A log that was cut off lacks zeros at its end only: QEMU leaves a hole for them.
                data = os.pread(source.fileno(), write.size, write.data_at).ljust(write.size, b"\0")
            os.pwrite(target.fileno(), data, write.offset)


def reordered(epoch: Epoch, *, seed: int) -> Epoch:
    """Give a part of the epoch's writes in another order, one of them torn: what a cut may leave of it."""
    choose = random.Random(seed)  # noqa: S311 - it chooses faults
    kept = [write for write in epoch if choose.random() < 0.5]
    choose.shuffle(kept)
    if kept and kept[-1].size > _ATOM:
        atoms = kept[-1].size // _ATOM
        begin = choose.randrange(atoms)
        end = choose.randrange(begin, atoms) + 1
        kept[-1] = kept[-1].torn(begin * _ATOM, end * _ATOM)
    return tuple(kept)
