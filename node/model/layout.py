"""What stands where on the node's disk: the roles, and a layout resolved to bytes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid5


class Role(StrEnum):
    """What a partition is for; the value is its GPT label, and the order here that on the disk."""

    BIOS_GRUB = "BIOS-GRUB"
    ESP = "ESP"
    BOOT = "BOOT"
    ROOT_A = "ROOT-A"
    ROOT_B = "ROOT-B"
    SWAP = "SWAP"
    CONFIG = "CONFIG"
    LOGGING = "LOGGING"
    DATA = "DATA"


KEPT_ON_REINSTALL = frozenset({Role.CONFIG, Role.LOGGING, Role.DATA})

# GPT type GUIDs. BIOS boot: GRUB's manual; ESP: UEFI 2.10, 5.3.3; XBOOTLDR and swap: the UAPI group's
# Discoverable Partitions Specification; the others are ours, so that no other system mounts them by itself.
TYPE_UUIDS: dict[Role, UUID] = {
    Role.BIOS_GRUB: UUID("21686148-6449-6e6f-744e-656564454649"),
    Role.ESP: UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b"),
    Role.BOOT: UUID("bc13c2ff-59e6-4262-a352-b275fd6f7172"),
    Role.ROOT_A: UUID("8d1f4a39-5f3c-4e5a-9d0b-6e6f64650000"),
    Role.ROOT_B: UUID("8d1f4a39-5f3c-4e5a-9d0b-6e6f64650000"),
    Role.SWAP: UUID("0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"),
    Role.CONFIG: UUID("8d1f4a39-5f3c-4e5a-9d0b-6e6f64650001"),
    Role.LOGGING: UUID("8d1f4a39-5f3c-4e5a-9d0b-6e6f64650002"),
    Role.DATA: UUID("8d1f4a39-5f3c-4e5a-9d0b-6e6f64650003"),
}


@dataclass(frozen=True)
class DiskIdentity:
    """What a disk must still be just before the first write: its node, size, sector size and names."""

    node: str
    size: int
    sector_size: int
    serial: str
    wwn: str
    model: str

    def __str__(self) -> str:
        """`/dev/vda (serial ABC)`, or the model or the size where there is no serial."""
        name = f"serial {self.serial}" if self.serial else f"WWN {self.wwn}" if self.wwn else "no serial"
        return f"{self.node} ({name})"


@dataclass(frozen=True)
class PlannedPartition:
    """A partition of the layout. `start` and `size` in bytes, both multiples of 1 MiB.

    `filesystem` is `vfat`, `ext4`, `xfs`, `swap` or "" (raw); `keep` says that its contents stay.
    """

    role: Role
    number: int
    start: int
    size: int
    uuid: UUID
    filesystem: str = ""
    filesystem_uuid: str = ""
    keep: bool = False

    @property
    def label(self) -> str:
        """The GPT partition name and the filesystem's label."""
        return self.role.value

    @property
    def type_uuid(self) -> UUID:
        """The GPT type of the role."""
        return TYPE_UUIDS[self.role]


@dataclass(frozen=True)
class Layout:
    """A disk with its partitions, in the order of the disk. Every identifier is known before any write."""

    disk: DiskIdentity
    table_uuid: UUID
    partitions: tuple[PlannedPartition, ...]

    def get(self, role: Role) -> PlannedPartition | None:
        """Give the partition of a role, if the layout has it."""
        return next((p for p in self.partitions if p.role is role), None)

    def node_of(self, partition: PlannedPartition) -> str:
        """Give the partition's device node: /dev/sda1, /dev/nvme0n1p1, /dev/loop0p1."""
        return partition_node(self.disk.node, partition.number)

    @property
    def keeps(self) -> bool:
        """Whether any partition's contents stay."""
        return any(p.keep for p in self.partitions)


def partition_node(disk_node: str, number: int) -> str:
    """Name partition `number` of a disk as the kernel does (a `p` after a final digit)."""
    return f"{disk_node}p{number}" if disk_node[-1].isdigit() else f"{disk_node}{number}"


def identifier(install_id: UUID, name: str) -> UUID:
    """Derive an identifier of one installation, so that planning stays a pure function."""
    return uuid5(install_id, name)
