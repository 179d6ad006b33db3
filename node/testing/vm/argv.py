"""A machine's QEMU command line: pure, so that tests compare it with golden values.

What each odd option is for: measured with QEMU 7.2 and OVMF 2022.11.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from node.testing.vm.accel import Accel
from node.testing.vm.spec import BootFrom, Bus, Disk, Firmware, MachineSpec, Nic, TapNetwork

QEMU = "qemu-system-x86_64"


@dataclass(frozen=True, kw_only=True)
class MachineFiles:
    """Where a machine's files are. ``sockets`` is short: a socket's path has 107 bytes at most."""

    folder: Path
    sockets: Path
    firmware_code: Path | None = None

    @property
    def monitor(self) -> Path:
        """QMP's socket."""
        return self.sockets / "qmp"

    @property
    def pidfile(self) -> Path:
        """QEMU's process id, written by QEMU."""
        return self.folder / "qemu.pid"

    @property
    def firmware_variables(self) -> Path:
        """UEFI variables of this machine alone."""
        return self.folder / "variables.qcow2"

    @property
    def stick(self) -> Path:
        """What the guest writes to the USB stick."""
        return self.folder / "stick.qcow2"

    @property
    def snapshots(self) -> Path:
        """Keeps the memory of snapshots, so that a machine without disks can have them too."""
        return self.folder / "snapshots.qcow2"

    def disk(self, disk: Disk) -> Path:
        """The disk's qcow2 file."""
        return self.folder / f"{disk.serial}.qcow2"

    def write_log(self, disk: Disk) -> Path:
        """All writes to the disk since the machine was started."""
        return self.folder / f"{disk.serial}.writes"

    def serial_socket(self, index: int) -> Path:
        """The socket of serial line ``index``."""
        return self.sockets / f"ttyS{index}"

    def serial_log(self, index: int) -> Path:
        """All that serial line ``index`` ever said, escape codes included."""
        return self.folder / f"ttyS{index}.log"


def qemu_argv(spec: MachineSpec, files: MachineFiles, accel: Accel) -> tuple[str, ...]:
    """The command line that starts ``spec`` with ``files``; the files are expected to be there."""
    return (
        *_prefix(spec),
        QEMU,
        *_board(spec, files, accel),
        *_lines(spec, files),
        *_drives(spec, files),
        *_network(spec),
        *spec.extra_arguments,
    )


def writable_nodes(spec: MachineSpec) -> tuple[str, ...]:
    """Names of the block nodes that a snapshot has to hold."""
    nodes = ["snapshots"]
    if spec.firmware.is_uefi:
        nodes.append("variables")
    if spec.usb_stick:
        nodes.append("stick")
    return (*nodes, *(f"disk-{disk.serial}" for disk in spec.disks))


def _prefix(spec: MachineSpec) -> Iterator[str]:
    namespaces = {nic.network.namespace for nic in spec.nics if isinstance(nic.network, TapNetwork)}
    if len(namespaces) > 1:
        raise ValueError(f"QEMU runs in one network namespace, not in {', '.join(sorted(namespaces))}")
    for namespace in namespaces:
        yield from ("ip", "netns", "exec", namespace)


def _board(spec: MachineSpec, files: MachineFiles, accel: Accel) -> Iterator[str]:
    board = "q35" if spec.firmware.is_uefi else "pc"
    if spec.firmware is Firmware.SECURE_BOOT:
        board += ",smm=on"
    if spec.firmware.is_uefi:
        board += ",pflash0=code,pflash1=variables"
    # graphics=off puts SeaBIOS, iPXE, pxelinux and GRUB on the serial line; OVMF does so by itself.
    yield from ("-machine", f"{board},graphics=off")
    if accel is Accel.KVM:
        yield from ("-accel", "kvm", "-cpu", "host")
    else:
        # With ERMS the kernel clears pages by rep stosb, which TCG runs byte by byte: a third of a boot.
        yield from ("-accel", "tcg,thread=multi", "-cpu", "max,-erms,-fsrm")
    yield from ("-m", str(spec.memory_mib), "-smp", str(spec.cpus))
    yield from ("-nodefaults", "-vga", "std", "-display", "none")
    yield from ("-pidfile", str(files.pidfile))
    yield from ("-chardev", f"socket,id=qmp,path={_escaped(files.monitor)},server=on,wait=off")
    yield from ("-mon", "chardev=qmp,mode=control")
    if spec.firmware.is_uefi:
        if files.firmware_code is None:
            raise ValueError("a UEFI machine needs firmware_code")
        yield from _blockdev("code", files.firmware_code, driver="raw", read_only=True)
        yield from _blockdev("variables", files.firmware_variables)
    if spec.firmware is Firmware.SECURE_BOOT:
        yield from ("-global", "driver=cfi.pflash01,property=secure,value=on")
    if BootFrom.HTTP in spec.boot:
        # Otherwise HTTP Boot starts only after PXE's time-outs, at 75 s.
        for protocol in ("IPv4PXESupport", "IPv6PXESupport"):
            yield from ("-fw_cfg", f"name=opt/org.tianocore/{protocol},string=no")


