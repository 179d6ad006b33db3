"""Starts the installation that is on the disk already, without going through the firmware where possible."""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from node.errors import CommandFailedError, NodeError
from node.model.inventory import Installation, Inventory
from node.model.layout import Role
from node.model.system import Boot, Commands

_log = logging.getLogger(__name__)
FIRMWARE_LABEL = "Nodecrust"


def boot_existing(
    installation: Installation, inventory: Inventory, *, commands: Commands, boot: Boot
) -> None:
    """Start an installation by kexec, or under UEFI by the firmware's BootNext; the machine then goes down.

    NodeError, in words, where neither works: then the firmware's boot order is what can help.
    """
    try:
        load_kernel(installation, inventory, commands=commands)
    except NodeError as by_kexec:
        _log.warning("kexec: %s %s", by_kexec.brief, by_kexec.details)
        if not _boot_next(installation, inventory, commands=commands, boot=boot):
            raise NodeError(
                f"the installation on {installation.disk} could not be started from here",
                details=f"{by_kexec.brief}\n{by_kexec.details}".strip(),
                mend="Let the firmware boot from the disk first, or choose the disk in its boot menu",
            ) from None
        commands.run(["systemctl", "reboot"])
        return
    commands.run(["systemctl", "kexec"])


def load_kernel(installation: Installation, inventory: Inventory, *, commands: Commands) -> None:
    """Load the installation's kernel, initrd and command line for kexec; NodeError where that fails."""
    disk = inventory.disk(installation.disk)
    partitions = disk.partitions if disk else ()
    node = next((part.node for part in partitions if part.label == Role.BOOT.value), "")
    if not node:
        raise NodeError(f"{installation.disk} has no BOOT partition")
    with TemporaryDirectory(prefix="node-boot-") as name:
        folder = Path(name)
        commands.run(["mount", "-t", "ext4", "-o", "ro", node, folder])
        try:
            slot = folder / installation.slot
            arguments = (slot / "cmdline").read_text(encoding="utf-8").strip()
            commands.run(
                ["kexec", "-s", "-l", slot / "vmlinuz", f"--initrd={slot / 'initrd'}",
                 f"--command-line={arguments}"],
                timeout_s=120.0,
            )  # fmt: skip
        except OSError as error:
            raise NodeError(f"{node} lacks {error.filename}: {error.strerror}") from None
        finally:
            commands.run(["umount", folder])


def _boot_next(installation: Installation, inventory: Inventory, *, commands: Commands, boot: Boot) -> bool:
    """Tell the firmware to boot our entry once; False where it has none."""
    if inventory.firmware.kind != "uefi":
        return False
    disk = inventory.disk(installation.disk)
    _, labels = boot.boot_entries()
    # Ours carries the disk's serial, since two disks may each hold an installation.
    wanted = f"{FIRMWARE_LABEL} {disk.serial}".strip() if disk else FIRMWARE_LABEL
    numbers = [number for number, label in labels.items() if label == wanted]
    if len(numbers) != 1:
        return False
    try:
        commands.run(["efibootmgr", "--quiet", "--bootnext", numbers[0]])
    except CommandFailedError as error:
        _log.warning("BootNext: %s %s", error.brief, error.details)
        return False
    return True
