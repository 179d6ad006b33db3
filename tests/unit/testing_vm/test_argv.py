"""The command line of every kind of machine, against golden values."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from node.testing.vm import (
    Accel,
    BootFrom,
    Bus,
    Disk,
    Firmware,
    MachineSpec,
    Nic,
    TapNetwork,
    UserNetwork,
)
from node.testing.vm.argv import MachineFiles, qemu_argv, writable_nodes

FILES = MachineFiles(
    folder=Path("/machine"), sockets=Path("/sockets"), firmware_code=Path("/ovmf/OVMF_CODE_4M.fd")
)
ALPHA = Disk(serial="ALPHA")
PXE = Nic(network=UserNetwork(tftp_root=Path("/pxe"), bootfile="boot.ipxe"))
SPECS = {
    "bios-pxe": MachineSpec(
        boot=(BootFrom.PXE, BootFrom.DISK), disks=(ALPHA,), nics=(PXE,), debug_serial=True
    ),
    "uefi-http": MachineSpec(
        firmware=Firmware.UEFI,
        boot=(BootFrom.HTTP,),
        disks=(Disk(serial="FOURK", bus=Bus.NVME, sector_bytes=4096),),
        nics=(Nic(network=TapNetwork(namespace="vm1", interface="vmtap0"), option_rom=False),),
    ),
    "secureboot-pxe": MachineSpec(
        firmware=Firmware.SECURE_BOOT,
        boot=(BootFrom.PXE, BootFrom.DISK),
        disks=(ALPHA,),
        nics=(Nic(network=UserNetwork(tftp_root=Path("/a,b")), option_rom=False),),
    ),
    "bios-media": MachineSpec(
        boot=(BootFrom.CD, BootFrom.USB, BootFrom.DISK),
        disks=(Disk(serial="SATA", bus=Bus.SATA), Disk(serial="KEY", bus=Bus.USB), ALPHA),
        cdrom=Path("/node.iso"),
        usb_stick=Path("/node.iso"),
        memory_mib=768,
        cpus=2,
    ),
    "write-log": MachineSpec(
        disks=(Disk(serial="ALPHA", begin_as=Path("/installed.qcow2"), write_log=True),),
        nics=tuple(
            Nic(
                network=TapNetwork(namespace="vm1", interface=f"vmtap{number}"),
                mac=f"52:54:00:00:00:0{number}",
            )
            for number in (1, 2)
        ),
    ),
}


@pytest.mark.parametrize("name", SPECS)
def test_command_line(name: str, snapshot: SnapshotAssertion) -> None:
    argv = qemu_argv(SPECS[name], FILES, Accel.TCG)
    assert "\n".join(argv).replace("\n-", "\n\n-") == snapshot


def test_kvm_takes_the_hosts_processor() -> None:
    argv = qemu_argv(SPECS["bios-pxe"], FILES, Accel.KVM)
    assert argv[argv.index("-accel") + 1] == "kvm"
    assert argv[argv.index("-cpu") + 1] == "host"


def test_a_comma_in_a_path_is_doubled() -> None:
    assert any("tftp=/a,,b" in word for word in qemu_argv(SPECS["secureboot-pxe"], FILES, Accel.TCG))


def test_disks_keep_their_order_behind_one_place_of_the_boot_order() -> None:
    argv = qemu_argv(SPECS["bios-media"], FILES, Accel.TCG)
    indexes = [int(word.rsplit("bootindex=", 1)[1]) for word in argv if "bootindex=" in word]
    assert indexes == sorted(indexes)
    assert len(set(indexes)) == len(indexes) == 5


def test_a_snapshot_holds_all_that_can_be_written() -> None:
    assert writable_nodes(SPECS["bios-media"]) == (
        "snapshots",
        "stick",
        "disk-SATA",
        "disk-KEY",
        "disk-ALPHA",
    )
    assert writable_nodes(SPECS["secureboot-pxe"]) == ("snapshots", "variables", "disk-ALPHA")


def test_the_log_stands_between_a_disk_and_its_file():
    argv = qemu_argv(SPECS["write-log"], FILES, Accel.TCG)
    assert any("virtio-blk-pci,drive=logged-disk-ALPHA," in word for word in argv)
    assert any("node-name=logged-disk-ALPHA,file=disk-ALPHA,log" in word for word in argv)
    assert writable_nodes(SPECS["write-log"]) == ("snapshots", "disk-ALPHA")


def test_two_namespaces_are_refused() -> None:
    spec = MachineSpec(
        nics=tuple(Nic(network=TapNetwork(namespace=name, interface="t")) for name in ("a", "b")),
        boot=(),
    )
    with pytest.raises(ValueError, match="not in a, b"):
        qemu_argv(spec, FILES, Accel.TCG)