def _lines(spec: MachineSpec, files: MachineFiles) -> Iterator[str]:
    for index in range(2 if spec.debug_serial else 1):
        yield from (
            "-chardev",
            f"socket,id=ttyS{index},path={_escaped(files.serial_socket(index))},server=on,wait=off,"
            f"logfile={_escaped(files.serial_log(index))},logappend=on",
            "-serial",
            f"chardev:ttyS{index}",
        )


def _drives(spec: MachineSpec, files: MachineFiles) -> Iterator[str]:
    yield from _blockdev("snapshots", files.snapshots)
    if spec.cdrom or any(disk.bus is Bus.SATA for disk in spec.disks):
        yield from ("-device", "ich9-ahci,id=sata")
    if spec.usb_stick or any(disk.bus is Bus.USB for disk in spec.disks):
        yield from ("-device", "qemu-xhci,id=usb")
    sata_port = 0
    if spec.cdrom:
        yield from _blockdev("cdrom", spec.cdrom, driver="raw", read_only=True)
        yield from _device("ide-cd,bus=sata.0,drive=cdrom", spec.boot_index(BootFrom.CD))
        sata_port = 1
    if spec.usb_stick:
        yield from _blockdev("stick", files.stick)
        yield from _device(
            "usb-storage,bus=usb.0,drive=stick,removable=on,serial=STICK", spec.boot_index(BootFrom.USB)
        )
    first_disk = spec.boot_index(BootFrom.DISK)
    for number, disk in enumerate(spec.disks):
        node = f"disk-{disk.serial}"
        yield from _blockdev(node, files.disk(disk))
        if disk.write_log:
            yield from _write_log(node, files.write_log(disk))
            node = f"logged-{node}"
        sectors = f"logical_block_size={disk.sector_bytes},physical_block_size={disk.sector_bytes}"
        match disk.bus:
            case Bus.VIRTIO:
                device = f"virtio-blk-pci,drive={node},serial={disk.serial},{sectors}"
            case Bus.NVME:
                device = f"nvme,drive={node},serial={disk.serial},{sectors}"
            case Bus.USB:
                device = f"usb-storage,bus=usb.0,drive={node},serial={disk.serial},{sectors}"
            case Bus.SATA:
                device = f"ide-hd,bus=sata.{sata_port},drive={node},serial={disk.serial}"
                sata_port += 1
        # All disks follow one another in the boot order, as in most firmware's menus.
        yield from _device(device, first_disk * 10 + number if first_disk else None)


def _network(spec: MachineSpec) -> Iterator[str]:
    if not spec.nics:
        yield from ("-nic", "none")
    for number, nic in enumerate(spec.nics):
        yield from ("-netdev", _netdev(f"net{number}", nic))
        index = (spec.boot_index(BootFrom.PXE) or spec.boot_index(BootFrom.HTTP)) if number == 0 else None
        rom = "" if nic.option_rom and index else ",romfile="
        # A bond by 802.3ad takes no port whose speed it isn't told.
        speed = ",speed=1000,duplex=full" if nic.model == "virtio-net-pci" else ""
        yield from _device(f"{nic.model},netdev=net{number},mac={nic.mac}{speed}{rom}", index)


def _netdev(name: str, nic: Nic) -> str:
    if isinstance(nic.network, TapNetwork):
        return f"tap,id={name},ifname={nic.network.interface},script=no,downscript=no"
    options = [f"user,id={name}"]
    if nic.network.tftp_root:
        options.append(f"tftp={_escaped(nic.network.tftp_root)}")
    if nic.network.bootfile:
        options.append(f"bootfile={_escaped(nic.network.bootfile)}")
    if nic.network.ssh:
        # Port 0: the kernel chooses a free one, the monitor's "info usernet" tells which.
        options.append("hostfwd=tcp:127.0.0.1:0-:22")
    return ",".join(options)


def _blockdev(node: str, path: Path, *, driver: str = "qcow2", read_only: bool = False) -> tuple[str, str]:
    mode = "on" if read_only else "off"
    cache = "" if read_only else ",file.discard=unmap,discard=unmap"
    return (
        "-blockdev",
        f"driver={driver},node-name={node},read-only={mode},file.driver=file,file.filename={_escaped(path)}"
        f",file.read-only={mode}{cache}",
    )


def _write_log(node: str, log: Path) -> tuple[str, str]:
    return (
        "-blockdev",
        f"driver=blklogwrites,node-name=logged-{node},file={node},log.driver=file,"
        f"log.filename={_escaped(log)},discard=unmap",
    )


def _device(device: str, boot_index: int | None) -> tuple[str, str]:
    return "-device", device if boot_index is None else f"{device},bootindex={_index(boot_index)}"


def _index(place: int) -> int:
    # Room for the disks between two places: they take place * 10 + their number.
    return place if place >= 10 else place * 10


def _escaped(value: Path | str) -> str:
    return str(value).replace(",", ",,")
