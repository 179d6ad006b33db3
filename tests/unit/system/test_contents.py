"""What is on a disk, from image files: libblkid needs neither root nor a device for that."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from node.model.inventory import Finding
from node.model.size import KIB, MIB
from node.system.contents import read_contents

SIZE = 80 * MIB
Write = Callable[[Path], None]


def at(offset: int, data: bytes) -> Write:
    def write(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(offset if offset >= 0 else SIZE + offset)
            file.write(data)

    return write


def zfs(path: Path) -> None:
    for number in range(8):  # one uberblock alone is not believed
        at(128 * KIB + number * KIB, struct.pack("<QQ", 0x00BAB10C, 5000))(path)


def md(path: Path) -> None:
    """Version 1.2, 4 KiB from the start (linux/raid/md_p.h)."""
    block = bytearray(256)
    struct.pack_into("<II", block, 0, 0xA92B4EFC, 1)
    block[16:32] = UUID(int=7).bytes
    struct.pack_into("<Q", block, 144, 8)
    checksum = sum(struct.unpack("<64I", block))
    struct.pack_into("<I", block, 216, (checksum & 0xFFFFFFFF) + (checksum >> 32))
    at(4096, bytes(block))(path)


def lvm(path: Path) -> None:
    """A label in sector 1; its CRC is LVM's own, initial value 0xf597a6cf."""
    body = struct.pack("<I8s32sQ", 32, b"LVM2 001", b"a" * 32, SIZE)
    label = bytearray(512)
    label[0:8] = b"LABELONE"
    struct.pack_into("<Q", label, 8, 1)
    label[20 : 20 + len(body)] = body
    struct.pack_into("<I", label, 16, lvm_crc(bytes(label[20:])))
    at(512, bytes(label))(path)


def lvm_crc(data: bytes) -> int:
    crc = 0xF597A6CF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
    return crc


def ext4(path: Path) -> None:
    block = bytearray(1024)
    struct.pack_into("<II", block, 0, 16, SIZE // 1024)
    struct.pack_into("<H", block, 0x38, 0xEF53)
    struct.pack_into("<I", block, 0x4C, 1)
    struct.pack_into("<III", block, 0x5C, 0x4, 0x40, 0)
    block[0x68:0x78] = UUID(int=9).bytes
    block[0x78:0x7C] = b"root"
    at(1024, bytes(block))(path)


KNOWN: list[tuple[str, str, Write]] = [
    ("lvm", "LVM2_member", lvm),
    ("md", "linux_raid_member", md),
    ("zfs", "zfs_member", zfs),
    ("vmfs", "VMFS_volume_member", at(MIB, b"\x0d\xd0\x01\xc0" + bytes(200))),
    ("vmfs", "VMFS", at(2 * MIB, b"\x5e\xf1\xab\x2f" + bytes(200))),
    ("ceph", "ceph_bluestore", at(0, b"bluestore block device\n" + bytes(100))),
    ("luks", "crypto_LUKS", at(0, b"LUKS\xba\xbe\x00\x01" + bytes(600))),
    ("swap", "swap", at(0, bytes(1024) + struct.pack("<III", 1, 100, 0) + bytes(3050) + b"SWAPSPACE2")),
    ("hibernation", "swsuspend", at(0xFF6, b"S1SUSPEND\x00")),
    ("raid", "isw_raid_member", at(-1024, b"Intel Raid ISM Cfg Sig. 1.0.00" + bytes(500))),
]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.touch()
    os.truncate(path, SIZE)
    return path


@pytest.mark.parametrize(("kind", "detail", "write"), KNOWN, ids=[kind[1] for kind in KNOWN])
def test_format_is_named(image: Path, kind: str, detail: str, write: Write) -> None:
    write(image)
    contents = read_contents(str(image)).contents
    assert contents.finding is Finding.HOLDS
    assert (kind, detail) in [(h.kind, h.detail.split(" ")[0]) for h in contents.holdings]


def test_zeroes_are_empty(image: Path) -> None:
    assert read_contents(str(image)).contents.finding is Finding.EMPTY


@pytest.mark.parametrize("offset", [0, 511, 65536, MIB - 1, -MIB, -1])
def test_bytes_that_nothing_explains_are_unknown(image: Path, offset: int) -> None:
    at(offset, b"\x01")(image)
    contents = read_contents(str(image)).contents
    assert contents.finding is Finding.UNKNOWN
    assert "no known format" in contents.why


def test_two_formats_are_both_listed(image: Path) -> None:
    ext4(image)
    lvm(image)
    contents = read_contents(str(image)).contents
    assert {"ext4", "LVM2_member"} <= {h.detail.split(" ")[0] for h in contents.holdings}


def test_missing_and_forbidden_files_are_unknown_with_the_reason(tmp_path: Path) -> None:
    contents = read_contents(str(tmp_path / "none")).contents
    assert (contents.finding, contents.why) == (
        Finding.UNKNOWN,
        f"{tmp_path / 'none'} can't be opened: No such file or directory",
    )


def test_read_error_is_unknown(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pread", broken)
    contents = read_contents(str(image)).contents
    assert contents.finding is Finding.UNKNOWN
    assert "Input/output error" in contents.why


def test_dos_table_with_a_partition_beyond_the_end(image: Path) -> None:
    entry = struct.pack("<BBBBBBBBII", 0x80, 0, 0, 0, 0x83, 0, 0, 0, 2048, SIZE // 512)
    at(0, bytes(446) + entry + bytes(48) + b"\x55\xaa")(image)
    reading = read_contents(str(image))
    assert reading.table == "dos"
    assert reading.contents.finding is Finding.HOLDS
    assert [(p.number, p.start, p.type_uuid) for p in reading.partitions] in ([(1, MIB, "0x83")], [])
