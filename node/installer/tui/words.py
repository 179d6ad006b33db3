"""The machine, its disks and its cards in the few words that fit on a screen."""

from __future__ import annotations

from collections.abc import Iterator

from node.installer.disk_words import describe_contents
from node.locale import _, plural, say
from node.model.inventory import Disk, Finding, Inventory, Nic
from node.model.problem import Problem, Severity
from node.model.size import format_size
from node.plugins.storage.choice import runs_from


def machine_lines(inventory: Inventory) -> list[tuple[str, str]]:
    """Give what a machine is, as terms and values."""
    firmware, cpu, guests = inventory.firmware, inventory.cpu, inventory.virtualization
    product = " ".join(part for part in (firmware.vendor, firmware.product) if part)
    boot = "UEFI" if firmware.kind == "uefi" else "BIOS"
    if firmware.kind == "uefi" and firmware.secure_boot is not None:
        boot += ", " + (_("Secure Boot on") if firmware.secure_boot else _("Secure Boot off"))
    threads = plural("{n} thread", "{n} threads", cpu.threads) if cpu.threads else ""
    hardware = {"vmx": "Intel VT-x", "svm": "AMD-V"}.get(guests.hardware, guests.hardware)
    found = [
        (_("Machine"), product or _("unknown")),
        (_("Serial number"), firmware.serial),
        (_("Firmware"), boot + (f" ({firmware.version})" if firmware.version else "")),
        (_("Processor"), ", ".join(part for part in (cpu.model, threads) if part)),
        (_("Memory"), format_size(inventory.memory) if inventory.memory else _("unknown")),
        (_("Virtualization"), hardware or _("none by hardware: guests would be slow")),
        (_("Image"), " ".join(part for part in (inventory.image.name, inventory.image.version) if part)),
    ]
    return [(term, value) for term, value in found if value]


def holds(disk: Disk) -> str:
    """Give in a few words what a disk holds."""
    if disk.contents.finding is Finding.EMPTY:
        return _("empty")
    if disk.contents.finding is Finding.UNKNOWN:
        return _("unreadable")
    kinds = [
        h.detail.split()[0] if h.kind == "filesystem" and h.detail else h.kind
        for h in disk.contents.holdings
        if h.kind != "partition table"
    ]
    return ", ".join(dict.fromkeys(kinds)) or _("partition table")


def forbidden(disk: Disk, inventory: Inventory) -> str:
    """Say why a disk can't be chosen at all; "" where it can."""
    if disk.boot_medium or runs_from(disk, inventory):
        return _("this system runs from it")
    if disk.read_only:
        return _("it is read-only")
    return _("it holds no medium") if disk.size <= 0 else ""


def disk_details(disk: Disk, inventory: Inventory) -> list[str]:
    """Give what else is known of a disk, a line each."""
    name = " ".join(part for part in (disk.vendor, disk.model) if part) or _("no model")
    spins = {True: _("spins"), False: _("solid state"), None: ""}[disk.rotational]
    sectors = _("sectors of {n} bytes").replace("{n}", str(disk.sector_size))
    names = [f"WWN {disk.wwn}" if disk.wwn else "", *disk.by_id[:1], *disk.by_path[:1]]
    lines = [
        ", ".join(part for part in (f"{disk.node}: {name}", format_size(disk.size), spins, sectors) if part),
        ", ".join(part for part in names if part),
    ]
    if why := forbidden(disk, inventory):
        lines.append(_("It can't be chosen: {why}.").replace("{why}", why))
    held = "; ".join(say(one) for one in describe_contents(disk))
    lines.append(_("It holds: {what}").replace("{what}", held))
    return [line for line in lines if line]


def nic_details(nic: Nic) -> list[str]:
    """Give what else is known of a card, a line each."""
    return [
        line
        for line in (
            f"{nic.name}: {nic.model or nic.driver}",
            _("addresses: {list}").replace("{list}", ", ".join(nic.addresses)) if nic.addresses else "",
            nic.bus_path,
        )
        if line
    ]


def problem_words(problem: Problem, *, where: bool = False) -> tuple[str, str]:
    """Give a problem as (attribute, words)."""
    warning = problem.severity is Severity.WARNING
    lead = f"{problem.where}: " if where else ""
    mark = _("Note") + ": " if warning else "! "
    what = say(problem.what)
    words = f"{mark}{lead}{what[:1].upper() + what[1:] if not lead else what}. {say(problem.mend)}"
    return ("warning" if warning else "problem", words.rstrip(". ") + ".")


def duration(seconds: float) -> str:
    """Give a time as `3 min 20 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def wrapped_values(lines: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Give terms and values as urwid's markup, the values below each other."""
    width = max((len(term) for term, _value in lines), default=0) + 2
    return [[("dim", term.ljust(width)), ("label", value)] for term, value in lines]
