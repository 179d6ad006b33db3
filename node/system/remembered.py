"""Small counts that outlive a restart of a machine with no disk of ours yet: a variable of its firmware."""

from __future__ import annotations

import fcntl
import json
import os
import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

EFIVARS = Path("/sys/firmware/efi/efivars")
# UEFI 2.10, 8.2: non-volatile, for boot services and at run time. The GUID is ours.
_ATTRIBUTES = struct.pack("<I", 0x7)
_NAME = "NodecrustPrepare-6e6f6465-6372-4573-9472-657061726500"
# linux/fs.h; the kernel marks variables that it does not know, so that `rm -r` does not brick a machine.
_FS_IOC_GETFLAGS, _FS_IOC_SETFLAGS, _FS_IMMUTABLE_FL = 0x80086601, 0x40086602, 0x10


class FirmwareCounts:
    """Counts by name in an EFI variable; a machine that boots by BIOS keeps none."""

    def __init__(self, folder: Path = EFIVARS) -> None:
        self._path = folder / _NAME

    def read(self) -> Mapping[str, int]:
        """Give what was written; nothing where it can't be read."""
        try:
            data = json.loads(self._path.read_bytes()[len(_ATTRIBUTES) :])
        except (OSError, ValueError):
            return {}
        return {str(key): value for key, value in data.items() if isinstance(value, int)}

    def write(self, counts: Mapping[str, int]) -> bool:
        """Keep these in the place of all before; false where the firmware takes none."""
        with suppress(FileNotFoundError):
            _make_mutable(self._path)
        try:
            if not counts:
                self._path.unlink(missing_ok=True)
                return self._path.parent.is_dir()
            # The kernel takes a variable in one write alone.
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.write(fd, _ATTRIBUTES + json.dumps(dict(counts)).encode())
            finally:
                os.close(fd)
        except OSError:
            return False
        return True


def _make_mutable(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        flags = bytearray(8)
        fcntl.ioctl(fd, _FS_IOC_GETFLAGS, flags)
        (old,) = struct.unpack_from("<I", flags)
        fcntl.ioctl(fd, _FS_IOC_SETFLAGS, struct.pack("<Q", old & ~_FS_IMMUTABLE_FL))
    except OSError:
        pass  # no such flags here, and then nothing forbids the write
    finally:
        os.close(fd)
