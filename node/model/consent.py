"""What names a disk in a consent to its loss: a serial, WWN or by-id, in any case where that is clear."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.model.inventory import Disk


@dataclass(frozen=True)
class Consents:
    """The names given that mean one disk: `own` mean no other, `shared` mean another as well."""

    own: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()


def consents_to(disk: Disk, given: Iterable[object], disks: Iterable[Disk]) -> Consents:
    """Sort out which of the names given mean this disk, of all `disks` of the machine.

    A name as the disk has it counts first. In another case it counts where no other disk has it in any case:
    serial numbers are copied from labels and by other programs' rules.
    """
    others = {name for other in disks if other.node != disk.node for name in other.identities}
    folded = {name.casefold() for name in others}
    mine = set(disk.identities)
    own: set[str] = set()
    shared: set[str] = set()
    for text in given:
        name = bare_name(text)
        if name in mine:
            (shared if name in others else own).add(name)
        elif name not in others and name.casefold() in {each.casefold() for each in mine}:
            (shared if name.casefold() in folded else own).add(name)
    return Consents(frozenset(own), frozenset(shared))


def bare_name(text: object) -> str:
    """Give a name without the folder of by-id names."""
    return str(text).strip().removeprefix("/dev/disk/by-id/")
