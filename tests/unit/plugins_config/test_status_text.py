from __future__ import annotations

import json
from dataclasses import replace

from click.testing import CliRunner

from node.cli import status as status_command
from node.cli.status_text import NOT_A_NODE, duration_words, page
from node.hookspecs import StatusLine
from node.model.inventory import Cpu, Inventory, Unknown, Virtualization
from node.model.status import (
    HostKey,
    Installed,
    Interface,
    NodeStatus,
    RoleUse,
    Root,
    RunningImage,
    faults,
)
from node.plugins import virtualization
from tests.unit.plugins_config.node_tree import Programs

GIB = 1 << 30
NODE = NodeStatus(
    hostname="node1.example.org",
    uptime_s=93784.0,
    image=RunningImage("node", "0.1.0", "slot", "PARTUUID=x", "A", "ab" * 32, "6.12.48+deb13-amd64"),
    installed=Installed("5d8b4a56-57c6-4e9c-9d58-0f2c8c7f4a11", "2026-11-23T05:00:00+00:00"),
    configuration="history/000007.yaml",
    interfaces=(
        Interface(
            "ens3", "ethernet", "52:54:00:00:00:01", True, ("192.0.2.10/24", "2001:db8::5054:ff:fe00:1/64")
        ),
        Interface("ens4", "ethernet", "52:54:00:00:00:02"),
        Interface("bond0.5", "vlan", "52:54:00:00:00:02", True, ("198.51.100.4/24",)),
    ),
    gateways=("192.0.2.1 (ens3)",),
    root=Root("overlay", "squashfs", True, 512 << 20, 31 << 20),
    roles=(
        RoleUse("BOOT", "/dev/vda3", GIB),
        RoleUse("ROOT-A", "/dev/vda4", 2 * GIB, 2 * GIB, "/run/node/lower", True),
        RoleUse("SWAP", "/dev/vda6", GIB, 0, "swap"),
        RoleUse("CONFIG", "/dev/vda7", GIB // 4, GIB // 100, "/config"),
        RoleUse("DATA", "/dev/vda9", GIB),
    ),
    host_keys=(HostKey("ED25519", "SHA256:" + "x" * 43), HostKey("RSA", "SHA256:" + "y" * 43)),
    alarms=("state: fell back to the last good state",),
    unknown=(Unknown("routes", "ip failed"),),
)
PANELS = virtualization.node_status_panels(
    Inventory(
        virtualization=Virtualization(hardware="svm", kvm=True),
        facts={"libvirt": {"version": "11.3.0", "running": 2}},
    )
)


def test_the_page():
    assert (
        page(NODE, PANELS, faults(NODE))
        == """\
host name        node1.example.org
image            node 0.1.0, slot A, kernel 6.12.48+deb13-amd64
installed        2026-11-23 05:00 UTC, id 5d8b4a56-57c6-4e9c-9d58-0f2c8c7f4a11
configuration    history/000007.yaml, since what is stored can't be used
root             read-only squashfs, changes in memory (31 MiB of 512 MiB)
running for      1 d 2 h
ens3             192.0.2.10/24, 2001:db8::5054:ff:fe00:1/64, link,
                 52:54:00:00:00:01
ens4             no address, no link, 52:54:00:00:00:02
bond0.5          vlan, 198.51.100.4/24, link, 52:54:00:00:00:02
gateway          192.0.2.1 (ens3)
BOOT vda3        1 GiB
ROOT-A vda4      2 GiB, runs now
SWAP vda6        1 GiB, on
CONFIG vda7      /config, 4% of 256 MiB used
DATA vda9        1 GiB, not mounted at /data
virtualization   AMD-V, /dev/kvm is there
libvirt          11.3.0, 2 guests run
SSH host key     ED25519 SHA256:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
SSH host key     RSA SHA256:yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
not known        routes: ip failed
health           degraded
                 state: fell back to the last good state
                 DATA (/dev/vda9) is not mounted at /data
"""
    )


def test_the_page_fits_80_columns_whatever_happens():
    bad = replace(
        NODE,
        hostname="h" * 64,
        alarms=("w" * 300,),
        unknown=(Unknown("/very/long" * 20, "why " * 90),),
    )
    text = page(bad, [StatusLine("t" * 40, "v" * 200)], ["f" * 200])
    assert max(len(line) for line in text.splitlines()) <= 80


def test_a_live_image_says_that_it_keeps_nothing():
    live = replace(
        NODE, image=RunningImage("node", "0.1.0", "url"), installed=None, roles=(), alarms=(), unknown=()
    )
    live = replace(live, configuration="none")
    text = page(live, (), faults(live))
    assert "configuration    none is kept; a reboot forgets all\n" in text
    assert "image            node 0.1.0, from the network\n" in text
    assert "installed        no; this image runs in memory and keeps nothing\n" in text
    assert text.endswith("health           ok\n")


def test_a_change_on_trial_is_told_and_no_fault():
    tried = replace(NODE, on_trial=True)
    assert "on trial         a change of the configuration; see nodectl config show\n" in page(tried, (), ())
    assert "on trial" not in page(NODE, (), ())
    assert faults(tried) == faults(NODE)


def test_what_stands_in_for_the_stored_state_is_said_once():
    assert [fault for fault in faults(NODE) if "state" in fault] == [
        "state: fell back to the last good state"
    ]
    for source in ("history/000007.yaml", "last-good", "defaults"):
        (fault,) = faults(replace(NODE, alarms=(), roles=(), configuration=source))
        assert "can't be used" in fault
    for source in ("", "current", "none"):
        assert faults(replace(NODE, alarms=(), roles=(), configuration=source)) == ()


def test_a_machine_that_is_no_node_says_so_first():
    text = page(NodeStatus(hostname="laptop"), (), ())
    assert text == f"{NOT_A_NODE}\n\nhost name        laptop\n"


def test_durations():
    assert [duration_words(s) for s in (0, 61, 3700, 90000)] == ["0 min", "1 min", "1 h 1 min", "1 d 1 h"]


def run(monkeypatch, status, *arguments):
    monkeypatch.setattr(status_command, "LiveCommands", Programs)
    monkeypatch.setattr(status_command, "read_status", lambda _: status)
    monkeypatch.setattr(
        status_command, "quick_inventory", lambda _: Inventory(facts={"libvirt": {"why": "refused"}})
    )
    result = CliRunner().invoke(status_command.command, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_in_json(monkeypatch):
    data = json.loads(run(monkeypatch, NODE, "--json"))
    assert (data["format"], data["node"], data["healthy"]) == (1, True, False)
    assert data["install"]["id"] == "5d8b4a56-57c6-4e9c-9d58-0f2c8c7f4a11"
    assert data["image"]["slot"] == "A"
    assert data["faults"][-1] == "libvirt: does not answer: refused"
    assert {panel["term"] for panel in data["panels"]} >= {"virtualization", "libvirt"}


def test_the_command_on_a_machine_that_is_no_node(monkeypatch):
    data = json.loads(run(monkeypatch, NodeStatus(), "--json"))
    assert (data["node"], data["healthy"], data["faults"]) == (False, None, [])
    assert run(monkeypatch, NodeStatus()).startswith(NOT_A_NODE)


def test_virtualization_warns_only_where_the_cpu_is_known_to_have_none():
    def found(**fields):
        return [p.code for p in virtualization.node_validate(Inventory(**fields))]

    assert found(cpu=Cpu(flags=("fpu",))) == ["no-hardware-virtualization"]
    assert found(cpu=Cpu(flags=("vmx",)), virtualization=Virtualization(hardware="vmx")) == []
    assert found() == []


def test_panels_without_libvirt_and_with_a_guest():
    def words(facts):
        inventory = Inventory(virtualization=Virtualization(hardware="vmx"), facts=facts)
        return [line.value for line in virtualization.node_status_panels(inventory)]

    assert words({}) == ["Intel VT-x, but no /dev/kvm: off in the firmware, or kvm is not loaded"]
    assert words({"libvirt": {"version": "9.0.0", "running": 1}})[1] == "9.0.0, 1 guest runs"
    assert words({"libvirt": {"version": "9.0.0", "running": 0}})[1] == "9.0.0, no guest runs"
