"""A machine of invented hardware: a recorded one with other disks, cards and facts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from node.model.inventory import EMPTY, Contents, Disk, Finding, Holding, Inventory, Nic
from node.model.size import parse_size
from node.testing.machines import machine

_NODES = {"nvme": "nvme{number}n1", "virtio": "vd{letter}"}


def a_disk(
    serial: str,
    *,
    size: str = "500GB",
    transport: str = "sata",
    holds: str = "",
    **more: Any,
) -> Disk:
    """Give a disk; `size` is a number with a unit, `holds` what is found on it, in words ("" for nothing).

    `more` are further fields of `node.model.inventory.Disk`. Its node is chosen by `build_inventory`.
    """
    contents = EMPTY if not holds else Contents(Finding.HOLDS, (Holding("filesystem", holds),))
    given = {
        "model": "INVENTED DISK",
        "by_id": (f"{'nvme' if transport == 'nvme' else 'scsi'}-INVENTED_{serial}",),
        "contents": contents,
        **more,
    }
    return Disk("", "", parse_size(size), serial=serial, transport=transport, **given)


def a_nic(name: str, *, link: bool | None = True, speed_mbps: int | None = 10_000, **more: Any) -> Nic:
    """Give a card; its MAC is made of its name. `more` are further fields of `node.model.inventory.Nic`."""
    digits = hashlib.sha256(name.encode()).hexdigest()[:6]
    mac = ":".join(["52:54:00", *(digits[place : place + 2] for place in (0, 2, 4))])
    given = {"driver": "invented", "model": "Invented Card", **more}
    return Nic(name, mac, permanent_mac=mac, link=link, speed_mbps=speed_mbps, **given)


def build_inventory(
    base: str | Inventory = "server-nvme-pair",
    *,
    disks: Sequence[Disk] | None = None,
    nics: Sequence[Nic] | None = None,
    facts: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Inventory:
    """Give a machine like `base`, a recorded one by its name, with these in the place of its own.

    None leaves what `base` has; disks without a node get one as the kernel would name them. `facts` are
    added. `changes` are further fields of `node.model.inventory.Inventory`.
    """
    made = machine(base) if isinstance(base, str) else base
    if disks is not None:
        made = replace(made, disks=_named(disks), installations=())
    if nics is not None:
        made = replace(made, nics=tuple(nics))
    return replace(made, facts={**made.facts, **(facts or {})}, **changes)


def _named(disks: Sequence[Disk]) -> tuple[Disk, ...]:
    counts: dict[str, int] = {}
    found = []
    for disk in disks:
        pattern = _NODES.get(disk.transport, "sd{letter}")
        number = counts.get(pattern, 0)
        counts[pattern] = number + 1
        name = disk.name or pattern.format(number=number, letter=chr(ord("a") + number % 26))
        found.append(replace(disk, name=name, node=disk.node or f"/dev/{name}"))
    return tuple(found)
