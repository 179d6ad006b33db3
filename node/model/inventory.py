"""Everything we know about a machine: probed once, saved as JSON, the planner's second argument."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class Finding(StrEnum):
    """What is known of a disk's contents. Unknown is treated like data, never like empty."""

    EMPTY = "empty"
    HOLDS = "holds"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Holding:
    """One thing found on a disk: kind (`partition table`, `filesystem`, `lvm`, `md`, `zfs`, ...) in words."""

    kind: str
    detail: str = ""
    node: str = ""


@dataclass(frozen=True)
class Contents:
    """What a disk holds; `why` says what kept us from reading it."""

    finding: Finding
    holdings: tuple[Holding, ...] = ()
    why: str = ""


EMPTY = Contents(Finding.EMPTY)


@dataclass(frozen=True)
class Partition:
    """A partition as the table on the disk has it. Sizes in bytes; `label` is the GPT partition name."""

    number: int
    node: str
    start: int
    size: int
    type_uuid: str = ""
    uuid: str = ""
    label: str = ""
    filesystem: str = ""
    filesystem_label: str = ""
    filesystem_uuid: str = ""


@dataclass(frozen=True)
class Disk:
    """A whole disk. Sizes in bytes; `by_id` and `by_path` are names below /dev/disk without the folder.

    `transport` is `virtio`, `sata`, `sas`, `nvme`, `usb`, `scsi`, `mmc` ...; `users` are mount points,
    swaps and holders that use it now.
    """

    name: str
    node: str
    size: int
    sector_size: int = 512
    physical_sector_size: int = 512
    model: str = ""
    vendor: str = ""
    serial: str = ""
    wwn: str = ""
    by_id: tuple[str, ...] = ()
    by_path: tuple[str, ...] = ()
    transport: str = ""
    rotational: bool | None = None
    removable: bool = False
    read_only: bool = False
    boot_medium: bool = False
    table: str = ""
    table_uuid: str = ""
    partitions: tuple[Partition, ...] = ()
    contents: Contents = EMPTY
    users: tuple[str, ...] = ()

    @property
    def identities(self) -> tuple[str, ...]:
        """What may name this disk in a consent: serial, WWN and by-id, never a kernel name."""
        return tuple(name for name in (self.serial, self.wwn, *self.by_id) if name)


@dataclass(frozen=True)
class Nic:
    """A physical network card. `link` and `speed_mbps` are None where the driver can't tell."""

    name: str
    mac: str
    permanent_mac: str = ""
    driver: str = ""
    model: str = ""
    link: bool | None = None
    speed_mbps: int | None = None
    addresses: tuple[str, ...] = ()
    bus_path: str = ""


@dataclass(frozen=True)
class Cpu:
    """Processors; `flags` are /proc/cpuinfo's."""

    model: str = ""
    vendor: str = ""
    sockets: int = 0
    cores: int = 0
    threads: int = 0
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Firmware:
    """How the machine boots and what it says of itself (SMBIOS)."""

    kind: str = "bios"
    secure_boot: bool | None = None
    product_uuid: str = ""
    vendor: str = ""
    product: str = ""
    serial: str = ""
    version: str = ""


@dataclass(frozen=True)
class Virtualization:
    """Whether it can host VMs (`hardware`: vmx, svm or "") and whether it is one itself (`guest_of`)."""

    hardware: str = ""
    kvm: bool = False
    guest_of: str = ""
    libvirt: str = ""


@dataclass(frozen=True)
class BootImage:
    """The image that runs now: /run/node/image.json, `path` being the squashfs it runs from.

    `append` is the kickstart's `bootloader --append`, from the image's own /usr/lib/nodecrust/image.json.
    """

    source: str = ""
    location: str = ""
    sha256: str = ""
    size: int = 0
    path: str = ""
    device: str = ""
    name: str = ""
    version: str = ""
    kernel: str = ""
    kernel_size: int = 0
    initrd_size: int = 0
    append: str = ""


@dataclass(frozen=True)
class Installation:
    """A Nodecrust installation found on a disk (its node). `done` holds the reinstall IDs recorded as done.

    `complete` says that CONFIG records a finished install and that BOOT has what slot `slot` boots from; of a
    node that runs from the network, whose disk has no root on purpose, the record is enough.
    """

    disk: str
    install_id: str = ""
    done: tuple[str, ...] = ()
    image_version: str = ""
    slot: str = "a"
    complete: bool = False
    hostname: str = ""


@dataclass(frozen=True)
class Unknown:
    """A part of the inventory that could not be read, and why."""

    where: str
    why: str


@dataclass(frozen=True)
class Inventory:
    """A machine. `facts` holds what plugins added, each under its own name.

    `consoles` are the values of the running kernel's `console=` arguments, in order.
    """

    format: int = 1
    hostname: str = ""
    architecture: str = "x86_64"
    cpu: Cpu = Cpu()
    memory: int = 0
    firmware: Firmware = Firmware()
    virtualization: Virtualization = Virtualization()
    disks: tuple[Disk, ...] = ()
    nics: tuple[Nic, ...] = ()
    image: BootImage = BootImage()
    installations: tuple[Installation, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    consoles: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    def disk(self, node: str) -> Disk | None:
        """Give the disk with this device node, if it is there."""
        return next((disk for disk in self.disks if disk.node == node), None)

    def partitions(self) -> Iterator[tuple[Disk, Partition]]:
        """Give every partition with its disk."""
        for disk in self.disks:
            for partition in disk.partitions:
                yield disk, partition

    def to_json(self) -> str:
        """Give this inventory as JSON; `from_json` reads it back equal."""
        return _adapter().dump_json(self, indent=2).decode()


@cache
def _adapter() -> TypeAdapter[Inventory]:
    """Make it when it is first asked for: it takes 50 ms, and a start of a node reads no inventory."""
    # Pydantic itself too takes its time, and everything imports this module.
    from pydantic import TypeAdapter  # noqa: PLC0415

    return TypeAdapter(Inventory)


def from_json(text: str | bytes) -> Inventory:
    """Read what `to_json` wrote; pydantic's ValidationError where it is not an inventory."""
    return _adapter().validate_json(text)
