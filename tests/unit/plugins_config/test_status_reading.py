from __future__ import annotations

import pytest

from node.model.inventory import Unknown
from node.model.status import HostKey, Installed, Interface, RunningImage, faults
from node.system import status_disks
from node.system.status import read_status
from node.system.status_inventory import ask_libvirt, quick_inventory
from tests.unit.plugins_config.node_tree import Programs, make_node


@pytest.fixture
def node(tmp_path, monkeypatch):
    monkeypatch.setattr(status_disks, "_use", lambda place: (1000, 990 if place.name == "log" else 100))
    return make_node(tmp_path)


def test_an_installed_node(node):
    status = read_status(Programs(), root=node)
    assert status.hostname == "node1"
    assert status.uptime_s == 93784.5
    assert status.image == RunningImage("node", "0.1.0", "slot", "PARTUUID=x", "A", "ab", "6.12.48")
    assert status.installed == Installed("5d8b4a56-57c6-4e9c-9d58-0f2c8c7f4a11", "2026-11-23T05:00:00+00:00")
    assert status.configuration == "current"
    assert status.interfaces == (
        Interface("ens3", "ethernet", "52:54:00:00:00:01", True, ("192.0.2.10/24", "2001:db8::10/64")),
        Interface("ens4", "ethernet", "52:54:00:00:00:02", False, ()),
    )
    assert status.gateways == ("192.0.2.1 (ens3)",)
    assert status.root.is_thin
    assert [(role.role, role.node, role.mounted_at) for role in status.roles] == [
        ("ESP", "/dev/vda2", ""),
        ("BOOT", "/dev/vda3", ""),
        ("ROOT-A", "/dev/vda4", "/run/node/lower"),
        ("ROOT-B", "/dev/vda5", ""),
        ("SWAP", "/dev/vda6", "swap"),
        ("CONFIG", "/dev/vda7", "/config"),
        ("LOGGING", "/dev/vda8", "/var/log"),
        ("DATA", "/dev/vda9", "/data"),
    ]
    # The broken RSA key is left out; ssh-keygen -lf gives this fingerprint of the other.
    assert [key.kind for key in status.host_keys] == ["ED25519"]
    assert status.host_keys[0] == HostKey("ED25519", status.host_keys[0].fingerprint)
    assert status.unknown == ()
    assert faults(status) == ("/var/log is 99% full",)


def test_a_change_on_trial_is_seen_without_reading_it(node):
    assert not read_status(Programs(), root=node).on_trial
    (node / "run/node/trial").mkdir(mode=0o700)
    assert read_status(Programs(), root=node).on_trial


def test_what_is_wrong_is_named(node):
    (node / "run/node/alarms").write_text("plugin foo: it took longer than 5 s\nmore\n")
    (node / "proc/swaps").write_text("Filename\n")
    mounts = (
        (node / "proc/self/mountinfo")
        .read_text()
        .replace("/data rw", "/mnt rw")
        .replace("/config rw", "/config ro")
    )
    (node / "proc/self/mountinfo").write_text(mounts.replace("/run/node/lower ro", "/x ro"))
    status = read_status(Programs(failed_units="x.service loaded failed failed X\n"), root=node)
    assert faults(status) == (
        "plugin foo: it took longer than 5 s",
        "more",
        "x.service failed",
        "the root is not a read-only image under an overlay",
        "swap on /dev/vda6 is off",
        "/config is mounted read-only",
        "/var/log is 99% full",
        "DATA (/dev/vda9) is not mounted at /data",
    )


def test_what_cannot_be_read_is_unknown_and_says_why(node):
    (node / "config/installs.json").write_text("{")
    status = read_status(Programs(failing=("ip", "systemctl")), root=node)
    assert status.installed is None
    assert [unknown.where.removeprefix(str(node)) for unknown in status.unknown] == [
        "/config/installs.json",
        "network interfaces",
        "routes",
        "routes",
        "systemd units",
    ]
    assert status.unknown[1] == Unknown("network interfaces", "ip failed: last word")
    assert "no network interface has an address" in faults(status)


def test_a_live_image_has_no_roles(node):
    (node / "run/node/image.json").write_text('{"source": "url", "path": "/run/node/fetched/root.squashfs"}')
    (node / "run/node/config-device").unlink()
    (node / "config/installs.json").unlink()
    mounts = (node / "proc/self/mountinfo").read_text().splitlines()
    (node / "proc/self/mountinfo").write_text("\n".join(mounts[:3]))
    status = read_status(Programs(), root=node)
    assert (status.image.source, status.image.slot, status.roles, status.installed) == ("url", "", (), None)
    assert faults(status) == ()


def test_a_machine_that_is_no_node(tmp_path):
    status = read_status(Programs(failing=("ip", "systemctl")), root=tmp_path)
    assert status.image is None
    assert faults(status) == ()


def test_broken_hand_over_is_a_node_all_the_same(node):
    (node / "run/node/image.json").write_text("{")
    status = read_status(Programs(), root=node)
    assert status.image is not None
    assert "run/node/image.json" in status.unknown[0].why


@pytest.mark.effects("processes", "sockets")
def test_the_quick_inventory_of_this_machine():
    found = quick_inventory(Programs())
    assert found.cpu.threads > 0
    assert found.disks == ()


def test_libvirt(tmp_path):
    assert ask_libvirt(Programs(), tmp_path) == {}
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/libvirtd").touch()
    assert ask_libvirt(Programs(), tmp_path) == {"version": "11.3.0", "running": 2}
    assert ask_libvirt(Programs(failing=("virsh",)), tmp_path) == {"why": "last word"}
