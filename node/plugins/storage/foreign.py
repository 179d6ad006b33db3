"""What belongs to another system and must not be written over without a word of consent."""

from __future__ import annotations

from node.model.inventory import Disk
from node.model.problem import Blame, Problem
from node.plugins.storage.choice import describe

# What else is lost, beyond this disk, when a member of it is written over.
_MEANING = {
    "lvm": "is a physical volume of LVM; its volume group may span other disks",
    "md": "is a member of a Linux RAID; the array loses its redundancy or its data",
    "raid": "is a member of a firmware RAID; the controller's set may span other disks",
    "zfs": "belongs to a ZFS pool, which may span other disks",
    "vmfs": "holds a VMware datastore, which other hosts may be using now",
    "ceph": "holds a Ceph OSD; a cluster counts on its data",
    "luks": "is encrypted, so nobody can see what it holds",
    "multipath": "is one path to a disk that other hosts may reach",
    "btrfs": "belongs to a Btrfs filesystem, which may span other disks",
    "bcache": "is part of a bcache set with another disk",
    "drbd": "is a DRBD replica with a peer",
}


def foreign(disk: Disk) -> list[Problem]:
    """Give a problem for each thing on a disk that reaches beyond it; a consent to the disk lifts them."""
    problems = []
    for holding in disk.contents.holdings:
        # A label stands in quotes behind the format's name; what its owner called it says nothing.
        name, _, _label = holding.detail.partition('"')
        words = f"{holding.kind} {name}".lower()
        meaning = next((text for key, text in _MEANING.items() if key in words), "")
        if not meaning:
            continue
        place = holding.node or disk.node
        detail = f" ({holding.detail})" if holding.detail else ""
        problems.append(
            Problem(
                code="disk-foreign",
                where=describe(disk),
                what=f"{place} {meaning}{detail}",
                mend="Take it out of use there first, or consent to this disk by serial, WWN or by-id",
                owner="storage",
                blame=Blame.MACHINE,
            )
        )
    return problems
