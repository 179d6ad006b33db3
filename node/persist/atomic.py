"""Files that are whole or as they were, whenever the power goes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def replace_file(path: Path, contents: bytes, *, mode: int = 0o644) -> None:
    """Replace a file: temporary file beside it, fsync, rename, fsync of the folder. Makes missing folders.

    After it returned the new contents survive a power cut; before, the old ones do.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(contents)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries, so that a rename in it is on the medium."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
