"""Mounts and unmounts; remembers nothing, since the kernel does."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from node.errors import NodeError
from node.model.system import Commands
from node.system.udev import wait_for_node

_MOUNTINFO = Path("/proc/self/mountinfo")
_TRIES = 20
# Five seconds in all: a process that stays longer works in there on purpose.
_PAUSE_S = 0.25
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """A line of /proc/self/mountinfo: `device` is `MAJOR:MINOR`, `source` what was mounted, in its words."""

    device: str
    where: Path
    kind: str
    source: str


def read_mounts(mountinfo: Path = _MOUNTINFO) -> tuple[Mount, ...]:
    """Give this process's mounts in the order in which they were made (proc_pid_mountinfo(5))."""
    mounts = []
    for line in mountinfo.read_text(errors="surrogateescape").splitlines():
        front, _, back = line.partition(" - ")
        fields, rest = front.split(" "), back.split(" ")
        if len(fields) >= 5 and len(rest) >= 2:
            mounts.append(Mount(fields[2], Path(_plain(fields[4])), rest[0], _plain(rest[1])))
    return tuple(mounts)


def _plain(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)


class LiveMounts:
    """Mounts of this machine; fulfils `node.model.system.Mounts`."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    def mount(self, node: str, where: Path, *, kind: str = "", options: Sequence[str] = ()) -> None:
        """Mount, making the folder."""
        if node.startswith("/dev/"):
            wait_for_node(node)
        where.mkdir(parents=True, exist_ok=True)
        flags = [*(("-t", kind) if kind else ()), *(("-o", ",".join(options)) if options else ())]
        self._commands.run(["mount", *flags, node, where])

    def unmount(self, where: Path) -> None:
        """Unmount and flush, everything that is mounted on it or below; quiet where nothing is.

        Waits some seconds for whoever still has a file open there, then NodeError.
        """
        top = where.resolve()
        below = [m.where for m in read_mounts() if m.where == top or top in m.where.parents]
        for place in reversed(below):
            self._unmount_one(place)

    def is_mounted(self, where: Path) -> bool:
        """Tell whether something is mounted at `where`."""
        top = where.resolve()
        return any(mount.where == top for mount in read_mounts())

    def _unmount_one(self, where: Path) -> None:
        words = ""
        for _ in range(_TRIES):
            done = self._commands.run(["umount", where], check=False)
            if done.status == 0 or not any(mount.where == where for mount in read_mounts()):
                return
            words = done.errors.strip()
            time.sleep(_PAUSE_S)
        raise NodeError(
            f"{where} can't be unmounted",
            details=words,
            mend="End the programs that have files open there (fuser -vm shows them)",
        )
