"""A machine that only remembers what was asked of it: what steps are tested against."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from node.errors import CommandFailedError, NodeError
from node.model.inventory import Disk, Inventory
from node.model.layout import DiskIdentity, Layout
from node.model.system import Completed


@dataclass(frozen=True)
class Call:
    """One call: `name` such as `disks.write_table`, its arguments by name, in order."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """`name(argument=value, ...)`, for golden files."""
        words = ", ".join(f"{key}={_shown(value)}" for key, value in self.arguments.items())
        return f"{self.name}({words})"


class FakeSystem:
    """Fulfils `node.model.system.System` in memory.

    `calls` holds what was asked, in order. `failing` maps a call's name to the error that it raises;
    `outputs` maps a program's name to what it prints, or to a Completed. `file_contents`, `mounted` and
    `boot_order` are the machine's state, to be set before and looked at afterwards. A device that has bytes
    in `devices` takes what is written to it; of others `device_writes` remembers where: (offset, size).
    """

    def __init__(self, inventory: Inventory | None = None, *, root: Path = Path("/run/node/target")) -> None:
        self.inventory = inventory or Inventory()
        self.calls: list[Call] = []
        self.failing: dict[str, Exception] = {}
        self.outputs: dict[str, str | Completed] = {}
        self.file_contents: dict[Path, bytes] = {}
        self.mounted: dict[Path, str] = {}
        self.devices: dict[str, bytearray] = {}
        self.device_writes: dict[str, list[tuple[int, int]]] = {}
        self.boot_order: tuple[str, ...] = ()
        self.boot_labels: dict[str, str] = {}
        self.messages: list[str] = []
        self.progressed: list[tuple[int, int]] = []
        self.root = root
        self.commands = _Commands(self)
        self.disks = _Disks(self)
        self.mounts = _Mounts(self)
        self.files = _Files(self)
        self.payload = _Payload(self)
        self.boot = _Boot(self)

    def names(self) -> list[str]:
        """Give the names of the calls, in order."""
        return [call.name for call in self.calls]

    def called(self, name: str) -> list[Call]:
        """Give the calls of one name."""
        return [call for call in self.calls if call.name == name]

    def progress(self, done: int, total: int) -> None:
        """Remember how far a step said it is."""
        self.progressed.append((done, total))

    def say(self, message: str) -> None:
        """Remember what a step said."""
        self.messages.append(message)

    @contextmanager
    def open_device(self, node: str) -> Iterator[BinaryIO]:
        """Give the device's bytes, `devices[node]`, and keep what was written."""
        self.record("open_device", node=node)
        if node not in self.devices:
            yield cast("BinaryIO", _Writes(self.device_writes.setdefault(node, [])))
            return
        stream = io.BytesIO(bytes(self.devices[node]))
        yield stream
        self.devices[node] = bytearray(stream.getvalue())

    def record(self, name: str, **arguments: Any) -> None:
        """Remember a call; raise what `failing` holds for it."""
        self.calls.append(Call(name, arguments))
        if error := self.failing.get(name):
            raise error


class _Writes(io.RawIOBase):
    """A device of any size that holds zeroes and only remembers where it was written to."""

    def __init__(self, writes: list[tuple[int, int]]) -> None:
        super().__init__()
        self._writes = writes
        self._at = 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only absolute places")
        self._at = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        self._at += max(size, 0)
        return bytes(max(size, 0))

    def write(self, data: Any) -> int:
        self._writes.append((self._at, len(data)))
        self._at += len(data)
        return len(data)


class _Part:
    def __init__(self, system: FakeSystem) -> None:
        self._system = system


