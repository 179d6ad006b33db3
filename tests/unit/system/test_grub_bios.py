from __future__ import annotations

import struct

import pytest

from node.errors import NodeError
from node.system.grub_bios import boot_code, core_image


def boot_image() -> bytes:
    image = bytearray(range(256)) * 2
    image[0x64] = 0xFF
    image[0x66:0x68] = b"\xeb\x05"
    return bytes(image)


def core(sectors: int = 3, extra: int = 0) -> bytes:
    first = bytearray(512)
    first[500:] = struct.pack("<QHH", 2, 0, 0x820)
    return bytes(first) + b"c" * (512 * (sectors - 1) + extra)


def test_boot_code_names_the_core_and_leaves_the_table_alone() -> None:
    code = boot_code(boot_image(), core_sector=0x1_0000_0800)
    assert len(code) == 440
    assert struct.unpack_from("<Q", code, 0x5C) == (0x1_0000_0800,)
    assert code[0x66:0x68] == b"\x90\x90"
    assert code[:0x5C] == boot_image()[:0x5C]


def test_core_names_its_own_rest_in_whole_sectors() -> None:
    image = core_image(core(3, extra=1), core_sector=2048)
    assert len(image) == 4 * 512
    assert struct.unpack_from("<QHH", image, 500) == (2049, 3, 0x820)


@pytest.mark.parametrize(
    "broken",
    [b"", boot_image()[:-1], boot_image().replace(b"\xeb\x05", b"\xeb\x06")],
    ids=["none", "short", "new"],
)
def test_unknown_boot_image_is_refused(broken: bytes) -> None:
    with pytest.raises(NodeError):
        boot_code(broken, core_sector=1)


def test_unknown_core_is_refused() -> None:
    with pytest.raises(NodeError):
        core_image(core(1), core_sector=1)
    with pytest.raises(NodeError):
        core_image(bytes(2048), core_sector=1)
