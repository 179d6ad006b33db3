"""The steps that check, clear, divide, format and mount the node's disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from node.model.inventory import Contents, Partition
from node.model.layout import DiskIdentity, Layout, Role
from node.model.size import MIB, format_size
from node.model.step import Step
from node.model.system import System
from node.plugins.storage.identity import require_same_contents, require_same_disk

# The boot code of sector 0 ends where the disk signature and the table begin (UEFI 2.10, 5.2.1).
BOOT_CODE_SIZE = 440


@dataclass(frozen=True)
class CheckDisk(Step):
    """Read the disk once more and compare it with what the plan was made for; writes nothing."""

    disk: DiskIdentity
    contents: Contents
    partitions: tuple[Partition, ...] = ()

    def summary(self) -> str:
        """Say it."""
        return f"Read {self.disk} once more and compare it with the plan"

    def apply(self, system: System) -> None:
        """Compare identity, contents and partitions."""
        found = system.disks.probe(self.disk.node)
        require_same_disk(found, self.disk)
        require_same_contents(found, self.contents, self.partitions)


@dataclass(frozen=True)
class ReleaseDisk(Step):
    """Take down swap, LVM, MD and device-mapper that a disk's old contents brought up."""

    disk: DiskIdentity

    def summary(self) -> str:
        """Say it."""
        return f"Take down what old contents of {self.disk} brought up"

    def apply(self, system: System) -> None:
        """Release it, if it still is the same disk."""
        require_same_disk(system.disks.probe(self.disk.node), self.disk)
        system.disks.release(self.disk.node)


@dataclass(frozen=True)
class PartitionDisk(Step):
    """The first write: old boot code goes, then what could come back to life, then the table comes.

    `old_boot` are the stretches (start, size) of the ESP and BOOT that an earlier installation left and that
    a kept table would otherwise bring back.
    """

    timeout_s: ClassVar[float] = 300.0

    layout: Layout
    old_boot: tuple[tuple[int, int], ...] = ()

    def summary(self) -> str:
        """Say it."""
        sizes = ", ".join(
            f"{p.label} {format_size(p.size)}" + (" (kept)" if p.keep else "") for p in self.layout.partitions
        )
        verb = "Write new partitions beside the kept ones on" if self.layout.keeps else "Clear and partition"
        return f"{verb} {self.layout.disk}: {sizes}"

    def apply(self, system: System) -> None:
        """Clear, flush, write the table: cut anywhere in between, the disk starts nothing."""
        require_same_disk(system.disks.probe(self.layout.disk.node), self.layout.disk)
        if self.layout.keeps:
            self._clear(system, boot_code=True, stretches=self.old_boot)
            self._clear(system, boot_code=False, stretches=self._ends())
            system.disks.replace_partitions(self.layout)
        else:
            system.disks.erase_boot_code(self.layout.disk)
            # What an older table had at the same place would come back with the new one: an ESP with its
            # loader, an LVM or MD member that the kernel assembles at once.
            self._clear(system, boot_code=False, stretches=self._ends())
            system.disks.write_table(self.layout)

    def undo(self, system: System) -> None:
        """Clear the table; with kept partitions only what boots, so that their data stays within reach."""
        require_same_disk(system.disks.probe(self.layout.disk.node), self.layout.disk)
        if self.layout.keeps:
            boot = {Role.ESP, Role.BOOT, Role.BIOS_GRUB}
            new = [(p.start, p.size) for p in self.layout.partitions if p.role in boot and not p.keep]
            self._clear(system, boot_code=True, stretches=(*self.old_boot, *_heads_and_tails(new)))
        else:
            system.disks.erase_boot_code(self.layout.disk)

    def finish(self, system: System) -> None:
        """Flush the disk's own cache, once everything is unmounted.

        Not exclusively: a mount that another namespace still sees must not fail a whole installation.
        """
        system.commands.run(["sync", self.layout.disk.node], timeout_s=240.0)

    def aftermath(self) -> str:
        """Say what is left."""
        if self.layout.keeps:
            kept = ", ".join(p.label for p in self.layout.partitions if p.keep)
            return f"{self.layout.disk} is not bootable; {kept} are kept"
        return f"{self.layout.disk} is not bootable and has no partition table any more"

    def _ends(self) -> tuple[tuple[int, int], ...]:
        return _heads_and_tails([(p.start, p.size) for p in self.layout.partitions if not p.keep])

    def _clear(self, system: System, *, boot_code: bool, stretches: tuple[tuple[int, int], ...]) -> None:
        kept = [(p.start, p.start + p.size) for p in self.layout.partitions if p.keep]
        if any(start < end and begin < start + size for start, size in stretches for begin, end in kept):
            raise ValueError("a stretch to clear reaches into a kept partition")
        if boot_code:  # opened for itself, so that it is flushed before anything else is touched
            with system.open_device(self.layout.disk.node) as device:
                device.write(bytes(BOOT_CODE_SIZE))
        with system.open_device(self.layout.disk.node) as device:
            for start, size in stretches:
                device.seek(start)
                device.write(bytes(size))


@dataclass(frozen=True)
class MakeFilesystem(Step):
    """Format one partition."""

    timeout_s: ClassVar[float] = 600.0

    node: str
    kind: str
    label: str
    uuid: str

    def summary(self) -> str:
        """Say it."""
        return f"Format {self.label} ({self.node}) as {self.kind}"

    def apply(self, system: System) -> None:
        """Format it."""
        system.disks.make_filesystem(self.node, kind=self.kind, label=self.label, uuid=self.uuid)


@dataclass(frozen=True)
class MountTarget(Step):
    """Mount one of the new filesystems below the target folder, for the time of the run."""

    node: str
    where: Path
    kind: str

    def summary(self) -> str:
        """Say it."""
        return f"Mount {self.node} at {self.where} of the target"

    def apply(self, system: System) -> None:
        """Mount it."""
        system.mounts.mount(self.node, system.root / self.where, kind=self.kind)

    def undo(self, system: System) -> None:
        """Unmount it."""
        system.mounts.unmount(system.root / self.where)

    def finish(self, system: System) -> None:
        """Flush and unmount it: the run isn't done before its writes are on the disk."""
        system.commands.run(["sync", "--file-system", system.root / self.where], timeout_s=240.0)
        system.mounts.unmount(system.root / self.where)


def _heads_and_tails(stretches: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Give the first and last MiB of each stretch, where every filesystem and RAID keeps its signature."""
    found: list[tuple[int, int]] = []
    for start, size in stretches:
        found.append((start, min(MIB, size)))
        if size > MIB:
            found.append((start + size - MIB, MIB))
    return tuple(found)
