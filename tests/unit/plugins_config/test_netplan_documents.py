"""Networks that nodes have: what is rendered for each, and what netplan makes of it where it is installed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from node.installer.answers import merge, validate
from node.installer.document import read_document
from node.model.answers import Answers
from node.model.inventory import Inventory
from node.model.origin import Origin, Precedence
from node.model.state import State
from node.plugins import network
from node.plugins.network import NetworkAnswers
from node.system.commands import LiveCommands
from node.system.netplan import check_netplan

GENERATOR = Path("/usr/libexec/netplan/generate")

# Each with the words that must stand in the files of systemd-networkd, by a part of their names.
NETWORKS: dict[str, tuple[str, dict[str, list[str]]]] = {
    "nothing said": (
        "{}",
        {
            "any-en.network": ["Name=en*", "DHCP=ipv4", "IPv6AcceptRA=yes", "ClientIdentifier=mac"],
            "any-eth.network": ["Name=eth*", "ClientIdentifier=mac"],
        },
    ),
    "dhcp of both kinds, by duid where that is said": (
        """
        ethernets:
          ens3: {dhcp4: true, dhcp6: true}
          ens4: {dhcp4: true, dhcp-identifier: duid}
        """,
        {"ens3.network": ["DHCP=yes", "ClientIdentifier=mac"], "ens4.network": ["DHCP=ipv4"]},
    ),
    "static addresses, routes and name servers": (
        """
        ethernets:
          ens3:
            mtu: 9000
            addresses: [192.0.2.10/24, 198.51.100.10/25, "2001:db8::10/64"]
            routes:
              - {to: default, via: 192.0.2.1}
              - {to: default, via: "2001:db8::1"}
              - {to: 203.0.113.0/24, via: 198.51.100.1, metric: 50}
            nameservers: {addresses: [192.0.2.53, "2001:db8::53"], search: [example.org]}
        """,
        {
            "ens3.network": [
                "Address=192.0.2.10/24",
                "Address=198.51.100.10/25",
                "Address=2001:db8::10/64",
                "Gateway=192.0.2.1",
                "Gateway=2001:db8::1",
                "Destination=203.0.113.0/24",
                "Metric=50",
                "DNS=192.0.2.53",
                "Domains=example.org",
                "MTUBytes=9000",
            ]
        },
    ),
    "a card by its MAC": (
        """
        ethernets:
          uplink: {match: {macaddress: "52:54:00:12:34:56"}, set-name: uplink0, dhcp4: true}
        """,
        {
            "uplink.network": ["PermanentMACAddress=52:54:00:12:34:56", "ClientIdentifier=mac"],
            "uplink.link": ["Name=uplink0"],
        },
    ),
    "a bond that speaks LACP": (
        """
        ethernets: {ens3: {}, ens4: {}}
        bonds:
          bond0:
            interfaces: [ens3, ens4]
            dhcp4: true
            mtu: 9000
            parameters: {mode: 802.3ad, lacp-rate: fast, mii-monitor-interval: 100,
                         transmit-hash-policy: layer3+4}
        """,
        {
            "bond0.netdev": [
                "Kind=bond",
                "Mode=802.3ad",
                "LACPTransmitRate=fast",
                "MIIMonitorSec=100ms",
                "TransmitHashPolicy=layer3+4",
                "MTUBytes=9000",
            ],
            "bond0.network": ["DHCP=ipv4", "ClientIdentifier=mac"],
            "ens3.network": ["Bond=bond0"],
            "ens4.network": ["Bond=bond0"],
        },
    ),
    "a bond with one card in use": (
        """
        ethernets: {ens3: {}, ens4: {}}
        bonds:
          bond0:
            interfaces: [ens3, ens4]
            macaddress: "52:54:00:00:00:10"
            addresses: [192.0.2.10/24]
            parameters: {mode: active-backup, primary: ens3, mii-monitor-interval: 100}
        """,
        {
            "bond0.netdev": ["Mode=active-backup", "MIIMonitorSec=100ms", "MACAddress=52:54:00:00:00:10"],
            "ens3.network": ["Bond=bond0", "PrimarySlave=true"],
        },
    ),
    "a VLAN beside its card": (
        """
        ethernets: {ens3: {dhcp4: true, mtu: 9000}}
        vlans: {vlan5: {id: 5, link: ens3, addresses: [192.0.2.10/24], mtu: 1500}}
        """,
        {
            "vlan5.netdev": ["Kind=vlan", "Id=5", "MTUBytes=1500"],
            "vlan5.network": ["Address=192.0.2.10/24"],
            "ens3.network": ["VLAN=vlan5", "ClientIdentifier=mac"],
        },
    ),
    "a bridge": (
        """
        ethernets: {ens3: {}}
        bridges: {br0: {interfaces: [ens3], dhcp4: true, parameters: {stp: false, forward-delay: 0}}}
        """,
        {
            "br0.netdev": ["Kind=bridge", "STP=false"],
            "br0.network": ["DHCP=ipv4", "ClientIdentifier=mac"],
            "ens3.network": ["Bridge=br0"],
        },
    ),
    "a bond under a VLAN under a bridge": (
        """
        ethernets:
          port1: {match: {macaddress: "52:54:00:00:00:01"}}
          port2: {match: {macaddress: "52:54:00:00:00:02"}}
        bonds:
          bond0: {interfaces: [port1, port2], mtu: 9000, parameters: {mode: 802.3ad}}
        vlans: {vlan5: {id: 5, link: bond0, mtu: 9000}}
        bridges:
          br5:
            interfaces: [vlan5]
            mtu: 9000
            addresses: [192.0.2.10/24, "2001:db8::10/64"]
            routes: [{to: default, via: 192.0.2.1}]
        """,
        {
            "port1.network": ["Bond=bond0"],
            "port2.network": ["Bond=bond0"],
            "bond0.network": ["VLAN=vlan5"],
            "vlan5.netdev": ["Id=5"],
            "vlan5.network": ["Bridge=br5"],
            "br5.network": ["Address=192.0.2.10/24", "Gateway=192.0.2.1"],
        },
    ),
}


def netplan_of(name: str):
    lines = ["version: 1", "network:", "  netplan:"]
    text = NETWORKS[name][0]
    lines += [f"    {line}" for line in text.splitlines() if line.strip()]
    layer, problems = read_document("\n".join(lines).encode(), name="answers.yaml")
    assert not problems
    return layer.values["network"]["netplan"]


def rendered(name: str):
    files = network.node_render(State(sections={"network": {"netplan": netplan_of(name)}}))
    return {file.path: file for file in files if file.on_trial}


@pytest.mark.parametrize("name", NETWORKS)
def test_rendering(name: str, snapshot: SnapshotAssertion):
    found = rendered(name)
    assert {file.live for file in found.values()} == {(("netplan", "generate"), ("networkctl", "reload"))}
    assert {path: file.contents.splitlines()[1:] for path, file in found.items()} == snapshot


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_about_it_is_doubtful(name: str):
    answers = Answers({"network": NetworkAnswers(netplan=netplan_of(name))})
    assert network.node_validate(answers, Inventory()) == ()


@pytest.mark.skipif(not GENERATOR.exists(), reason="netplan is not installed")
@pytest.mark.effects("processes", "writes")
@pytest.mark.parametrize("name", NETWORKS)
def test_netplan_makes_of_it_what_was_meant(name: str, tmp_path: Path):
    document = netplan_of(name)
    origin = Origin(Precedence.FILE, "answers.yaml")
    assert check_netplan(document, commands=LiveCommands(), origin=lambda _: origin) == ()
    file = tmp_path / "etc/netplan/90-nodecrust.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(rendered(name)["/etc/netplan/90-nodecrust.yaml"].contents)
    file.chmod(0o600)
    LiveCommands().run([GENERATOR, "--root-dir", tmp_path], timeout_s=20)
    made = tmp_path / "run/systemd/network"
    for part, words in NETWORKS[name][1].items():
        (unit,) = made.glob(f"10-netplan-{part}")
        lines = unit.read_text().splitlines()
        assert [word for word in words if word not in lines] == []


DOCUMENTATION = Path(__file__).parents[3] / "docs/network.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", DOCUMENTATION.read_text(), re.DOTALL)


@pytest.mark.effects("processes", "writes")
@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_of_the_documentation_are_right(text: str):
    layer, problems = read_document(f"version: 1\n{text}".encode(), name="network.md")
    assert not problems
    answers, problems = validate(merge([layer]), {"network": NetworkAnswers})
    assert not problems
    assert network.node_validate(answers, Inventory()) == ()
    if GENERATOR.exists():
        document = answers[NetworkAnswers].netplan
        assert check_netplan(document, commands=LiveCommands(), origin=answers.origin) == ()
