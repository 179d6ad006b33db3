"""The machine that we run on, whole: the system that steps work on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from node.system.boot import LiveBoot
from node.system.commands import LiveCommands
from node.system.device import exclusive
from node.system.disks import LiveDisks
from node.system.files import LiveFiles
from node.system.mounts import LiveMounts
from node.system.payload import LivePayload

TARGET = Path("/run/node/target")


def _ignore_progress(_done: int, _total: int) -> None: ...


def _ignore_words(_message: str) -> None: ...


class LiveSystem:
    """Fulfils `node.model.system.System`; it remembers nothing between steps, whose processes differ.

    `progress` gets bytes done and in all, `say` one line for the run's observers.
    """

    def __init__(
        self,
        progress: Callable[[int, int], None] = _ignore_progress,
        say: Callable[[str], None] = _ignore_words,
        *,
        root: Path = TARGET,
    ) -> None:
        self.commands = LiveCommands()
        self.files = LiveFiles()
        self.mounts = LiveMounts(self.commands)
        self.disks = LiveDisks(self.commands, self.mounts)
        self.payload = LivePayload(progress)
        self.boot = LiveBoot(self.commands)
        self.root = root
        self._progress = progress
        self._say = say

    def progress(self, done: int, total: int) -> None:
        """Tell the run's observers how far the current step is, in bytes."""
        self._progress(done, total)

    def say(self, message: str) -> None:
        """Tell the run's observers one line."""
        self._say(message)

    @contextlib.contextmanager
    def open_device(self, node: str) -> Iterator[BinaryIO]:
        """Open a device for reading and writing, exclusively (O_EXCL); flushed at the end."""
        with exclusive(node) as descriptor, open(descriptor, "r+b", closefd=False) as file:
            yield file
