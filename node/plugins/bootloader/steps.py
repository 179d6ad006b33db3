"""The steps that bring the kernel, and last of all the boot area."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from node.errors import NodeError
from node.model.layout import DiskIdentity
from node.model.step import Step
from node.model.system import System
from node.plugins.bootloader.grub import ENVIRONMENT_BLOCK

BOOT = Path("boot")
ESP = Path("esp")
KERNELS = Path("/usr/lib/nodecrust/boot")
SHIM = Path("/usr/lib/shim/shimx64.efi.signed")
MOK_MANAGER = Path("/usr/lib/shim/mmx64.efi.signed")
SIGNED_GRUB = Path("/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed")
BIOS_GRUB = Path("/usr/lib/grub/i386-pc/boot.img")

# What a BIOS starts of sector 0; the protective partition table follows (UEFI 2.10, 5.2.1).
BOOT_CODE_SIZE = 440

_SLOT = BOOT / "a"
_FILES = ("vmlinuz", "initrd")


@dataclass(frozen=True)
class CopyKernel(Step):
    """Put the kernel, the initrd and their arguments on BOOT, for slot A."""

    timeout_s: ClassVar[float] = 600.0

    arguments: str
    size: int = 0

    def summary(self) -> str:
        """Say it."""
        return "Copy the kernel and its initrd to BOOT"

    def apply(self, system: System) -> None:
        """Copy them; the line with the arguments comes last, as the sign that the slot is whole."""
        for name in _FILES:
            system.files.copy(KERNELS / name, system.root / _SLOT / name)
        system.files.write(system.root / _SLOT / "cmdline", f"{self.arguments}\n".encode())

    def weight(self) -> int:
        """Kernel and initrd."""
        return self.size


@dataclass(frozen=True)
class VerifyKernel(Step):
    """Read the kernel and the initrd back from BOOT and compare them."""

    timeout_s: ClassVar[float] = 600.0

    node: str
    kind: str

    def summary(self) -> str:
        """Say it."""
        return f"Read the kernel and its initrd back from {self.node} and compare them"

    def apply(self, system: System) -> None:
        """Mount BOOT afresh, so that the disk answers and not the page cache."""
        system.mounts.unmount(system.root / BOOT)
        system.mounts.mount(self.node, system.root / BOOT, kind=self.kind)
        for name in _FILES:
            system.commands.run(["cmp", KERNELS / name, system.root / _SLOT / name], timeout_s=300.0)


@dataclass(frozen=True)
class WriteGrubConfig(Step):
    """Write the boot menu to BOOT; without a loader nothing reads it yet."""

    menu: str

    def summary(self) -> str:
        """Say it."""
        return "Write the boot menu to BOOT"

    def apply(self, system: System) -> None:
        """Write the menu and the environment that later boots change in place."""
        system.files.write(system.root / BOOT / "grub/grubenv", ENVIRONMENT_BLOCK)
        system.files.write(system.root / BOOT / "grub/grub.cfg", self.menu.encode())


@dataclass(frozen=True)
class WriteEspLoaders(Step):
    """Put shim and GRUB, as Debian signed them, on the ESP; the one that firmware looks for comes last."""

    stub: str
    required: bool

    def summary(self) -> str:
        """Say it."""
        return "Write the UEFI boot loaders to the ESP"

    def apply(self, system: System) -> None:
        """Write them, unless this machine could do without and the image lacks them."""
        missing = [str(path) for path in (SHIM, SIGNED_GRUB) if not system.files.exists(path)]
        if missing:
            if self.required:
                raise NodeError(f"the image lacks {' and '.join(missing)}, without which UEFI can't start it")
            system.say(f"the image lacks {' and '.join(missing)}: this disk will not start under UEFI")
            return
        efi = system.root / ESP / "EFI"
        system.files.write(efi / "debian/grub.cfg", self.stub.encode())
        copies = [(SIGNED_GRUB, "debian/grubx64.efi"), (SHIM, "debian/shimx64.efi")]
        if system.files.exists(MOK_MANAGER):
            copies += [(MOK_MANAGER, "debian/mmx64.efi"), (MOK_MANAGER, "BOOT/mmx64.efi")]
        for source, target in (*copies, (SIGNED_GRUB, "BOOT/grubx64.efi"), (SHIM, "BOOT/BOOTX64.EFI")):
            system.files.copy(source, efi / target)

    def undo(self, system: System) -> None:
        """Remove what firmware would start."""
        if not system.mounts.is_mounted(system.root / ESP):
            return
        efi = system.root / ESP / "EFI"
        for name in ("BOOT/BOOTX64.EFI", "debian/shimx64.efi", "BOOT/grubx64.efi", "debian/grubx64.efi"):
            system.files.remove(efi / name)


@dataclass(frozen=True)
class InstallBiosGrub(Step):
    """Put GRUB into BIOS-GRUB and, last, its code into sector 0."""

    timeout_s: ClassVar[float] = 300.0

    disk: DiskIdentity
    required: bool

    def summary(self) -> str:
        """Say it."""
        return f"Write the BIOS boot loader to {self.disk}"

    def apply(self, system: System) -> None:
        """Install it, unless this machine could do without and the image lacks it."""
        if not system.files.exists(BIOS_GRUB):
            if self.required:
                raise NodeError(f"the image lacks {BIOS_GRUB}, without which BIOS can't start it")
            system.say(f"the image lacks {BIOS_GRUB}: this disk will not start under BIOS")
            return
        system.boot.install_grub_bios(self.disk.node, system.root / BOOT)

    def undo(self, system: System) -> None:
        """Clear sector 0's code: even where something keeps the disk from being cleared as a whole."""
        node = self.disk.node
        found = system.disks.probe(node)
        if (found.serial, found.size) != (self.disk.serial, self.disk.size):
            raise NodeError(f"{node} is another disk than the boot loader was written to")
        count = f"count={BOOT_CODE_SIZE}"
        system.commands.run(["dd", "if=/dev/zero", f"of={node}", count, "bs=1", "conv=notrunc,fsync"])


@dataclass(frozen=True)
class AddBootEntry(Step):
    """Tell the firmware of the disk's loader, in the place of an earlier entry for the same disk."""

    disk: str
    partition: int
    label: str

    def summary(self) -> str:
        """Say it."""
        return f"Add the firmware's boot entry '{self.label}' for {self.disk}"

    def apply(self, system: System) -> None:
        """Add it first in the order. Without NVRAM the fallback path of the ESP starts the disk."""
        self._remove_own(system)
        number = system.boot.add_boot_entry(
            disk=self.disk, partition=self.partition, label=self.label, loader="\\EFI\\debian\\shimx64.efi"
        )
        if not number:
            system.say("the firmware keeps no boot entries here; it starts EFI/BOOT/BOOTX64.EFI by itself")

    def undo(self, system: System) -> None:
        """Remove it; the order of the others is as it was."""
        self._remove_own(system)

    def _remove_own(self, system: System) -> None:
        order, labels = system.boot.boot_entries()
        own = tuple(number for number, label in labels.items() if label == self.label)
        if own:
            system.boot.restore_boot_order([number for number in order if number not in own], remove=own)