class _Commands(_Part):
    def run(
        self,
        argv: Sequence[str | Path],
        *,
        stdin: str = "",
        timeout_s: float = 60.0,
        check: bool = True,
        secrets: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Completed:
        del stdin, timeout_s, secrets, environment
        words = tuple(str(word) for word in argv)
        self._system.record("commands.run", argv=words)
        answer = self._system.outputs.get(words[0], "")
        done = answer if isinstance(answer, Completed) else Completed(words, 0, answer, "")
        if check and done.status:
            raise CommandFailedError(
                f"{words[0]} failed with status {done.status}",
                argv=words,
                status=done.status,
                details=done.errors,
            )
        return done


class _Disks(_Part):
    def probe(self, node: str) -> Disk:
        self._system.record("disks.probe", node=node)
        disk = self._system.inventory.disk(node)
        if disk is None:
            raise NodeError(f"{node} is not there")
        return disk

    def release(self, node: str) -> None:
        self._system.record("disks.release", node=node)

    def erase_boot_code(self, disk: DiskIdentity) -> None:
        self._system.record("disks.erase_boot_code", disk=disk.node)

    def write_table(self, layout: Layout) -> None:
        self._system.record("disks.write_table", disk=layout.disk.node, labels=_labels(layout))

    def replace_partitions(self, layout: Layout) -> None:
        self._system.record("disks.replace_partitions", disk=layout.disk.node, labels=_labels(layout))

    def wipe_signatures(self, node: str) -> None:
        self._system.record("disks.wipe_signatures", node=node)

    def make_filesystem(self, node: str, *, kind: str, label: str, uuid: str) -> None:
        self._system.record("disks.make_filesystem", node=node, kind=kind, label=label, uuid=uuid)


class _Mounts(_Part):
    def mount(self, node: str, where: Path, *, kind: str = "", options: Sequence[str] = ()) -> None:
        self._system.record("mounts.mount", node=node, where=where, kind=kind, options=tuple(options))
        self._system.mounted[where] = node

    def unmount(self, where: Path) -> None:
        self._system.record("mounts.unmount", where=where)
        self._system.mounted.pop(where, None)

    def is_mounted(self, where: Path) -> bool:
        return where in self._system.mounted


class _Files(_Part):
    def read(self, path: Path) -> bytes:
        if path not in self._system.file_contents:
            raise FileNotFoundError(str(path))
        return self._system.file_contents[path]

    def names(self, folder: Path) -> list[str]:
        below = (path.relative_to(folder) for path in self._system.file_contents if folder in path.parents)
        return sorted({path.parts[0] for path in below})

    def write(self, path: Path, contents: bytes, *, mode: int = 0o644) -> None:
        self._system.record("files.write", path=path, size=len(contents), mode=oct(mode))
        self._system.file_contents[path] = contents

    def remove(self, path: Path) -> None:
        self._system.record("files.remove", path=path)
        self._system.file_contents.pop(path, None)

    def move(self, source: Path, target: Path) -> None:
        self._system.record("files.move", source=source, target=target)
        self._system.file_contents[target] = self.read(source)
        del self._system.file_contents[source]

    def exists(self, path: Path) -> bool:
        contents = self._system.file_contents
        return path in contents or any(path in there.parents for there in contents)

    def copy(self, source: Path, target: Path, *, mode: int = 0o644) -> None:
        self._system.record("files.copy", source=source, target=target, mode=oct(mode))
        self._system.file_contents[target] = self.read(source)


class _Payload(_Part):
    def copy_image(self, source: Path, target: str, *, size: int, sha256: str) -> None:
        self._system.record("payload.copy_image", source=source, target=target, size=size)
        self._system.progress(size, size)
        contents = self._system.file_contents.get(source)
        if contents is not None:
            if hashlib.sha256(contents[:size]).hexdigest() != sha256:
                raise NodeError(f"{source} has another SHA-256 than it must have")
            self._system.devices[target] = bytearray(contents[:size])

    def verify_image(self, target: str, *, size: int, sha256: str) -> None:
        self._system.record("payload.verify_image", target=target, size=size)
        contents = self._system.devices.get(target)
        if contents is not None and hashlib.sha256(bytes(contents[:size])).hexdigest() != sha256:
            raise NodeError(f"{target} holds other bytes than were written")


class _Boot(_Part):
    def install_grub_bios(self, disk: str, boot_folder: Path) -> None:
        self._system.record("boot.install_grub_bios", disk=disk, boot_folder=boot_folder)

    def boot_entries(self) -> tuple[tuple[str, ...], Mapping[str, str]]:
        return self._system.boot_order, dict(self._system.boot_labels)

    def add_boot_entry(self, *, disk: str, partition: int, label: str, loader: str) -> str:
        self._system.record("boot.add_boot_entry", disk=disk, partition=partition, label=label, loader=loader)
        if self._system.inventory.firmware.kind != "uefi":
            return ""
        number = next(n for i in range(0xFFFF) if (n := f"{i:04X}") not in self._system.boot_labels)
        self._system.boot_labels[number] = label
        self._system.boot_order = (number, *self._system.boot_order)
        return number

    def restore_boot_order(self, order: Sequence[str], *, remove: Sequence[str] = ()) -> None:
        self._system.record("boot.restore_boot_order", order=tuple(order), remove=tuple(remove))
        for number in remove:
            self._system.boot_labels.pop(number, None)
        self._system.boot_order = tuple(order)


def _labels(layout: Layout) -> tuple[str, ...]:
    return tuple(partition.label for partition in layout.partitions)


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, Path | str) else repr(value)
