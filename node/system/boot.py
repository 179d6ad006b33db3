"""Makes a disk bootable: GRUB for BIOS, entries in the firmware's memory for UEFI."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from node.errors import NodeError
from node.model.layout import TYPE_UUIDS, Role
from node.model.system import Commands
from node.system import libblkid
from node.system.block import BlockDevices
from node.system.device import write_at
from node.system.efi import BootEntries, parse_entries
from node.system.grub_bios import SECTOR, boot_code, core_image
from node.system.mounts import read_mounts

_GRUB = Path("/usr/lib/grub/i386-pc")
_EFIVARS = Path("/sys/firmware/efi/efivars")
# What core must have to find BOOT by itself; all else it loads from there.
_CORE_MODULES = ("biosdisk", "part_gpt", "ext2", "normal")


class LiveBoot:
    """Boot loaders and firmware of this machine; fulfils `node.model.system.Boot`."""

    def __init__(self, commands: Commands, *, grub: Path = _GRUB, efivars: Path = _EFIVARS) -> None:
        self._commands = commands
        self._grub = grub
        self._efivars = efivars

    def install_grub_bios(self, disk: str, boot_folder: Path) -> None:
        """Put GRUB's core into BIOS-GRUB, its modules into `boot_folder`, last its code into sector 0.

        `boot_folder` is where BOOT is mounted; GRUB reads grub/grub.cfg there. Each part is flushed before
        the next, so a cut at any time leaves a disk that does not boot or one that does. Other partitions of
        the disk may be mounted. NodeError where the disk has no BIOS-GRUB partition or 4096-byte sectors.
        """
        if not (self._grub / "boot.img").exists():
            raise NodeError("GRUB for BIOS is not in this image (Debian's package grub-pc-bin has it)")
        if BlockDevices().number(Path(disk).resolve().name, "queue/logical_block_size", SECTOR) != SECTOR:
            raise NodeError(f"{disk} has sectors that no BIOS starts from", mend="Start this machine by UEFI")
        descriptor = os.open(disk, os.O_RDWR | os.O_CLOEXEC)
        try:
            start, size = _bios_grub(descriptor, disk)
            self._copy_modules(boot_folder / "grub" / "i386-pc")
            sector = start // SECTOR
            core = core_image(self._make_core(_number_of(boot_folder, disk)), core_sector=sector)
            if len(core) > size:
                raise NodeError(
                    f"GRUB's core image of {len(core)} bytes doesn't fit into BIOS-GRUB of {size}"
                )
            write_at(descriptor, start, core)
            os.fsync(descriptor)
            code = boot_code((self._grub / "boot.img").read_bytes(), core_sector=sector)
            write_at(descriptor, 0, code)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def boot_entries(self) -> tuple[tuple[str, ...], Mapping[str, str]]:
        """Give the firmware's boot order and its entries' labels by number; empty without NVRAM."""
        entries = self._entries()
        return entries.order, entries.labels

    def add_boot_entry(self, *, disk: str, partition: int, label: str, loader: str) -> str:
        r"""Add a firmware boot entry and put it first; give its number, "" where the firmware has none.

        `loader` is a path on the ESP in the firmware's form, such as `\EFI\debian\shimx64.efi`.
        """
        if not self._has_variables():
            return ""
        before = self._entries()
        done = self._commands.run(
            [
                "efibootmgr",
                "--create",
                "--disk",
                disk,
                "--part",
                str(partition),
                "--label",
                label,
                "--loader",
                loader,
            ]
        )
        after = parse_entries(done.output)
        new = [number for number in after.labels if number not in before.labels]
        if len(new) != 1:
            raise NodeError(
                "the firmware did not take the boot entry", details=done.output.strip() or done.errors.strip()
            )
        return new[0]

    def restore_boot_order(self, order: Sequence[str], *, remove: Sequence[str] = ()) -> None:
        """Put the firmware's boot order back and remove entries that we added, those that are still there."""
        if not self._has_variables():
            return
        there = self._entries().labels
        for number in remove:
            if number.upper() in there:
                self._commands.run(["efibootmgr", "--bootnum", number, "--delete-bootnum"])
        there = self._entries().labels
        wanted = [number for number in order if number.upper() in there]
        if wanted:
            self._commands.run(["efibootmgr", "--bootorder", ",".join(wanted)])

    def _has_variables(self) -> bool:
        # The folder is there, and empty, under a firmware whose variables nobody mounted.
        return self._efivars.is_dir() and any(self._efivars.iterdir())

    def _entries(self) -> BootEntries:
        if not self._has_variables():
            return BootEntries()
        return parse_entries(self._commands.run(["efibootmgr"]).output)

    def _copy_modules(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(self._grub.iterdir()):
            if file.suffix in (".mod", ".lst"):
                shutil.copyfile(file, folder / file.name)
        # One flush for hundreds of small files instead of one each.
        os.sync()

    def _make_core(self, boot_number: int) -> bytes:
        with tempfile.TemporaryDirectory(prefix="node-grub-") as temporary:
            core = Path(temporary) / "core.img"
            # Without a disk's name GRUB takes the one that the BIOS started: no clone can interfere.
            self._commands.run(
                ["grub-mkimage", "--format", "i386-pc", "--directory", self._grub,
                 "--prefix", f"(,gpt{boot_number})/grub", "--output", core, *_CORE_MODULES]
            )  # fmt: skip
            return core.read_bytes()


def _bios_grub(descriptor: int, disk: str) -> tuple[int, int]:
    try:
        found = libblkid.probe(descriptor)
    except libblkid.ProbeError as error:
        raise NodeError(f"{disk}: {error}") from None
    kind = str(TYPE_UUIDS[Role.BIOS_GRUB])
    place = next(((e.start, e.size) for e in found.entries if e.type == kind), None)
    if place is None:
        raise NodeError(f"{disk} has no {Role.BIOS_GRUB} partition for GRUB")
    return place


def _number_of(folder: Path, disk: str) -> int:
    """Give the number of the disk's partition that is mounted at a folder."""
    top = folder.resolve()
    mount = next((m for m in reversed(read_mounts()) if m.where == top), None)
    if mount is None:
        raise NodeError(f"nothing is mounted at {folder}, where BOOT should be")
    block = BlockDevices()
    name = block.name_of(mount.device)
    if not name or block.disk_of(name) != Path(disk).resolve().name:
        raise NodeError(f"{mount.source}, mounted at {folder}, is no partition of {disk}")
    return block.number(name, "partition")
