"""Layers cached by what they are made of: an entry is there whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from image.held import held_folder

# Kept of each layer; the rest goes, oldest use first. A kickstart and its predecessor, times a few.
ENTRIES_KEPT = 6


def cache_root() -> Path:
    """Where layers are kept: $NODECRUST_CACHE, else below the user's cache folder."""
    given = os.environ.get("NODECRUST_CACHE")
    if given:
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nodecrust"


def key_of(parts: Any) -> str:
    """A short name for whatever JSON can hold; equal parts give equal names on any machine."""
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock by file, so that builds beside each other wait instead of making a thing twice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Cache:
    """A folder of layers; each entry is a folder named by its key."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, layer: str, key: str) -> Path | None:
        """The entry, marked as used just now; None when it was never made to the end."""
        entry = self.root / layer / key
        if not entry.is_dir():
            return None
        os.utime(entry)
        return entry

    @contextmanager
    def lock(self, layer: str, key: str) -> Iterator[None]:
        """Hold the right to make one entry; look again whether it is there after getting it."""
        with locked(self.root / "locks" / f"{layer}-{key}"):
            yield

    @contextmanager
    def making(self, layer: str, key: str) -> Iterator[Path]:
        """A new folder to fill; it becomes the entry when the block ends well, and vanishes when not."""
        parent = self.root / layer
        with held_folder(parent, ".partial-") as partial:
            yield partial
            if not (parent / key).exists():
                partial.rename(parent / key)
        self._prune(parent)

    def _prune(self, parent: Path) -> None:
        entries = [entry for entry in parent.iterdir() if not entry.name.startswith(".")]
        entries.sort(key=lambda entry: entry.stat().st_mtime, reverse=True)
        for entry in entries[ENTRIES_KEPT:]:
            shutil.rmtree(entry, ignore_errors=True)
