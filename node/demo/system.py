"""A machine that does nothing and takes its time for it, so that it looks like the real thing."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from node.demo.fake_system import FakeSystem
from node.model.inventory import Inventory

_PIECES = 60


class _Image(dict[Path, bytes]):
    """Files that were written, and those that every image has."""

    def __contains__(self, path: object) -> bool:
        return super().__contains__(path) or str(path).startswith(("/usr/lib/", "/boot/"))

    def __missing__(self, path: Path) -> bytes:
        return b""


class _Mounted(dict[Path, str]):
    """What is mounted: each step has a system of its own and doesn't know what the one before did."""

    def __contains__(self, path: object) -> bool:
        return path is not None


class DemoSystem(FakeSystem):
    """Every call takes a moment, and copies the time that `seconds` gives; progress is told as by a disk."""

    def __init__(
        self,
        inventory: Inventory,
        progress: Callable[[int, int], None],
        say: Callable[[str], None],
        *,
        seconds: float,
    ) -> None:
        super().__init__(inventory)
        self._tell_progress = progress
        self._tell = say
        self._seconds = seconds
        self.file_contents = _Image()
        self.mounted = _Mounted()

    def progress(self, done: int, total: int) -> None:
        """Tell it in pieces, as a disk would."""
        for piece in range(1, _PIECES + 1):
            time.sleep(self._seconds / _PIECES)
            self._tell_progress(done * piece // _PIECES, total)

    def say(self, message: str) -> None:
        """Tell it."""
        self._tell(message)

    def record(self, name: str, **arguments: object) -> None:
        """Remember it, and take a moment."""
        time.sleep(self._seconds / 100)
        super().record(name, **arguments)
        if name == "payload.verify_image":
            size = arguments.get("size", 0)
            self.progress(int(str(size)), int(str(size)))


def log_path(folder: Path) -> Path:
    """Give where a demonstration keeps its journal."""
    return folder / "journal.jsonl"
