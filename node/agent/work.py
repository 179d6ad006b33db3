"""What is to be done to a running root for a change, and for taking it back: as data, done in one place."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from node.agent.changes import Argv, FileChange, commands_back, commands_of
from node.agent.devices import (
    at_start,
    card_resets,
    document_of,
    lower_links,
    made_devices,
    renames,
    stale_devices,
)
from node.agent.places import Places
from node.errors import CommandFailedError, NodeError
from node.model.inventory import Nic
from node.model.system import Commands
from node.system.files import LiveFiles
from node.system.snapshots import Snapshot, put

_NETPLAN = "/etc/netplan/"
_COMMAND_TIMEOUT_S = 90.0


# How long networkd may take to notice that a device is gone, and to make it anew.
_NOTICE_S = 0.5
_MAKING_S = 3.0
_PAUSE_S = 0.1
_TRIES = 3


@dataclass(frozen=True)
class Put:
    """A file to put, and whether it is one of those that the state renders from then on."""

    path: str
    snapshot: Snapshot
    rendered: bool


@dataclass(frozen=True)
class Work:
    """Files to put, devices to remove, cards to rename, commands to run, links to set up anew: in this order.

    `renamed` are pairs: the name that a card has, and the one that it gets. `awaited` are the devices of
    those removed that must be there in the end.
    """

    files: tuple[Put, ...] = ()
    stale_devices: tuple[str, ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()
    lower_links: tuple[str, ...] = ()
    awaited: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Give it as plain data, from which `from_data` makes it again."""
        return {
            "files": [
                {"path": one.path, "rendered": one.rendered, **one.snapshot.to_data()} for one in self.files
            ],
            "stale_devices": list(self.stale_devices),
            "commands": [list(argv) for argv in self.commands],
            "lower_links": list(self.lower_links),
            "awaited": list(self.awaited),
            "renamed": [list(pair) for pair in self.renamed],
        }

    @staticmethod
    def from_data(data: dict[str, Any]) -> Work:
        """Make it from plain data."""
        return Work(
            tuple(Put(one["path"], Snapshot.from_data(one), one["rendered"]) for one in data["files"]),
            tuple(data["stale_devices"]),
            tuple(tuple(argv) for argv in data["commands"]),
            tuple(data["lower_links"]),
            tuple(data["awaited"]),
            tuple((old, new) for old, new in data["renamed"]),
        )


def forward(changes: Sequence[FileChange], nics: Sequence[Nic], links: Collection[str]) -> Work:
    """Give the work that brings changes into force. `links` are the names of those that are there now."""
    moves = [(each.before, Put(each.path, each.after, each.is_rendered)) for each in changes]
    pairs = _renamed(changes, nics)
    new_names = dict(pairs)
    # What is done by name comes after it.
    then = [replace(nic, name=new_names.get(nic.name, nic.name)) for nic in nics]
    return replace(_work(moves, commands_of(changes), then, links), renamed=pairs)


def backward(changes: Sequence[FileChange], nics: Sequence[Nic], links: Collection[str]) -> Work:
    """Give the work that takes changes back, whether all, some or none of them came about."""
    moves = [(each.after, Put(each.path, each.before, each.was_rendered)) for each in changes]
    pairs = tuple((new, old) for old, new in _renamed(changes, nics))
    return replace(_work(moves, commands_back(changes), nics, links), renamed=pairs)


def _renamed(changes: Sequence[FileChange], nics: Sequence[Nic]) -> tuple[tuple[str, str], ...]:
    documents = [document_of(one.after.text) for one in changes if one.path.startswith(_NETPLAN)]
    return tuple(pair for document in documents for pair in renames(document, nics))


def of_the_network_at_start(changes: Sequence[FileChange]) -> tuple[str, ...]:
    """Give the keys of the answers' network whose change counts only from the next start on.

    The netplan file itself is among them where that is all that changes in it.
    """
    found: list[str] = []
    for one in changes:
        if one.path.startswith(_NETPLAN):
            later = at_start(document_of(one.before.text), document_of(one.after.text))
            found += [*([one.path] if later.all else []), *(f"network.netplan.{key}" for key in later.keys)]
    return tuple(found)


def link_names(net: Path) -> frozenset[str]:
    """Give the names of the links that are there; `net` is /sys/class/net."""
    return frozenset(path.name for path in net.glob("*"))


