"""GRUB's two BIOS pieces, patched for where they are put, as grub-bios-setup does it.

grub-bios-setup and grub-install write core image and sector 0 without a flush in between, so that a power
cut can leave a sector 0 that jumps into nothing. With the pieces in hand the caller keeps the order.
Offsets are from GRUB's include/grub/i386/pc/boot.h and grub-core/boot/i386/pc/diskboot.S, and are checked
before they are used.
"""

from __future__ import annotations

import struct

from node.errors import NodeError

SECTOR = 512
BOOT_CODE_SIZE = 440  # up to the disk signature (UEFI 2.10, 5.2.1)
_KERNEL_SECTOR, _BOOT_DRIVE, _DRIVE_CHECK = 0x5C, 0x64, 0x66
_SAME_DRIVE = 0xFF
_JUMP, _TWO_NOPS = b"\xeb\x05", b"\x90\x90"
# The block list at the end of diskboot.img: first sector, count, segment; an empty one ends it.
_BLOCK_LIST = struct.Struct("<QHH")
_FIRST_SEGMENT = 0x820


def boot_code(boot_image: bytes, *, core_sector: int) -> bytes:
    """Give sector 0's code from GRUB's boot.img; NodeError where that is none that we know."""
    if (
        len(boot_image) != SECTOR
        or boot_image[_BOOT_DRIVE] != _SAME_DRIVE
        or boot_image[_DRIVE_CHECK : _DRIVE_CHECK + 2] != _JUMP
    ):
        raise NodeError("GRUB's boot.img is of a kind that is not known here")
    code = bytearray(boot_image[:BOOT_CODE_SIZE])
    struct.pack_into("<Q", code, _KERNEL_SECTOR, core_sector)
    # On a hard disk the check of a wrong drive number by a faulty BIOS is wanted: the jump over it goes.
    code[_DRIVE_CHECK : _DRIVE_CHECK + 2] = _TWO_NOPS
    return bytes(code)


def core_image(core: bytes, *, core_sector: int) -> bytes:
    """Give grub-mkimage's core image, made to load its rest from where it is put, in whole sectors."""
    padded = bytearray(core + bytes(-len(core) % SECTOR))
    at = SECTOR - _BLOCK_LIST.size
    _, _, segment = _BLOCK_LIST.unpack_from(padded, at)
    before = padded[at - _BLOCK_LIST.size : at]
    if len(padded) <= SECTOR or segment != _FIRST_SEGMENT or any(before):
        raise NodeError("GRUB's core image is of a kind that is not known here")
    _BLOCK_LIST.pack_into(padded, at, core_sector + 1, len(padded) // SECTOR - 1, segment)
    return bytes(padded)
