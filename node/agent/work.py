"""What is to be done to a running root for a change, and for taking it back: as data, done in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.agent.changes import FileChange, commands_of
from node.agent.devices import document_of, lower_links, stale_devices
from node.errors import CommandFailedError, NodeError
from node.model.inventory import Nic
from node.model.system import Commands
from node.system.snapshots import Snapshot, put

_NETPLAN = "/etc/netplan/"
_COMMAND_TIMEOUT_S = 90.0


@dataclass(frozen=True)
class Work:
    """Files to put, then devices to remove, commands to run and links to set up anew, in this order."""

    files: tuple[tuple[str, Snapshot], ...] = ()
    stale_devices: tuple[str, ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()
    lower_links: tuple[str, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Give it as plain data, from which `from_data` makes it again."""
        return {
            "files": [{"path": path, **snapshot.to_data()} for path, snapshot in self.files],
            "stale_devices": list(self.stale_devices),
            "commands": [list(argv) for argv in self.commands],
            "lower_links": list(self.lower_links),
        }

    @staticmethod
    def from_data(data: dict[str, Any]) -> Work:
        """Make it from plain data."""
        return Work(
            tuple((each["path"], Snapshot.from_data(each)) for each in data["files"]),
            tuple(data["stale_devices"]),
            tuple(tuple(argv) for argv in data["commands"]),
            tuple(data["lower_links"]),
        )


def forward(changes: Sequence[FileChange], nics: Sequence[Nic]) -> Work:
    """Give the work that brings changes into force."""
    return _work([(each, each.before, each.after) for each in changes], changes, nics)


def backward(changes: Sequence[FileChange], nics: Sequence[Nic]) -> Work:
    """Give the work that takes changes back, whether all, some or none of them came about."""
    return _work([(each, each.after, each.before) for each in changes], changes, nics)


def _work(
    moves: list[tuple[FileChange, Snapshot, Snapshot]], changes: Sequence[FileChange], nics: Sequence[Nic]
) -> Work:
    stale: list[str] = []
    links: list[str] = []
    for change, old, new in moves:
        if change.path.startswith(_NETPLAN):
            before, after = document_of(old.text), document_of(new.text)
            gone = stale_devices(before, after)
            stale += gone
            links += lower_links(gone, after, nics)
    files = tuple((change.path, new) for change, _, new in moves)
    return Work(files, tuple(dict.fromkeys(stale)), commands_of(changes), tuple(dict.fromkeys(links)))


def perform(work: Work, *, root: Path, net: Path, commands: Commands) -> None:
    """Do it all; NodeError at the first thing that can't be done. `net` is /sys/class/net."""
    for path, snapshot in work.files:
        _put(root, path, snapshot)
    for name in work.stale_devices:
        _remove_device(name, net, commands)
    for argv in work.commands:
        commands.run(argv, timeout_s=_COMMAND_TIMEOUT_S)
    if links := [name for name in work.lower_links if (net / name).exists()]:
        commands.run(["networkctl", "reconfigure", *links], timeout_s=_COMMAND_TIMEOUT_S)


def perform_as_far_as_possible(work: Work, *, root: Path, net: Path, commands: Commands) -> tuple[str, ...]:
    """Do it all whatever fails, and give the words of what did: the way back must not end half way."""
    failures: list[str] = []
    parts = [
        *(Work(files=(one,)) for one in work.files),
        *(Work(stale_devices=(one,)) for one in work.stale_devices),
        *(Work(commands=(one,)) for one in work.commands),
        Work(lower_links=work.lower_links),
    ]
    for part in parts:
        try:
            perform(part, root=root, net=net, commands=commands)
        except NodeError as error:
            failures.append(_words(error))
    return tuple(failures)


def _put(root: Path, path: str, snapshot: Snapshot) -> None:
    try:
        put(root / path.lstrip("/"), snapshot)
    except OSError as error:
        raise NodeError(f"{path} can't be written: {error.strerror or error}") from None


def _remove_device(name: str, net: Path, commands: Commands) -> None:
    # One that stood on another went with it; a real card is never removed.
    if not (net / name).exists() or (net / name / "device").exists():
        return
    try:
        commands.run(["ip", "link", "delete", "dev", name], timeout_s=_COMMAND_TIMEOUT_S)
    except CommandFailedError:
        if (net / name).exists():
            raise


def _words(error: NodeError) -> str:
    last = error.details.strip().splitlines()[-1:]
    return ": ".join([error.brief, *last])