def _work(
    moves: Sequence[tuple[Snapshot, Put]],
    commands: tuple[Argv, ...],
    nics: Sequence[Nic],
    links: Collection[str],
) -> Work:
    stale: list[str] = []
    lower: list[str] = []
    awaited: list[str] = []
    resets: list[Argv] = []
    for old, new in moves:
        if new.path.startswith(_NETPLAN):
            before, after = document_of(old.text), document_of(new.snapshot.text)
            gone = stale_devices(before, after)
            stale += gone
            resets += card_resets(before, after, nics)
            lower += lower_links(gone, before, after, nics)
            # One that networkd could not make before, for want of its card, is no reason to give up.
            awaited += [name for name in gone if name in made_devices(after) and name in links]
    files = tuple(new for _, new in moves)
    return Work(files, _once(stale), (*resets, *commands), _once(lower), _once(awaited))


def _once(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def perform(work: Work, places: Places, commands: Commands) -> None:
    """Do it all; NodeError at the first thing that can't be done."""
    net = places.net
    for one in work.files:
        _put(places.root, one)
    if work.files:
        _list_rendered(work.files, places.rendered)
    removed = [name for name in work.stale_devices if _remove_device(name, net, commands)]
    if removed:
        # A networkd that reads its files before it hears of the loss keeps what it knew, and makes nothing.
        time.sleep(_NOTICE_S)
    for old, new in work.renamed:
        _rename(old, new, net, commands)
    for argv in work.commands:
        commands.run(argv, timeout_s=_COMMAND_TIMEOUT_S)
    _set_up(work, net, commands)
    for _ in range(_TRIES):
        if not (missing := _missing(work.awaited, net)):
            return
        commands.run(["networkctl", "reload"], timeout_s=_COMMAND_TIMEOUT_S)
        _set_up(work, net, commands)
    if missing := _missing(work.awaited, net):
        raise NodeError(
            f"{', '.join(missing)} did not come back", mend="Look at journalctl -u systemd-networkd"
        )


def _set_up(work: Work, net: Path, commands: Commands) -> None:
    if links := [name for name in work.lower_links if (net / name).exists()]:
        commands.run(["networkctl", "reconfigure", *links], timeout_s=_COMMAND_TIMEOUT_S)


def _missing(names: Sequence[str], net: Path) -> list[str]:
    """Give the devices that are not there, after some seconds at most."""
    deadline = time.monotonic() + _MAKING_S
    while missing := [name for name in names if not (net / name).exists()]:
        if time.monotonic() >= deadline:
            return missing
        time.sleep(_PAUSE_S)
    return []


def perform_as_far_as_possible(work: Work, places: Places, commands: Commands) -> tuple[str, ...]:
    """Do it all whatever fails, and give the words of what did: the way back must not end half way."""
    failures: list[str] = []
    parts = [
        *(Work(files=(one,)) for one in work.files),
        *(Work(stale_devices=(one,)) for one in work.stale_devices),
        *(Work(renamed=(one,)) for one in work.renamed),
        *(Work(commands=(one,)) for one in work.commands),
        Work(lower_links=work.lower_links, awaited=work.awaited),
    ]
    for part in parts:
        try:
            perform(part, places, commands)
        except NodeError as error:
            failures.append(_words(error))
    return tuple(failures)


def _put(root: Path, one: Put) -> None:
    try:
        put(root / one.path.lstrip("/"), one.snapshot)
    except OSError as error:
        raise NodeError(f"{one.path} can't be written: {error.strerror or error}") from None


def _list_rendered(files: Sequence[Put], path: Path) -> None:
    """Bring the list of rendered files up to date; its time says which of them were changed by hand since."""
    try:
        document = json.loads(path.read_bytes())
        paths = dict.fromkeys(document["paths"])
    except (OSError, ValueError, LookupError, TypeError):
        return  # the start left none: then nobody goes by it
    for one in files:
        if one.rendered:
            paths[one.path] = None
        else:
            paths.pop(one.path, None)
    text = json.dumps({**document, "paths": list(paths)}) + "\n"
    try:
        LiveFiles().write(path, text.encode())
    except OSError as error:
        raise NodeError(f"{path} can't be written: {error.strerror or error}") from None


def _remove_device(name: str, net: Path, commands: Commands) -> bool:
    """Remove a device; False where there was none, since what it stood on went before."""
    # A real card is never removed, whatever the document calls it.
    if not (net / name).exists() or (net / name / "device").exists():
        return False
    try:
        commands.run(["ip", "link", "delete", "dev", name], timeout_s=_COMMAND_TIMEOUT_S)
    except CommandFailedError:
        if (net / name).exists():
            raise
    return True


def _rename(old: str, new: str, net: Path, commands: Commands) -> None:
    """Rename a card where it has the old name still; Linux does so while it is up (6.2 and newer)."""
    if (net / old).exists() and not (net / new).exists():
        commands.run(["ip", "link", "set", "dev", old, "name", new], timeout_s=_COMMAND_TIMEOUT_S)


def _words(error: NodeError) -> str:
    last = error.details.strip().splitlines()[-1:]
    return ": ".join([error.brief, *last])
