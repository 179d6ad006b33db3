"""Makes the disk bootable, by BIOS and by UEFI from the same disk: the kernel early, the boot area last."""

from __future__ import annotations

from node.hookspecs import Support, Target, hookimpl
from node.model.answers import Answers, Section
from node.model.inventory import Inventory
from node.model.layout import DiskIdentity, Role
from node.model.page import Page
from node.model.step import PlannedStep, Step
from node.plugins.bootloader.answers import BootAnswers
from node.plugins.bootloader.arguments import carried_over, command_line
from node.plugins.bootloader.grub import esp_stub, menu
from node.plugins.bootloader.steps import (
    AddBootEntry,
    CopyKernel,
    InstallBiosGrub,
    VerifyKernel,
    WriteEspLoaders,
    WriteGrubConfig,
)


@hookimpl
def node_sections() -> list[Section]:
    """Offer `boot`."""
    words = "The boot menu and the kernel's arguments."
    return [Section(BootAnswers, "Boot", words, pages=(Page("boot", "Boot", words, asked=False),))]


@hookimpl
def node_support(capability: str) -> Support:
    """Make any disk bootable, as well as anyone who knows nothing special about the machine."""
    return Support.GENERIC if capability == "boot-loader" else Support.NONE


@hookimpl
def node_kernel_args(answers: Answers, inventory: Inventory) -> list[str]:
    """Keep the consoles of this boot, so that the node speaks where its installer did; add what was asked."""
    return carried_over(inventory.consoles, inventory.image, answers[BootAnswers].append)


@hookimpl
def node_plan(answers: Answers, inventory: Inventory, target: Target) -> list[PlannedStep]:
    """Kernel, menu, then the loaders; both loaders where the layout has room for them."""
    layout = target.layout
    root, boot = layout.get(Role.ROOT_A), layout.get(Role.BOOT)
    if root is None or boot is None:
        return []
    uefi = inventory.firmware.kind == "uefi"
    image = inventory.image
    arguments = command_line(root, image, target.kernel_args)
    text = menu(boot_uuid=boot.filesystem_uuid, arguments=arguments, timeout_s=answers[BootAnswers].timeout)
    steps: list[tuple[str, Step]] = [
        ("payload", CopyKernel(" ".join(arguments), image.kernel_size + image.initrd_size)),
        ("configure", WriteGrubConfig(text)),
        ("verify", VerifyKernel(layout.node_of(boot), boot.filesystem)),
    ]
    disk = layout.disk
    # No BIOS starts from 4096-byte sectors, and GRUB's sector 0 couldn't load its core there.
    if layout.get(Role.BIOS_GRUB) and disk.sector_size == 512:
        steps.append(("boot", InstallBiosGrub(disk, required=not uefi)))
    if esp := layout.get(Role.ESP):
        steps.append(("boot", WriteEspLoaders(esp_stub(boot.filesystem_uuid), required=uefi)))
        if uefi:
            steps.append(("boot", AddBootEntry(disk.node, esp.number, entry_label(disk))))
    return [PlannedStep(phase, step, "bootloader") for phase, step in steps]


def entry_label(disk: DiskIdentity) -> str:
    """Name the firmware's entry by the disk, so that a new installation replaces only its own."""
    return f"Nodecrust {disk.serial or disk.wwn}".strip()
