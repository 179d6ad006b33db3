from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from pydantic import ValidationError

from node.model.answers import Answers
from node.model.inventory import Inventory, Nic
from node.model.problem import Severity
from node.model.state import State
from node.plugins import network
from node.plugins.network import NetworkAnswers
from node.plugins.network.document import DEFAULT, completed

HEADER = "# Made by nodectl at every boot from /config/node.yaml; a change here is lost.\n"


def refused(**fields):
    with pytest.raises(ValidationError) as caught:
        NetworkAnswers.model_validate(fields)
    return [(error["type"], error["msg"]) for error in caught.value.errors()]


def files(**fields):
    return {file.path: file for file in network.node_render(State(sections={"network": fields}))}


@pytest.mark.parametrize("name", ["", "node1", "n", "Node-1.example.org", "1and1", "a" * 63])
def test_host_names_that_are_taken(name):
    assert NetworkAnswers(hostname=name).hostname == name


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("-node", "'-node' is no label"),
        ("node-", "'node-' is no label"),
        ("no_de", "'no_de' is no label"),
        ("node..org", "'' is no label"),
        ("node.org.", "'' is no label"),
        ("näh", "no label"),
        ("10.0.0.1", "reads as an address"),
        ("a" * 64, "no label"),
        ("a." * 32 + "b", "65 characters"),
        ("node\nroot", "no label"),
    ],
)
def test_host_names_that_are_refused_say_why(name, word):
    ((code, what),) = refused(hostname=name)
    assert code == "host-name-invalid"
    assert word in what


def test_every_wrong_value_is_named_at_once():
    found = refused(
        hostname="-", dns=["192.0.2.1", "dns.example"], ntp="ntp1.example, 10.0.0", netplan={"network": {}}
    )
    assert [code for code, _ in found] == [
        "host-name-invalid",
        "netplan-nested",
        "dns-invalid",
        "ntp-invalid",
    ]


def test_the_renderer_is_networkd():
    assert refused(netplan={"renderer": "NetworkManager"})[0][0] == "netplan-renderer"
    NetworkAnswers(netplan={"renderer": "networkd"})


def test_servers_may_be_one_text_with_commas():
    answers = NetworkAnswers.model_validate({"dns": "192.0.2.1,2001:db8::1", "ntp": "a.example b.example"})
    assert answers.dns == ("192.0.2.1", "2001:db8::1")
    assert answers.ntp == ("a.example", "b.example")


def test_without_answers_every_card_asks_by_dhcp_and_none_is_waited_for():
    document = completed({})
    assert document == DEFAULT
    for card in document["ethernets"].values():
        assert card["dhcp4"] is True
        assert card["optional"] is True
        assert card["dhcp-identifier"] == "mac"


def test_dhcp_identifies_by_mac_wherever_it_is_used_and_not_said_otherwise():
    document = completed(
        {
            "ethernets": {"a": {"dhcp4": True}, "b": {"dhcp4": "yes", "dhcp-identifier": "duid"}, "c": {}},
            "bonds": {"bond0": {"dhcp4": True}},
            "vlans": {"v5": {"id": 5, "link": "bond0", "dhcp4": False}},
        }
    )
    assert document["version"] == 2
    assert document["ethernets"] == {
        "a": {"dhcp4": True, "dhcp-identifier": "mac"},
        "b": {"dhcp4": "yes", "dhcp-identifier": "duid"},
        "c": {},
    }
    assert document["bonds"]["bond0"]["dhcp-identifier"] == "mac"
    assert "dhcp-identifier" not in document["vlans"]["v5"]


def test_what_is_no_document_is_left_to_netplan():
    assert completed({"ethernets": ["a"], "bonds": {"b": 5}}) == {
        "version": 2,
        "ethernets": ["a"],
        "bonds": {"b": 5},
    }


def test_the_files_of_a_named_node():
    found = files(
        hostname="node1.example.org",
        dns=["192.0.2.53"],
        ntp=["ntp1.example.org", "ntp2.example.org"],
        netplan={"ethernets": {"ens3": {"addresses": ["192.0.2.10/24"]}}},
    )
    assert found["/etc/hostname"].contents == "node1.example.org\n"
    assert found["/etc/hosts"].contents == (
        f"{HEADER}"
        "127.0.0.1 localhost\n"
        "127.0.1.1 node1.example.org node1\n"
        "::1 localhost ip6-localhost ip6-loopback\n"
        "ff02::1 ip6-allnodes\n"
        "ff02::2 ip6-allrouters\n"
    )
    assert found["/etc/netplan/90-nodecrust.yaml"].mode == 0o600
    assert found["/etc/netplan/90-nodecrust.yaml"].contents == (
        f"{HEADER}network:\n  version: 2\n  ethernets:\n    ens3:\n      addresses:\n      - 192.0.2.10/24\n"
    )
    assert (
        found["/etc/systemd/resolved.conf.d/90-nodecrust.conf"].contents
        == f"{HEADER}[Resolve]\nDNS=192.0.2.53\n"
    )
    assert found["/etc/systemd/timesyncd.conf.d/90-nodecrust.conf"].contents == (
        f"{HEADER}[Time]\nNTP=ntp1.example.org ntp2.example.org\n"
    )
    assert found["/etc/chrony/sources.d/90-nodecrust.sources"].contents == (
        f"{HEADER}server ntp1.example.org iburst prefer\nserver ntp2.example.org iburst prefer\n"
    )


