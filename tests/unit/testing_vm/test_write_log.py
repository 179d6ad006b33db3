"""The log of a disk's writes: read as it was written, cut and reordered as a drive may do it."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.testing.vm.write_log import Write, apply, read_epochs, reordered

SECTOR = 512
FLUSH, DISCARD, MARK = 1, 4, 8


def a_log(folder: Path, *entries: tuple[int, int, int, bytes]) -> Path:
    """Write a log of (sector, sectors, flags, data)."""

    def sector(head: bytes) -> bytes:
        return head.ljust(SECTOR, b"\0")

    text = sector(struct.pack("<QQQI", 0x6A736677736872, 1, len(entries), SECTOR))
    for at, sectors, flags, data in entries:
        text += sector(struct.pack("<QQQQ", at, sectors, flags, len(data) if flags & MARK else 0))
        text += data if not flags & MARK else sector(data)
    log = folder / "writes.log"
    log.write_bytes(text)
    return log


def a_disk(folder: Path, sectors: int = 8) -> Path:
    disk = folder / "disk"
    disk.write_bytes(b"." * sectors * SECTOR)
    return disk


def shown(disk: Path) -> str:
    """One character a sector."""
    data = disk.read_bytes()
    return "".join(chr(data[at] or ord("0")) for at in range(0, len(data), SECTOR))


def test_writes_are_divided_by_flushes(tmp_path: Path):
    log = a_log(
        tmp_path,
        (1, 2, 0, b"a" * 2 * SECTOR),
        (4, 1, 0, b"b" * SECTOR),
        (0, 0, FLUSH, b""),
        (0, 0, FLUSH, b""),
        (0, 0, MARK, b"a mark"),
        (2, 1, 0, b"c" * SECTOR),
        (1, 1, DISCARD, b""),
        (0, 0, FLUSH, b""),
        (7, 1, 0, b"d" * SECTOR),
    )
    epochs = read_epochs(log)
    assert [len(epoch) for epoch in epochs] == [2, 2, 1]
    disk = a_disk(tmp_path)
    seen = []
    for epoch in epochs:
        apply(epoch, log=log, disk=disk)
        seen.append(shown(disk))
    assert seen == [".aa.b...", ".0c.b...", ".0c.b..d"]


def test_a_flush_that_carries_data_flushes_first(tmp_path: Path):
    log = a_log(tmp_path, (0, 1, 0, b"a" * SECTOR), (1, 1, FLUSH, b"b" * SECTOR))
    assert [[write.offset for write in epoch] for epoch in read_epochs(log)] == [[0], [SECTOR]]


def test_a_part_of_the_disk_is_seen_alone(tmp_path: Path):
    log = a_log(
        tmp_path,
        (0, 1, 0, b"x" * SECTOR),
        (0, 0, FLUSH, b""),
        (1, 4, 0, b"".join(bytes([c]) * SECTOR for c in b"abcd")),
        (7, 1, 0, b"y" * SECTOR),
    )
    epochs = read_epochs(log, start=2 * SECTOR, size=2 * SECTOR)
    assert len(epochs) == 1
    disk = a_disk(tmp_path, sectors=2)
    apply(epochs[0], log=log, disk=disk)
    assert shown(disk) == "bc"


def test_zeros_at_the_end_of_a_log_may_be_a_hole(tmp_path: Path):
    log = a_log(tmp_path, (1, 2, 0, b""))
    disk = a_disk(tmp_path)
    apply(read_epochs(log)[0], log=log, disk=disk)
    assert shown(disk) == ".00....."


def test_something_else_is_refused(tmp_path: Path):
    (tmp_path / "log").write_bytes(b"no such thing" * 100)
    with pytest.raises(ValueError, match="not a log"):
        read_epochs(tmp_path / "log")


@given(st.lists(st.integers(1, 64), max_size=9), st.integers())
def test_what_a_cut_leaves_is_a_part_of_what_was_written(sizes: list[int], seed: int):
    epoch = tuple(Write(number * 10**6, size * SECTOR, 0) for number, size in enumerate(sizes))
    left = reordered(epoch, seed=seed)
    assert left == reordered(epoch, seed=seed)
    whole = {write.offset // 10**6: write for write in epoch}
    for part in left:
        of = whole.pop(part.offset // 10**6)
        assert of.offset <= part.offset
        assert 0 < part.size <= of.size
        assert part.offset + part.size <= of.offset + of.size
        assert part.size % SECTOR == 0
        assert part.data_at == part.offset - of.offset


def test_a_cut_may_leave_nothing_all_and_anything_between():
    epoch = tuple(Write(number * SECTOR, SECTOR, 0) for number in range(3))
    left = {frozenset(write.offset for write in reordered(epoch, seed=seed)) for seed in range(200)}
    assert len(left) == 8
