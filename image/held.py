"""Temporary folders that a killed process can't leave for good: whoever comes next sweeps them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

Remove = Callable[[Path], None]


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def held_folder(parent: Path, prefix: str, *, remove: Remove = _remove) -> Iterator[Path]:
    """A new folder in `parent`, held by a lock on itself, and removed afterwards if it is still there.

    Folders of the same prefix that nobody holds are removed first.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for old in parent.glob(f"{prefix}*"):
        _sweep(old, remove)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        flock(descriptor, LOCK_EX)
        yield folder
    finally:
        if folder.exists():
            remove(folder)
        os.close(descriptor)


def _sweep(folder: Path, remove: Remove) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except OSError:
        return
    else:
        remove(folder)
    finally:
        os.close(descriptor)
