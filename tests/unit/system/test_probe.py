"""The parts of the inventory that are read from files, on made-up roots."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from node.installer.inventory_text import inventory_lines
from node.model.inventory import Cpu, Firmware, Inventory, Unknown
from node.system import probe, udev
from node.system.block import BlockDevices
from node.system.probe.firmware import find_firmware
from node.system.probe.image import find_image
from node.system.probe.nics import find_nics
from node.system.probe.processors import find_consoles, find_cpu, find_memory
from node.system.probe.virtualization import find_virtualization

CPUINFO = """\
processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R)  Xeon(R)   CPU
physical id\t: 0
core id\t\t: 0
flags\t\t: fpu vmx lm

processor\t: 1
vendor_id\t: GenuineIntel
model name\t: Intel(R)  Xeon(R)   CPU
physical id\t: 0
core id\t\t: 0
flags\t\t: fpu vmx lm

processor\t: 2
vendor_id\t: GenuineIntel
physical id\t: 1
core id\t\t: 0
flags\t\t: fpu vmx lm

"""


def files(root: Path, **contents: str | bytes) -> Path:
    for name, text in contents.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return root


def test_processors_memory_and_consoles(tmp_path: Path) -> None:
    proc = files(
        tmp_path,
        cpuinfo=CPUINFO,
        meminfo="MemTotal:         786432 kB\nMemFree: 1 kB\n",
        cmdline="BOOT_IMAGE=x console=tty0 quiet console=ttyS0,115200\n",
    )
    assert find_cpu(proc) == Cpu("Intel(R) Xeon(R) CPU", "GenuineIntel", 2, 2, 3, ("fpu", "vmx", "lm"))
    assert find_memory(proc) == 768 << 20
    assert find_consoles(proc) == ("tty0", "ttyS0,115200")


def test_firmware_that_says_nothing_useful_says_nothing(tmp_path: Path) -> None:
    sys = files(
        tmp_path,
        firmware__acpi__tables="",
        class__dmi__id__sys_vendor="QEMU\n",
        class__dmi__id__product_name="To Be Filled By O.E.M.\n",
        class__dmi__id__product_uuid="ABCD-1\n",
        class__dmi__id__product_serial="Not Specified\n",
    )
    found, unknown = find_firmware(sys)
    assert found == Firmware("bios", False, "abcd-1", "QEMU", "", "", "")
    assert unknown == ()


@pytest.mark.parametrize(("value", "expected"), [(b"\6\0\0\0\1", True), (b"\6\0\0\0\0", False)])
def test_secure_boot_is_the_byte_after_the_attributes(tmp_path: Path, value: bytes, expected: bool) -> None:
    folder = tmp_path / "firmware/efi/efivars"
    folder.mkdir(parents=True)
    (folder / "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c").write_bytes(value)
    found, _ = find_firmware(tmp_path)
    assert (found.kind, found.secure_boot) == ("uefi", expected)


def test_secure_boot_is_unknown_without_the_variables(tmp_path: Path) -> None:
    (tmp_path / "firmware/efi/efivars").mkdir(parents=True)
    found, unknown = find_firmware(tmp_path)
    assert found.secure_boot is None
    assert [u.where for u in unknown] == ["firmware.secure_boot"]


@pytest.mark.parametrize(
    ("firmware", "flags", "expected"),
    [
        (Firmware(vendor="QEMU"), ("hypervisor",), "qemu"),
        (Firmware(vendor="VMware, Inc."), ("hypervisor",), "vmware"),
        (Firmware(vendor="Dell Inc.", product="PowerEdge"), ("vmx",), ""),
        (Firmware(), ("hypervisor",), "other"),
    ],
)
def test_guests_are_told_from_hosts(
    tmp_path: Path, firmware: Firmware, flags: tuple[str, ...], expected: str
) -> None:
    found, unknown = find_virtualization(Cpu(flags=flags), firmware, sys=tmp_path, run=tmp_path, dev=tmp_path)
    assert found.guest_of == expected
    assert found.hardware == ("vmx" if "vmx" in flags else "")
    assert (found.kvm, found.libvirt, unknown) == (False, "", ())


def test_a_kvm_that_only_others_may_open_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kvm").touch()
    monkeypatch.setattr(os, "access", lambda *_: False)
    found, unknown = find_virtualization(Cpu(), Firmware(), sys=tmp_path, run=tmp_path, dev=tmp_path)
    assert not found.kvm
    assert [one.where for one in unknown] == ["virtualization.kvm"]
    assert "KVM" not in "\n".join(inventory_lines(Inventory(virtualization=found, unknown=unknown)))


def test_image_is_what_the_initrd_and_the_image_say(tmp_path: Path) -> None:
    booted = {
        "source": "slot", "location": "PARTUUID=1", "sha256": None, "size": 4096, "path": "/dev/vda4",
        "device": None, "kernel": "6.12",
    }  # fmt: skip
    files(
        tmp_path,
        **{
            "run/node/image.json": json.dumps(booted),
            "usr/lib/nodecrust/image.json": json.dumps({"name": "node", "version": "1", "append": "quiet"}),
            "usr/lib/nodecrust/boot/vmlinuz": "kernel",
        },
    )
    found, unknown = find_image(tmp_path)
    assert (found.source, found.sha256, found.size, found.path, found.device) == (
        "slot",
        "",
        4096,
        "/dev/vda4",
        "",
    )
    assert (found.name, found.version, found.append, found.kernel) == ("node", "1", "quiet", "6.12")
    assert (found.kernel_size, found.initrd_size, unknown) == (6, 0, ())


@pytest.mark.parametrize("text", ["{torn", "[]", '"x"'])
def test_torn_image_file_is_unknown(tmp_path: Path, text: str) -> None:
    files(tmp_path, **{"run/node/image.json": text})
    found, unknown = find_image(tmp_path)
    assert found.source == ""
    assert [u.where for u in unknown] == ["image"]


@pytest.mark.effects("sockets")
def test_only_cards_on_a_bus_are_nics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udev, "properties_at", lambda _path: {})
    pci = tmp_path / "devices/pci0/0000:00:03.0"
    files(pci, vendor="0x8086", device="0x1533")
    for name, kind in (("nosuchnic0", "1"), ("nosuchbr0", "1"), ("nosuchib0", "32")):
        folder = tmp_path / "class/net" / name
        files(folder, type=kind, address="52:54:00:00:00:01\n", carrier="1\n", speed="-1\n")
        if name != "nosuchbr0":
            (folder / "device").symlink_to(pci)
    proc = files(
        tmp_path / "proc", **{"net/if_inet6": "fe800000000000005054000000000001 02 40 20 80 nosuchnic0\n"}
    )
    (nic,) = find_nics(sys=tmp_path, proc=proc)
    assert (nic.name, nic.mac, nic.model, nic.link, nic.speed_mbps, nic.bus_path) == (
        "nosuchnic0", "52:54:00:00:00:01", "8086:1533", True, None, "0000:00:03.0",
    )  # fmt: skip
    assert nic.addresses == ("fe80::5054:0:0:1/64",)


def test_broken_part_is_unknown_and_takes_nothing_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> tuple[()]:
        raise OSError("the controller is gone")

    monkeypatch.setattr(probe, "find_disks", broken)
    monkeypatch.setattr(probe, "settle", lambda _commands: None)
    monkeypatch.setattr(probe, "find_nics", lambda: ())
    inventory = probe.take_inventory()
    assert inventory.disks == ()
    assert Unknown("disks", "the controller is gone") in inventory.unknown
    assert inventory.cpu.threads == os.cpu_count()


def test_what_a_container_hides_is_unknown_and_not_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="container"):
        BlockDevices(tmp_path, tmp_path).disks()
    with pytest.raises(FileNotFoundError, match="container"):
        find_nics(sys=tmp_path, proc=tmp_path)
    _, unknown = find_firmware(tmp_path)
    assert [u.where for u in unknown] == ["firmware.kind"]
