"""What can be wrong with an arrangement that the arithmetic itself doesn't see."""

from __future__ import annotations

import re

from node.model.consent import bare_name
from node.model.inventory import Disk, Inventory
from node.model.layout import KEPT_ON_REINSTALL, Role
from node.model.problem import Blame, Problem, Severity
from node.plugins.storage.answers import StorageAnswers
from node.plugins.storage.choice import describe
from node.plugins.storage.needs import too_small_sizes

_KERNEL_NAME = re.compile(r"(/dev/)?((s|h|v|xv)d[a-z]+|nvme\d+n\d+|mmcblk\d+|loop\d+|md\d+|dm-\d+|pmem\d+)")


def check(disk: Disk, inventory: Inventory, storage: StorageAnswers) -> tuple[Problem, ...]:
    """Name every problem of the chosen disk with these answers."""
    return (
        *_sectors(disk, inventory, storage),
        *_roles(inventory, storage),
        *too_small_sizes(inventory, storage, disk.sector_size),
        *_kept_sizes(storage),
    )


def check_consent(storage: StorageAnswers, inventory: Inventory) -> tuple[Problem, ...]:
    """Name each consent that names no disk for good: a kernel name, or one that no disk here answers to."""
    known = {name.casefold() for disk in inventory.disks for name in disk.identities}
    problems = []
    for text in storage.consent:
        if bare_name(text).casefold() in known:
            continue
        if _KERNEL_NAME.fullmatch(text.strip()) or text.startswith("/dev/disk/by-path/"):
            problems.append(
                Problem(
                    code="consent-kernel-name",
                    where="storage.consent",
                    what=f"'{text}' may be another disk at the next boot, so it is no consent",
                    mend="Name the disk by serial, WWN or by-id (`nodectl inventory` shows them)",
                    owner="storage",
                )
            )
        else:
            problems.append(
                Problem(
                    code="consent-unmatched",
                    where="storage.consent",
                    what=f"no disk of this machine is '{text}'",
                    mend="Nothing to do where the answers serve several machines",
                    owner="storage",
                    severity=Severity.WARNING,
                )
            )
    return tuple(problems)


def _sectors(disk: Disk, inventory: Inventory, storage: StorageAnswers) -> list[Problem]:
    if disk.sector_size == 512 or Role.ROOT_A not in storage.roles:
        return []
    if inventory.firmware.kind == "uefi" and disk.sector_size == 4096:
        return []
    mend = "Let the machine boot by UEFI, or take a disk of 512-byte sectors"
    return [
        Problem(
            code="sector-size",
            where=describe(disk),
            what=f"its sectors have {disk.sector_size} bytes, and no"
            f" {inventory.firmware.kind.upper()} starts from such a disk",
            mend=mend,
            owner="storage",
            blame=Blame.MACHINE,
        )
    ]


def _roles(inventory: Inventory, storage: StorageAnswers) -> list[Problem]:
    roles = set(storage.roles)
    loader = Role.ESP if inventory.firmware.kind == "uefi" else Role.BIOS_GRUB
    found: list[tuple[str, str, Severity]] = []
    if Role.ROOT_B in roles and Role.ROOT_A not in roles:
        found.append(("roles-incomplete", "ROOT-B is no use without ROOT-A", Severity.ERROR))
    if Role.ROOT_A in roles:
        missing = [role.value for role in (loader, Role.BOOT) if role not in roles]
        if missing:
            what = f"ROOT-A can't be started on this machine without {' and '.join(missing)}"
            found.append(("roles-incomplete", what, Severity.ERROR))
        if Role.CONFIG not in roles:
            what = "without CONFIG the node keeps no configuration and can't tell that it is installed"
            found.append(("no-config", what, Severity.WARNING))
    return [
        Problem(
            code=code,
            where="storage.roles",
            what=what,
            mend="Add it to storage.roles, or leave storage.roles out",
            owner="storage",
            severity=severity,
        )
        for code, what, severity in found
    ]


def _kept_sizes(storage: StorageAnswers) -> list[Problem]:
    if not storage.keep:
        return []
    asked = [r for r in Role if r in KEPT_ON_REINSTALL and storage.sizes.of(r) is not None]
    return [
        Problem(
            code="size-kept",
            where=f"storage.sizes.{role.value.lower()}",
            what=f"{role} is kept as it is, so its size can't be chosen",
            mend="Leave it out, or leave storage.keep out",
            owner="storage",
        )
        for role in asked
    ]
