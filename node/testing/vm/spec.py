"""What a virtual machine is made of: frozen values, no effects."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

MIB = 1024**2
GIB = 1024**3


class Firmware(StrEnum):
    """What starts the machine. SECURE_BOOT is UEFI with Microsoft's keys enrolled and enforced."""

    BIOS = "bios"
    UEFI = "uefi"
    SECURE_BOOT = "secureboot"

    @property
    def is_uefi(self) -> bool:
        """Whether OVMF starts the machine, rather than SeaBIOS."""
        return self is not Firmware.BIOS


class BootFrom(StrEnum):
    """One entry of the boot order. PXE and HTTP are both the first NIC, by another protocol."""

    PXE = "pxe"
    HTTP = "http"
    CD = "cd"
    USB = "usb"
    DISK = "disk"


class Bus(StrEnum):
    """How a disk is attached, which gives it its name in the guest: vda, sda, nvme0n1, sda."""

    VIRTIO = "virtio"
    SATA = "sata"
    NVME = "nvme"
    USB = "usb"


@dataclass(frozen=True, kw_only=True)
class Disk:
    """A disk, made when the machine is started for the first time in its folder.

    Blank, or a copy of the qcow2 file ``begin_as`` that holds only what differs from it; that file must stay
    as it is. With ``write_log`` each write and flush is logged from the machine's start on, for
    ``node.testing.vm.write_log``. ``serial`` names the file as well, so it is unique in a machine. Virtio
    cuts serials at 20 characters.
    """

    serial: str
    size_bytes: int = 16 * GIB
    bus: Bus = Bus.VIRTIO
    sector_bytes: int = 512
    begin_as: Path | None = None
    write_log: bool = False

    def __post_init__(self) -> None:
        if not self.serial.isalnum() or len(self.serial) > 20:
            raise ValueError(f"disk serial {self.serial!r}: 1 to 20 letters and digits are wanted")
        if self.sector_bytes not in (512, 4096):
            raise ValueError(f"disk {self.serial}: {self.sector_bytes} bytes a sector, not 512 or 4096")
        if self.sector_bytes == 4096 and self.bus is Bus.SATA:
            raise ValueError(f"disk {self.serial}: QEMU's SATA disks have sectors of 512 bytes only")


@dataclass(frozen=True, kw_only=True)
class UserNetwork:
    """QEMU's own network: no root needed, the host is 10.0.2.2, DHCP and TFTP are built in.

    ``bootfile`` is a path below ``tftp_root`` or, for iPXE, an http:// URL. ``ssh`` forwards a free port of
    127.0.0.1 to the guest's port 22.
    """

    tftp_root: Path | None = None
    bootfile: str | None = None
    ssh: bool = True


@dataclass(frozen=True, kw_only=True)
class TapNetwork:
    """A tap device in a network namespace, where a real DHCP server can answer (root only).

    Those of one ``DhcpNamespace`` are ports of one switch.
    """

    namespace: str
    interface: str


@dataclass(frozen=True, kw_only=True)
class Nic:
    """A network card. Without ``option_rom`` there is no iPXE: OVMF's own PXE and HTTP stack is used."""

    network: UserNetwork | TapNetwork
    mac: str = "52:54:00:00:00:01"
    model: str = "virtio-net-pci"
    option_rom: bool = True


@dataclass(frozen=True, kw_only=True)
class MachineSpec:
    """A whole machine. ``cdrom`` and ``usb_stick`` are read; what the guest writes to a stick is lost."""

    firmware: Firmware = Firmware.BIOS
    boot: tuple[BootFrom, ...] = (BootFrom.DISK,)
    memory_mib: int = 1024
    cpus: int = 1
    disks: tuple[Disk, ...] = ()
    nics: tuple[Nic, ...] = ()
    cdrom: Path | None = None
    usb_stick: Path | None = None
    #: A second serial line, for a root shell that the kernel argument systemd.debug_shell=ttyS1 opens.
    debug_serial: bool = False
    extra_arguments: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        serials = [disk.serial for disk in self.disks]
        if len(set(serials)) != len(serials):
            raise ValueError(f"two disks with one serial: {', '.join(serials)}")
        if len(set(self.boot)) != len(self.boot):
            raise ValueError(f"a boot order names something twice: {', '.join(self.boot)}")
        if {BootFrom.PXE, BootFrom.HTTP} <= set(self.boot):
            raise ValueError("the firmware tries PXE or HTTP, not both: its PXE is switched off for HTTP")
        if BootFrom.HTTP in self.boot and not self.firmware.is_uefi:
            raise ValueError("HTTP Boot is UEFI's")
        wants = {
            BootFrom.CD: self.cdrom,
            BootFrom.USB: self.usb_stick,
            BootFrom.PXE: self.nics,
            BootFrom.HTTP: self.nics,
            BootFrom.DISK: self.disks,
        }
        for source in self.boot:
            if not wants[source]:
                raise ValueError(f"the boot order names {source}, and the machine has none")
        if self.firmware is Firmware.BIOS and BootFrom.PXE in self.boot and not self.nics[0].option_rom:
            raise ValueError("under BIOS the card's option ROM is what boots over PXE")

    def boot_index(self, source: BootFrom) -> int | None:
        """Place in the boot order, from 1; None where the machine doesn't boot from it."""
        return self.boot.index(source) + 1 if source in self.boot else None
