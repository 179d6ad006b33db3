"""Watches folders for changes of what is in them, by inotify(7), which Python has no module for."""

from __future__ import annotations

import ctypes
import os
import select
import struct
import time
from pathlib import Path

# linux/inotify.h
_ATTRIB, _CLOSE_WRITE, _MOVED_FROM, _MOVED_TO = 0x4, 0x8, 0x40, 0x80
_CREATE, _DELETE, _DELETE_SELF, _MOVE_SELF = 0x100, 0x200, 0x400, 0x800
_OVERFLOW, _IGNORED = 0x4000, 0x8000
_ONLY_FOLDERS, _NO_SYMLINK = 0x01000000, 0x02000000
_WANTED = (
    *(_ATTRIB, _CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE, _DELETE_SELF, _MOVE_SELF),
    *(_ONLY_FOLDERS, _NO_SYMLINK),
)
_HEAD = struct.Struct("iIII")
_READ_BYTES = 1 << 16


class Watches:
    """Folders that are watched. What changed in one of them is told by path, once or more often."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._number = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._number < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self._folders: dict[int, Path] = {}

    def close(self) -> None:
        """Watch nothing any more."""
        os.close(self._number)

    def add(self, folder: Path) -> bool:
        """Watch a folder, not what is in its folders; tell whether that is new. False where there is none."""
        mask = sum(_WANTED)
        watch = self._libc.inotify_add_watch(self._number, os.fsencode(folder), ctypes.c_uint32(mask))
        if watch < 0:
            return False
        is_new = self._folders.get(watch) != folder
        self._folders[watch] = folder
        return is_new

    def wait(self, timeout_s: float) -> set[Path] | None:
        """Wait for changes, at most so long, and give their paths; None where there were too many to tell."""
        deadline = time.monotonic() + timeout_s
        while True:
            ready, _, _ = select.select([self._number], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return set()
            found = self._read()
            if found is None or found:
                return found

    def _read(self) -> set[Path] | None:
        try:
            data = os.read(self._number, _READ_BYTES)
        except BlockingIOError:
            return set()
        found: set[Path] = set()
        place, lost = 0, False
        while place + _HEAD.size <= len(data):
            watch, mask, _, length = _HEAD.unpack_from(data, place)
            name = data[place + _HEAD.size : place + _HEAD.size + length].rstrip(b"\0")
            place += _HEAD.size + length
            lost = lost or bool(mask & _OVERFLOW)
            folder = self._folders.get(watch)
            if mask & _IGNORED:
                self._folders.pop(watch, None)
            elif folder is not None:
                found.add(folder / os.fsdecode(name) if name else folder)
        return None if lost else found