def test_own_hosts_and_search_domains():
    found = files(
        hostname="node1.example.org",
        hosts="192.0.2.5  node2.example.org node2\n2001:db8::1 node1.example.org\n",
        search="example.org,example.com",
    )
    hosts = found["/etc/hosts"].contents
    assert "127.0.1.1" not in hosts
    assert hosts.endswith("192.0.2.5 node2.example.org node2\n2001:db8::1 node1.example.org\n")
    assert found["/etc/systemd/resolved.conf.d/90-nodecrust.conf"].contents == (
        f"{HEADER}[Resolve]\nDomains=example.org example.com\n"
    )


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("node2", "is not an address"),
        ("192.0.2.5", "no name follows"),
        ("192.0.2.5 a_b", "no label"),
        ("192.0.2.5 localhost", "is this machine itself"),
        ("192.0.2.5 a # b", "no label"),
    ],
)
def test_lines_of_hosts_that_are_refused_say_why(line, word):
    ((code, what),) = refused(hosts=["::1 localhost", line])
    assert code == "hosts-line-invalid"
    assert what.startswith("line 2: ")
    assert word in what


def test_how_each_file_comes_into_force():
    found = files(hostname="node1", dns="192.0.2.1", ntp="ntp.example.org")
    network_files = {path: (file.live, file.on_trial) for path, file in found.items()}
    assert network_files == {
        "/etc/hostname": ((("hostname", "-F", "/etc/hostname"),), False),
        "/etc/hosts": ((), False),
        "/etc/netplan/90-nodecrust.yaml": ((("netplan", "generate"), ("networkctl", "reload")), True),
        "/etc/systemd/networkd.conf.d/90-nodecrust.conf": (None, False),
        "/etc/systemd/resolved.conf.d/90-nodecrust.conf": (
            (("systemctl", "try-reload-or-restart", "systemd-resolved.service"),),
            False,
        ),
        "/etc/systemd/timesyncd.conf.d/90-nodecrust.conf": (
            (("systemctl", "try-restart", "systemd-timesyncd*.service"),),
            False,
        ),
        "/etc/chrony/sources.d/90-nodecrust.sources": (
            (("systemctl", "try-restart", "chrony*.service"),),
            False,
        ),
    }
    assert files()["/etc/hostname"].live is None


def test_the_identity_for_dhcpv6_is_the_mac_too():
    text = files()["/etc/systemd/networkd.conf.d/90-nodecrust.conf"].contents
    assert text == f"{HEADER}[DHCPv6]\nDUIDType=link-layer\n"


def test_an_empty_state_renders_dhcp_and_no_name():
    found = files()
    assert set(found) == {
        "/etc/hostname",
        "/etc/hosts",
        "/etc/netplan/90-nodecrust.yaml",
        "/etc/systemd/networkd.conf.d/90-nodecrust.conf",
    }
    assert found["/etc/hostname"].contents.startswith("#")
    assert "127.0.1.1" not in found["/etc/hosts"].contents
    assert yaml.safe_load(found["/etc/netplan/90-nodecrust.yaml"].contents) == {"network": DEFAULT}


CARDS = Inventory(
    nics=(
        Nic(name="ens3", mac="52:54:00:00:00:01", driver="virtio_net"),
        Nic(name="ens4", mac="52:54:00:00:00:02", permanent_mac="52:54:00:00:00:99", driver="igb"),
    )
)


@pytest.mark.parametrize(
    ("definition", "fits"),
    [
        (("ens3", {}), True),
        (("eth0", {}), False),
        (("eth0", {"match": {"name": "en*"}}), True),
        (("up", {"match": {"macaddress": "52:54:00:00:00:01"}}), True),
        (("up", {"match": {"macaddress": "52:54:00:00:00:99"}}), True),
        (("up", {"match": {"macaddress": "52:54:00:00:00:77"}}), False),
        (("up", {"match": {"driver": ["i*"]}}), True),
        (("up", {"match": {"driver": "ixgbe"}}), False),
        (("up", None), False),
    ],
)
def test_a_card_that_is_not_here_is_a_warning_that_lists_those_that_are(definition, fits):
    name, body = definition
    body = {**(body or {}), "dhcp4": True}
    answers = Answers({"network": NetworkAnswers(netplan={"ethernets": {name: body}})})
    found = network.node_validate(answers, CARDS)
    if fits:
        assert found == ()
        return
    (problem,) = found
    assert (problem.code, problem.severity) == ("no-such-card", Severity.WARNING)
    assert problem.where == f"network.netplan.ethernets.{name}"
    assert "ens3 (52:54:00:00:00:01), ens4" in problem.mend


def test_without_known_cards_nothing_is_said():
    answers = Answers({"network": NetworkAnswers(netplan={"ethernets": {"x": {"dhcp4": True}}})})
    assert network.node_validate(answers, replace(CARDS, nics=())) == ()
