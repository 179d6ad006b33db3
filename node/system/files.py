"""Reads and writes files; a write is there whole after a power cut, or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


class LiveFiles:
    """Files of this machine; fulfils `node.model.system.Files`."""

    def read(self, path: Path) -> bytes:
        """Give the contents; FileNotFoundError where there is none."""
        return path.read_bytes()

    def write(self, path: Path, contents: bytes, *, mode: int = 0o644) -> None:
        """Replace atomically (temporary file, fsync, rename, fsync of the folder), making folders."""
        with _replacing(path, mode) as file:
            file.write(contents)

    def remove(self, path: Path) -> None:
        """Remove a file, quiet where there is none."""
        try:
            path.unlink()
        except FileNotFoundError:
            return
        _flush_folder(path.parent)

    def exists(self, path: Path) -> bool:
        """Tell whether there is a file, a folder or a device."""
        return path.exists()

    def copy(self, source: Path, target: Path, *, mode: int = 0o644) -> None:
        """Copy a file's bytes and flush them, as atomically as `write`."""
        with source.open("rb") as origin, _replacing(target, mode) as file:
            shutil.copyfileobj(origin, file, 1 << 20)


@contextlib.contextmanager
def _replacing(path: Path, mode: int) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` when the block ends well, and is gone when it doesn't."""
    _make_folders(path.parent)
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            yield file
            file.flush()
            # FAT has no modes: there the mount's own stand, and chmod to others is refused.
            with contextlib.suppress(PermissionError):
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _make_folders(folder: Path) -> None:
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        _flush_folder(new.parent)


def _flush_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)
