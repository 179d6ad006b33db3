"""How much room each role needs at least, wants, and may take: pure arithmetic on the machine's figures."""

from __future__ import annotations

from dataclasses import dataclass

from node.model.inventory import Inventory
from node.model.layout import KEPT_ON_REINSTALL, Role
from node.model.problem import Problem
from node.model.size import GIB, MIB, format_size
from node.plugins.storage.answers import REST, StorageAnswers

_SWAP_CAP = 8 * GIB  # beyond it swap only makes a machine that is out of memory slower to die
_LOGGING_CAP = 8 * GIB
_ESP_SIZE = 512 * MIB
# FAT32 wants 65,525 clusters at least (Microsoft's FAT specification, 3.5) and a cluster is a sector at
# least: 32 MiB and 256 MiB of clusters, and the tables beside them.
_ESP_LEAST = {512: 64 * MIB, 4096: 300 * MIB}


@dataclass(frozen=True)
class Need:
    """Bytes for one role: `least` it can live with, `wanted` on a disk with room, `share` of what is left.

    `share` is a fraction of the room beyond everyone's `wanted`, `cap` what the role takes of it at most
    (None: no limit). `fixed` says that the answers gave the size.
    """

    role: Role
    least: int
    wanted: int
    share: float = 0.0
    cap: int | None = None
    fixed: bool = False


def needs(inventory: Inventory, storage: StorageAnswers, sector_size: int) -> tuple[Need, ...]:
    """Give what each role to be made needs, in the order of the disk; swap of 0 is none at all."""
    roles = [role for role in Role if role in storage.roles]
    if storage.keep:
        roles = [role for role in roles if role not in KEPT_ON_REINSTALL]
    found = []
    for role in roles:
        need = _usual(role, inventory, sector_size)
        asked = storage.sizes.of(role)
        if asked == 0 and role is Role.SWAP:
            continue
        if asked == REST:
            need = Need(role, need.least, need.wanted, share=1.0)
        elif asked is not None:
            need = Need(role, up(asked), up(asked), fixed=True)
        found.append(need)
    if any(storage.sizes.of(need.role) == REST for need in found):
        greedy = {need.role for need in found if storage.sizes.of(need.role) == REST}
        found = [n if n.role in greedy or n.fixed else Need(n.role, n.least, n.wanted) for n in found]
    return tuple(found)


def too_small_sizes(inventory: Inventory, storage: StorageAnswers, sector_size: int) -> tuple[Problem, ...]:
    """Name each size of the answers that its role can't live with."""
    problems = []
    for need in needs(inventory, storage, sector_size):
        least = _usual(need.role, inventory, sector_size).least
        if need.fixed and need.least < least and need.role is not Role.ROOT_B:
            key = "root" if need.role is Role.ROOT_A else need.role.value.lower()
            problems.append(
                Problem(
                    code="size-too-small",
                    where=f"storage.sizes.{key}",
                    what=f"{need.role} needs {format_size(least)} at least, not {format_size(need.least)}",
                    mend=f"Give {format_size(least)} or more, or leave it out",
                    owner="storage",
                )
            )
    return tuple(problems)


def up(size: int) -> int:
    """Round up to whole MiB, on which every partition starts and ends."""
    return -(-size // MIB) * MIB


def _usual(role: Role, inventory: Inventory, sector_size: int) -> Need:
    image = inventory.image
    kernels = up(image.kernel_size + image.initrd_size)
    swap = min(_SWAP_CAP, max(512 * MIB, up(inventory.memory)))
    root_least = max(256 * MIB, up(image.size + image.size // 8))
    table = {
        Role.BIOS_GRUB: Need(role, MIB, MIB),
        Role.ESP: Need(role, _ESP_LEAST.get(sector_size, _ESP_LEAST[4096]), _ESP_SIZE),
        # Two slots' kernels, a third while one is replaced, and GRUB's modules.
        Role.BOOT: Need(role, max(256 * MIB, 3 * kernels + 64 * MIB), max(GIB, 3 * kernels + 64 * MIB)),
        Role.ROOT_A: Need(role, root_least, max(GIB, root_least, up(3 * image.size))),
        Role.ROOT_B: Need(role, root_least, max(GIB, root_least, up(3 * image.size))),
        Role.SWAP: Need(role, 128 * MIB, swap),
        Role.CONFIG: Need(role, 64 * MIB, 256 * MIB),
        Role.LOGGING: Need(role, 128 * MIB, GIB, share=0.1, cap=_LOGGING_CAP),
        Role.DATA: Need(role, 256 * MIB, GIB, share=1.0),
    }
    return table[role]
