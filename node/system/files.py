"""Reads and writes files; a write is there whole after a power cut, or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

_CHUNK = 1 << 20
# .NAME.HEX.new is what will be NAME; .NAME.HEX.old is what it was, until the new one is sure to last.
_LEFTOVER = re.compile(r"\..+\.[0-9a-f]{8}\.(new|old)")


class FileCalls(Protocol):
    """The system calls that change files, as the module `os` has them.

    A test records them, or lets one fail.
    """

    def open(self, path: Path, flags: int, mode: int = 0o777, /) -> int: ...  # noqa: D102
    def write(self, number: int, data: bytes | memoryview, /) -> int: ...  # noqa: D102
    def fchmod(self, number: int, mode: int, /) -> None: ...  # noqa: D102
    def fsync(self, number: int, /) -> None: ...  # noqa: D102
    def close(self, number: int, /) -> None: ...  # noqa: D102
    def link(self, source: Path, target: Path, /) -> None: ...  # noqa: D102
    def rename(self, source: Path, target: Path, /) -> None: ...  # noqa: D102
    def unlink(self, path: Path, /) -> None: ...  # noqa: D102
    def mkdir(self, path: Path, /) -> None: ...  # noqa: D102


def is_leftover(name: str) -> bool:
    """Whether a file of this name is what a write left that was cut short; of no use to anyone."""
    return _LEFTOVER.fullmatch(name) is not None


class LiveFiles:
    """Files of this machine; fulfils `node.model.system.Files`."""

    def __init__(self, calls: FileCalls = os) -> None:
        self._calls = calls

    def read(self, path: Path) -> bytes:
        """Give the contents; FileNotFoundError where there is none."""
        return path.read_bytes()

    def names(self, folder: Path) -> list[str]:
        """Give the names in a folder, sorted; none where there is no folder."""
        try:
            return sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths
        except (FileNotFoundError, NotADirectoryError):
            return []

    def write(self, path: Path, contents: bytes, *, mode: int = 0o644) -> None:
        """Replace atomically (temporary file, fsync, rename, fsync of the folder), making folders.

        OSError where that fails at any point; the old file is there then as it was.
        """
        with self._replacing(path, mode) as write:
            write(contents)

    def remove(self, path: Path) -> None:
        """Remove a file, quiet where there is none."""
        try:
            self._calls.unlink(path)
        except FileNotFoundError:
            return
        self._flush_folder(path.parent)

    def move(self, source: Path, target: Path) -> None:
        """Give a file another name, in the place of what had it, and flush the folder, which both are in."""
        self._calls.rename(source, target)
        self._flush_folder(target.parent)

    def exists(self, path: Path) -> bool:
        """Tell whether there is a file, a folder or a device."""
        return path.exists()

    def copy(self, source: Path, target: Path, *, mode: int = 0o644) -> None:
        """Copy a file's bytes and flush them, as atomically as `write`."""
        with source.open("rb") as origin, self._replacing(target, mode) as write:
            while chunk := origin.read(_CHUNK):
                write(chunk)

    @contextlib.contextmanager
    def _replacing(self, path: Path, mode: int) -> Iterator[Callable[[bytes], None]]:
        """Give what writes to a file that takes the place of `path` when the block ends well."""
        self._make_folders(path.parent)
        token = secrets.token_hex(4)
        new, old = (path.with_name(f".{path.name}.{token}.{kind}") for kind in ("new", "old"))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            number = self._calls.open(new, flags, 0o600)
            try:
                yield lambda contents: self._write_all(number, contents)
                # FAT has no modes: there the mount's own stand, and chmod to others is refused.
                with contextlib.suppress(PermissionError):
                    self._calls.fchmod(number, mode)
                self._calls.fsync(number)
            finally:
                self._calls.close(number)
            self._swap(new, path, old)
        except BaseException:
            self._remove_quietly(new)
            raise

    def _swap(self, new: Path, path: Path, old: Path) -> None:
        """Put `new` in the place of `path` for good, or fail with `path` as it was."""
        existed = os.path.lexists(path)
        kept = existed and self._link(path, old)
        try:
            self._calls.rename(new, path)
            self._flush_folder(path.parent)
        except BaseException:
            # Nobody was told of the new one, so that it must not stay, not even where it would.
            with contextlib.suppress(OSError):
                if kept:
                    self._calls.rename(old, path)
                elif not existed:
                    self._calls.unlink(path)
            self._remove_quietly(old)
            raise
        if kept:
            self._remove_quietly(old)

    def _link(self, path: Path, old: Path) -> bool:
        """Keep a second name of a file, which takes no room to put back; False on FAT, which has none."""
        try:
            self._calls.link(path, old)
        except PermissionError:
            return False
        return True

    def _write_all(self, number: int, contents: bytes) -> None:
        rest = memoryview(contents)
        while rest:
            rest = rest[self._calls.write(number, rest) :]

    def _remove_quietly(self, path: Path) -> None:
        with contextlib.suppress(OSError):
            self._calls.unlink(path)

    def _make_folders(self, folder: Path) -> None:
        missing = []
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for new in reversed(missing):
            with contextlib.suppress(FileExistsError):
                self._calls.mkdir(new)
            self._flush_folder(new.parent)

    def _flush_folder(self, folder: Path) -> None:
        number = self._calls.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._calls.fsync(number)
        finally:
            self._calls.close(number)
