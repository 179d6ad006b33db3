"""An inventory in words, at most 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from node.installer.disk_words import describe_contents
from node.model.inventory import Disk, Inventory, Nic
from node.model.size import format_size

_COLUMNS = 80
_TERM_WIDTH = 16


def inventory_lines(inventory: Inventory) -> list[str]:
    """Give the lines that `nodectl inventory` prints."""
    lines = [line for term, value in _facts(inventory) if value for line in _row(term, value)]
    for disk in inventory.disks:
        lines += ["", *_disk(disk)]
    if not inventory.disks:
        lines += ["", "No disk was found."]
    if inventory.nics:
        lines += ["", "Network cards"]
        lines += [line for nic in inventory.nics for line in _nic(nic)]
    for found in inventory.installations:
        state = "finished" if found.complete else "not finished"
        lines += ["", *_row("Installation", f"{found.install_id or '?'} on {found.disk}, {state}")]
    if inventory.unknown:
        lines += ["", "Not known"]
        lines += [line for part in inventory.unknown for line in _row(f"  {part.where}", part.why)]
    return lines


def _facts(inventory: Inventory) -> Iterator[tuple[str, str]]:
    firmware, cpu, virtualization = inventory.firmware, inventory.cpu, inventory.virtualization
    yield "Host name", inventory.hostname
    yield "Machine", " ".join(part for part in (firmware.vendor, firmware.product) if part)
    yield "Serial", firmware.serial
    # BIOS has no such thing, so that it can't be off.
    secure = {True: ", Secure Boot on", False: ", Secure Boot off", None: ""}[firmware.secure_boot]
    yield "Firmware", f"UEFI{secure}" if firmware.kind == "uefi" else "BIOS"
    counts = ", ".join(
        f"{count} {word}{'s' if count != 1 else ''}"
        for count, word in ((cpu.sockets, "socket"), (cpu.cores, "core"), (cpu.threads, "thread"))
    )
    yield "Processor", ", ".join(part for part in (cpu.model, counts if cpu.threads else "") if part)
    yield "Memory", format_size(inventory.memory) if inventory.memory else ""
    can = (
        f"hardware support ({virtualization.hardware})" if virtualization.hardware else "no hardware support"
    )
    untold = any(part.where == "virtualization.kvm" for part in inventory.unknown)
    usable = ", KVM usable" if virtualization.kvm else "" if untold else ", KVM not usable"
    inside = f"; itself a guest of {virtualization.guest_of}" if virtualization.guest_of else ""
    yield "Virtualization", can + usable + inside
    image = inventory.image
    yield "Image", " ".join(part for part in (image.name, image.version, image.location) if part)


def _disk(disk: Disk) -> list[str]:
    name = " ".join(part for part in (disk.vendor, disk.model) if part)
    traits = [
        name,
        format_size(disk.size),
        f"{disk.sector_size}-byte sectors",
        disk.transport,
        "rotating" if disk.rotational else "",
        "removable" if disk.removable else "",
        "read-only" if disk.read_only else "",
        "boot medium" if disk.boot_medium else "",
    ]
    lines = _row(f"Disk {disk.node}", ", ".join(trait for trait in traits if trait))
    lines += _row("  named", ", ".join(disk.identities) or "nothing but its kernel name")
    for number, line in enumerate(describe_contents(disk)):
        lines += _row("  holds" if number == 0 else "", line)
    if disk.users:
        lines += _row("  used by", ", ".join(disk.users))
    return lines


def _nic(nic: Nic) -> list[str]:
    link = {True: "link", False: "no link", None: ""}[nic.link]
    speed = f"{nic.speed_mbps} Mbit/s" if nic.speed_mbps else ""
    parts = (nic.mac, link, speed, nic.driver, nic.model, *nic.addresses)
    return _row(f"  {nic.name}", ", ".join(part for part in parts if part))


def _row(term: str, value: str) -> list[str]:
    lead = f"{term:<{_TERM_WIDTH}} " if len(term) <= _TERM_WIDTH else f"{term} "
    return textwrap.wrap(
        value or "-",
        _COLUMNS,
        initial_indent=lead,
        subsequent_indent=" " * (_TERM_WIDTH + 1),
        break_on_hyphens=False,
    )
