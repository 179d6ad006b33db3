"""What somebody at a screen or a terminal types to give up a disk's contents."""

from __future__ import annotations

from typing import Any

from node.model.answers import Answers, Layer
from node.model.inventory import Disk, Finding, Inventory
from node.model.layout import Layout
from node.model.origin import Precedence


def named_disk(typed: str, inventory: Inventory) -> Disk | None:
    """Give the one disk that a serial, WWN or by-id names; an empty one may go by its kernel name too."""
    word = typed.strip()
    if not word:
        return None
    named = [disk for disk in inventory.disks if word.casefold() in _folded(disk.identities)]
    if not named:
        named = [
            disk
            for disk in inventory.disks
            if disk.contents.finding is Finding.EMPTY and word in (disk.node, disk.name)
        ]
    return named[0] if len(named) == 1 else None


def consent_layer(disk: Disk, answers: Answers) -> Layer:
    """Give the answers that take this disk and give up what it holds, over whatever was said before."""
    given: Any = getattr(answers.sections.get("storage"), "consent", ())
    rule = disk_rule(disk)
    storage = {"disk": rule, "consent": [*given, *(disk.identities[:1])]}
    return Layer(Precedence.SCREEN, {"storage": storage}, "what was typed")


def name_to_type(layout: Layout | None, inventory: Inventory) -> str:
    """Give the word that consents to a layout's disk, "" where there is no layout."""
    disk = inventory.disk(layout.disk.node) if layout else None
    if disk is None:
        return ""
    return disk.identities[0] if disk.identities else disk.node


def disk_rule(disk: Disk) -> dict[str, str]:
    """Give the rule of `storage.disk` that means this very disk."""
    if disk.serial:
        return {"serial": disk.serial}
    if disk.wwn:
        return {"wwn": disk.wwn}
    return {"by_id": disk.by_id[0]} if disk.by_id else {"node": disk.node}


def _folded(words: tuple[str, ...]) -> set[str]:
    return {word.casefold() for word in words}
