"""What a disk may hold after a power cut: the system calls of a write, recorded, and every way they may end.

The model is harsher than ext4. What was not flushed by fsync before the cut is there, lost, or torn: data of
a file by fsync of the file, names in a folder by fsync of the folder, each name for itself and in any
combination. Only a rename is one thing: both its names or neither.
"""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

Tree = Mapping[Path, bytes | None]
"""Files with their bytes, by path; None for a folder."""


@dataclass(frozen=True)
class Call:
    """A system call that succeeded. `inode` is the file that it opened, wrote to or flushed."""

    name: str
    path: Path = Path()
    target: Path = Path()
    inode: int = 0
    data: bytes = b""


@dataclass
class RecordedCalls:
    """Fulfils `node.system.files.FileCalls`: makes the calls, but for fsync, and remembers them.

    `fails` is asked before each call, by its place and name; where it says so the call fails, as on a full
    disk.
    """

    fails: Callable[[int, str], bool] = lambda _place, _name: False
    error: int = errno.ENOSPC
    made: list[Call] = field(default_factory=list)
    asked: int = 0
    _opened: dict[int, tuple[Path, int]] = field(default_factory=dict)

    def open(self, path: Path, flags: int, mode: int = 0o777, /) -> int:
        creates = bool(flags & os.O_CREAT)
        self._ask("create" if creates else "open")
        number = os.open(path, flags, mode)
        inode = os.fstat(number).st_ino
        self._opened[number] = (path, inode)
        self._remember(Call("create" if creates else "open", path, inode=inode))
        return number

    def write(self, number: int, data: bytes | memoryview, /) -> int:
        self._ask("write")
        # A long one never all at once, so that there is a cut in the middle of a file.
        written = os.write(number, data[: max(len(data) // 2, 1024)])
        self._remember(Call("write", inode=self._opened[number][1], data=bytes(data[:written])))
        return written

    def fchmod(self, number: int, mode: int, /) -> None:
        self._ask("fchmod")
        os.fchmod(number, mode)
        self._remember(Call("fchmod"))

    def fsync(self, number: int, /) -> None:
        self._ask("fsync")
        path, inode = self._opened[number]
        self._remember(Call("fsync", path, inode=inode))

    def close(self, number: int, /) -> None:
        os.close(number)
        del self._opened[number]
        # It closes even where it fails (close(2)).
        self._ask("close")
        self._remember(Call("close"))

    def link(self, source: Path, target: Path, /) -> None:
        self._ask("link")
        os.link(source, target)
        self._remember(Call("link", source, target))

    def rename(self, source: Path, target: Path, /) -> None:
        self._ask("rename")
        os.rename(source, target)  # noqa: PTH104 - as the module os has it
        self._remember(Call("rename", source, target))

    def unlink(self, path: Path, /) -> None:
        self._ask("unlink")
        os.unlink(path)  # noqa: PTH108 - as the module os has it
        self._remember(Call("unlink", path))

    def mkdir(self, path: Path, /) -> None:
        self._ask("mkdir")
        os.mkdir(path)  # noqa: PTH102 - as the module os has it
        self._remember(Call("mkdir", path))

    def _ask(self, name: str) -> None:
        self.asked += 1
        if self.fails(self.asked - 1, name):
            raise OSError(self.error, os.strerror(self.error))

    def _remember(self, call: Call) -> None:
        self.made.append(call)


def tree_of(folder: Path) -> dict[Path, bytes | None]:
    """Read a folder, itself included."""
    found: dict[Path, bytes | None] = {folder: None}
    for path in sorted(folder.rglob("*")):
        found[path] = None if path.is_dir() else path.read_bytes()
    return found


def put_back(folder: Path, tree: Tree) -> None:
    """Make a folder hold what a tree says."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    for path, contents in sorted(tree.items()):
        if contents is None:
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(contents)


@dataclass(frozen=True)
class _File:
    """A file: the bytes that would be read now, and those that are sure to be there after a cut."""

    data: bytes = b""
    flushed: bytes = b""

    def after_a_cut(self) -> set[bytes]:
        """Give what may be found: flushed data, and of what follows nothing, half, zeroes, rubbish or all."""
        if self.data == self.flushed:
            return {self.data}
        tail = self.data[len(self.flushed) :]
        half = tail[: len(tail) // 2]
        rest = len(tail) - len(half)
        ends = (b"", half, tail, b"\0" * len(tail), half + b"\0" * rest, b"\xa5" * len(tail))
        return {self.flushed + end for end in ends}


Names = dict[Path, int]


class Disk:
    """A disk that held `before` when the calls began."""

    def __init__(self, before: Tree) -> None:
        self._files: dict[int, _File] = {}
        self._durable: Names = {}
        self._names: Names = {}
        # Changes of names that no fsync of their folder has made sure, oldest first.
        self._pending: list[dict[Path, int | None]] = []
        self._known: dict[int, int] = {}
        for path, contents in before.items():
            self._durable[path] = self._add(contents or b"") if contents is not None else 0
        self._names = dict(self._durable)

    def make(self, call: Call) -> None:
        """Let one call happen."""
        match call.name:
            case "create":
                inode = self._add(b"")
                self._known[call.inode] = inode
                self._change({call.path: inode})
            case "mkdir":
                self._change({call.path: 0})
            case "write":
                inode = self._known[call.inode]
                self._files[inode] = replace(self._files[inode], data=self._files[inode].data + call.data)
            case "fsync" if self._names.get(call.path) == 0:
                self._flush_names(call.path)
            case "fsync":
                inode = self._known[call.inode]
                self._files[inode] = replace(self._files[inode], flushed=self._files[inode].data)
            case "link":
                self._change({call.target: self._names[call.path]})
            case "rename" if self._names.get(call.target) != self._names[call.path]:
                self._change({call.path: None, call.target: self._names[call.path]})
            case "unlink":
                self._change({call.path: None})

    def now(self) -> Tree:
        """Give what is read while the power is on."""
        return {path: self._files[inode].data if inode else None for path, inode in self._names.items()}

    def after_a_cut(self) -> Iterator[Tree]:
        """Give every tree that may be found when the power goes now."""
        for chosen in itertools.product((True, False), repeat=len(self._pending)):
            names: dict[Path, int | None] = dict(self._durable)
            for change, lasts in zip(self._pending, chosen, strict=True):
                names.update(change if lasts else {})
            there = {path: inode for path, inode in names.items() if inode is not None}
            # What was in a folder that isn't there is lost with it.
            there = {path: inode for path, inode in there.items() if not _orphaned(path, there)}
            inodes = sorted({inode for inode in there.values() if inode})
            for found in itertools.product(*(sorted(self._files[inode].after_a_cut()) for inode in inodes)):
                contents = dict(zip(inodes, found, strict=True))
                yield {path: contents[inode] if inode else None for path, inode in there.items()}

    def _add(self, contents: bytes) -> int:
        inode = len(self._files) + 1
        self._files[inode] = _File(contents, contents)
        return inode

    def _change(self, change: dict[Path, int | None]) -> None:
        self._pending.append(change)
        for path, inode in change.items():
            if inode is None:
                self._names.pop(path, None)
            else:
                self._names[path] = inode

    def _flush_names(self, folder: Path) -> None:
        waiting = []
        for change in self._pending:
            if any(path.parent == folder for path in change):
                for path, inode in change.items():
                    if inode is None:
                        self._durable.pop(path, None)
                    else:
                        self._durable[path] = inode
            else:
                waiting.append(change)
        self._pending = waiting


def _orphaned(path: Path, there: Names) -> bool:
    return path.parent not in there and any(parent in there for parent in path.parents)


def cuts(before: Tree, made: list[Call]) -> Iterator[tuple[int, Tree]]:
    """Give every tree that may be found after a cut, once, and after how many calls it first may be."""
    disk, seen = Disk(before), set()
    for number, call in enumerate([None, *made]):
        if call is not None:
            disk.make(call)
        for tree in disk.after_a_cut():
            if (key := frozenset(tree.items())) not in seen:
                seen.add(key)
                yield number, tree
