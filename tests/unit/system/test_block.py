"""Which disks there are, what they are called and who uses them, on a made-up /sys."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.model.inventory import BootImage
from node.system import udev
from node.system.probe.boot_media import boot_devices
from node.system.probe.disks import describe_disk, transport
from tests.unit.system.machine import Machine


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").touch()
    monkeypatch.setattr(udev, "block_properties", lambda _name: {})
    return Machine(tmp_path)


def test_only_disks_are_disks(machine: Machine) -> None:
    for name in ("sr0", "fd0", "ram0", "zram0", "dm-0", "md127", "loop0", "bcache0", "nbd0", "mmcblk0boot0"):
        machine.device(name)
    machine.device("nvme0c0n1", hidden="1")
    machine.device("sdz", size=0)
    for name in ("sdb", "sdaa", "sda", "nvme1n1", "nvme0n1", "nvme10n1", "vda", "mmcblk0", "xvda"):
        machine.device(name)
    assert machine.block.disks() == [
        "mmcblk0", "nvme0n1", "nvme1n1", "nvme10n1", "sda", "sdb", "sdaa", "vda", "xvda",
    ]  # fmt: skip
    assert "loop0" in machine.block.disks(include_loop=True)


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("vda", "pci0000:00/0000:00:04.0/virtio1", "virtio"),
        ("nvme0n1", "pci0000:00/0000:00:04.0/nvme/nvme0", "nvme"),
        ("sda", "pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0", "sata"),
        ("sdb", "pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0", "usb"),
        ("sdc", "pci0000:00/0000:03:00.0/host1/port-1:0/end_device-1:0/target1:0:0/1:0:0:0", "sas"),
        ("sdd", "pci0000:00/0000:03:00.0/virtio3/host2/target2:0:0/2:0:0:0", "scsi"),
        ("sde", "pci0000:00/0000:03:00.0/host3/rport-3:0-0/target3:0:0/3:0:0:0", "fc"),
        ("sdf", "platform/host4/session1/target4:0:0/4:0:0:0", "iscsi"),
        ("mmcblk0", "platform/mmc_host/mmc0/mmc0:0001", "mmc"),
    ],
)
def test_transport_is_read_from_the_path(machine: Machine, name: str, path: str, expected: str) -> None:
    machine.device(name, path=path)
    assert transport(name, machine.block, {}) == expected


def test_old_parallel_disks_are_ata(machine: Machine) -> None:
    machine.device("sda", path="pci0000:00/0000:00:01.1/ata1/host0/target0:0:0/0:0:0:0")
    host = machine.root / "sys/class/scsi_host/host0"
    host.mkdir(parents=True)
    (host / "proc_name").write_text("ata_piix\n")
    assert transport("sda", machine.block, {}) == "ata"
    assert transport("sda", machine.block, {"ID_ATA_SATA": "1"}) == "sata"


def test_identity_comes_from_sys_where_there_is_no_udev(machine: Machine) -> None:
    machine.device(
        "vda", size=4096, serial="disk-1\n", queue__rotational="0", queue__logical_block_size="512"
    )
    machine.device(
        "nvme0n1",
        device__serial="S4EV  ",
        device__model="Samsung SSD   ",
        wwid="eui.0025385c9140",
        queue__logical_block_size="4096",
        queue__rotational="0",
    )
    machine.device(
        "sda",
        device__vendor="ATA     ",
        device__model="WDC WD40",
        device__wwid="naa.50014ee2",
        removable="1",
        ro="1",
    )
    (machine.root / "sys/class/block/sda/device/vpd_pg80").write_bytes(b"\x00\x80\x00\x08  WD-1234")
    vda, nvme, sda = (
        describe_disk(name, block=machine.block, boot_medium=False) for name in ("vda", "nvme0n1", "sda")
    )
    assert (vda.serial, vda.size, vda.rotational, vda.read_only) == ("disk-1", 4096 * 512, False, False)
    assert (nvme.serial, nvme.model, nvme.wwn, nvme.sector_size) == (
        "S4EV", "Samsung SSD", "eui.0025385c9140", 4096,
    )  # fmt: skip
    assert (sda.serial, sda.wwn, sda.vendor, sda.removable, sda.read_only, sda.rotational) == (
        "WD-1234", "0x50014ee2", "ATA", True, True, None,
    )  # fmt: skip


def test_users_stand_in_the_order_to_take_them_down(machine: Machine) -> None:
    machine.device("sda", number="8:0")
    machine.partition("sda", 1)
    machine.partition("sda", 2)
    machine.device("md0", number="9:0")
    machine.device("dm-0", number="253:0", dm__name="vg-root", dm__uuid="LVM-abc")
    machine.hold("md0", "sda1")
    machine.hold("dm-0", "md0")
    machine.mount("dm-0", "/mnt/old\\040root")
    machine.swap("sda2")
    users = machine.block.users("sda")
    assert [(u.what, u.by, u.device) for u in users] == [
        ("mount", "/mnt/old root", "dm-0"),
        ("dm", "dm-0", "md0"),
        ("md", "md0", "sda1"),
        ("swap", "swap", "sda2"),
    ]
    assert [str(user) for user in users] == [
        "/mnt/old root (dm-0)",
        "vg-root (LVM on md0)",
        "md0 (RAID on sda1)",
        "swap (sda2)",
    ]


def test_btrfs_mounts_are_found_by_their_source(machine: Machine) -> None:
    machine.device("sda", number="8:0")
    machine.mount("sda", "/srv", "btrfs", device="0:44")
    assert [str(user) for user in machine.block.users("sda")] == ["/srv (sda)"]


def test_multipath_is_told_from_lvm(machine: Machine) -> None:
    machine.device("sda", number="8:0")
    machine.device("dm-0", number="253:0", dm__name="mpatha", dm__uuid="mpath-3600508")
    machine.hold("dm-0", "sda")
    (user,) = machine.block.users("sda")
    assert user.is_multipath
    assert str(user) == "mpatha (multipath on sda)"


def test_boot_medium_is_found_below_what_stands_on_it(machine: Machine) -> None:
    machine.device("sdb", number="8:16")
    machine.partition("sdb", 1)
    machine.device("vda", number="254:0")
    machine.partition("vda", 4)
    medium = BootImage(source="medium", device="/dev/sdb1", path="/run/node/medium/live/root.squashfs")
    assert boot_devices(medium, machine.block, root=machine.root / "none") == ("/dev/sdb",)
    slot = BootImage(source="slot", path="/dev/vda4")
    assert boot_devices(slot, machine.block, root=machine.root / "none") == ("/dev/vda",)
    url = BootImage(source="url", path="/run/node/fetched/root.squashfs")
    assert boot_devices(url, machine.block, root=machine.root / "none") == ()
