"""The narrow way to a machine: steps name these protocols, `node.system` fulfils them, tests fake them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from node.model.inventory import Disk
from node.model.layout import DiskIdentity, Layout


@dataclass(frozen=True)
class Completed:
    """A command that ended: its exit status and what it printed, as text."""

    argv: tuple[str, ...]
    status: int
    output: str
    errors: str


class Commands(Protocol):
    """Runs programs: C locale, clean environment, standard input closed unless given."""

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
        """Run to the end; CommandFailedError on failure (when `check`), on timeout and when it isn't there.

        `secrets` are masked in everything that is logged or raised.
        """


class Disks(Protocol):
    """Reads and writes partition tables and what identifies a disk."""

    def probe(self, node: str) -> Disk:
        """Read one disk afresh, contents included."""

    def release(self, node: str) -> None:
        """Take down what uses the disk and is not in real use: swap, stale LVM, MD, device-mapper.

        NodeError naming the user where something mounted stays.
        """

    def erase_boot_code(self, disk: DiskIdentity) -> None:
        """Clear sector 0's code and table, both GPTs and any signature, and flush: clearly not bootable."""

    def write_table(self, layout: Layout) -> None:
        """Write a GPT with exactly these partitions, identifiers and labels, and wait for their nodes."""

    def replace_partitions(self, layout: Layout) -> None:
        """As `write_table` on a disk whose kept partitions must stay where they are, to the byte."""

    def wipe_signatures(self, node: str) -> None:
        """Remove every filesystem and RAID signature of a partition."""

    def make_filesystem(self, node: str, *, kind: str, label: str, uuid: str) -> None:
        """Make vfat, ext4, xfs or swap with this label and UUID."""


class Mounts(Protocol):
    """Mounts filesystems for the time of the run."""

    def mount(self, node: str, where: Path, *, kind: str = "", options: Sequence[str] = ()) -> None:
        """Mount, making the folder; the engine's run remembers it."""

    def unmount(self, where: Path) -> None:
        """Unmount and flush; quiet where nothing is mounted there."""

    def is_mounted(self, where: Path) -> bool:
        """Tell whether something is mounted at `where`."""


class Files(Protocol):
    """Reads and writes files; every write is atomic and flushed."""

    def read(self, path: Path) -> bytes:
        """Give the contents; FileNotFoundError where there is none."""

    def names(self, folder: Path) -> Sequence[str]:
        """Give the names in a folder, sorted; none where there is no folder."""

    def write(self, path: Path, contents: bytes, *, mode: int = 0o644) -> None:
        """Replace atomically (temporary file, fsync, rename, fsync of the folder), making folders.

        OSError where that fails at any point; the old file is there then as it was.
        """

    def remove(self, path: Path) -> None:
        """Remove a file, quiet where there is none."""

    def move(self, source: Path, target: Path) -> None:
        """Give a file another name, in the place of what had it, and flush the folder, which both are in."""

    def exists(self, path: Path) -> bool:
        """Tell whether there is a file, a folder or a device."""

    def copy(self, source: Path, target: Path, *, mode: int = 0o644) -> None:
        """Copy a file's bytes and flush them."""


class Payload(Protocol):
    """Moves the root image."""

    def copy_image(self, source: Path, target: str, *, size: int, sha256: str) -> None:
        """Stream `size` bytes onto a device, flushed; NodeError where the stream's SHA-256 is another.

        Reports progress. Zero blocks are written, since discard does not promise zeroes.
        """

    def verify_image(self, target: str, *, size: int, sha256: str) -> None:
        """Read `size` bytes back from the medium, past the page cache, and compare."""


class Boot(Protocol):
    """Makes a disk bootable."""

    def install_grub_bios(self, disk: str, boot_folder: Path) -> None:
        """Put GRUB's core into BIOS-GRUB, its modules into `boot_folder`, last its code into sector 0."""

    def boot_entries(self) -> tuple[tuple[str, ...], Mapping[str, str]]:
        """Give the firmware's boot order and its entries' labels by number; empty without NVRAM."""

    def add_boot_entry(self, *, disk: str, partition: int, label: str, loader: str) -> str:
        """Add a firmware boot entry and put it first; give its number, "" where the firmware has none."""

    def restore_boot_order(self, order: Sequence[str], *, remove: Sequence[str] = ()) -> None:
        """Put the firmware's boot order back and remove entries that we added."""


class System(Protocol):
    """All effects that a step may have."""

    @property
    def commands(self) -> Commands:
        """Programs."""
        ...

    @property
    def disks(self) -> Disks:
        """Partition tables and identities."""
        ...

    @property
    def mounts(self) -> Mounts:
        """Filesystems mounted for the run."""
        ...

    @property
    def files(self) -> Files:
        """Files."""
        ...

    @property
    def payload(self) -> Payload:
        """The root image."""
        ...

    @property
    def boot(self) -> Boot:
        """Boot loaders and the firmware."""
        ...

    @property
    def root(self) -> Path:
        """The folder below which the target is mounted, /run/node/target."""
        ...

    def progress(self, done: int, total: int) -> None:
        """Tell the run's observers how far the current step is, in bytes."""

    def say(self, message: str) -> None:
        """Tell the run's observers one line."""

    def open_device(self, node: str) -> AbstractContextManager[BinaryIO]:
        """Open a device for reading and writing, exclusively (O_EXCL); flushed at the end."""
