"""Which devices go before networkd reads its new files, and which links are set up anew."""

from __future__ import annotations

from typing import Any

import pytest

from node.agent.devices import at_start, card_resets, document_of, lower_links, renames, stale_devices
from node.model.inventory import Nic

BOND = {"interfaces": ["a", "b"], "parameters": {"mode": "active-backup"}}
BEFORE: dict[str, Any] = {
    "version": 2,
    "ethernets": {"a": {}, "b": {"match": {"macaddress": "52:54:00:00:00:02"}}},
    "bonds": {"bond0": BOND},
    "vlans": {"v5": {"id": 5, "link": "bond0"}},
    "bridges": {"br0": {"interfaces": ["v5"], "dhcp4": True}},
}
NICS = [
    Nic(name="a", mac="52:54:00:00:00:01"),
    Nic(name="ens4", mac="52:54:00:00:00:02", driver="virtio_net"),
]


def after(**kinds: Any) -> dict[str, Any]:
    return {**BEFORE, **kinds}


@pytest.mark.parametrize(
    ("document", "stale", "links"),
    [
        (BEFORE, (), ()),
        # Addresses and members are no parameters of a device.
        (after(bridges={"br0": {"interfaces": ["v5", "a"], "addresses": ["192.0.2.1/24"]}}), (), ()),
        (after(bonds={"bond0": {**BOND, "interfaces": ["a"]}}), (), ()),
        (after(bonds={"bond0": {**BOND, "parameters": {"mode": "802.3ad"}}}), ("bond0",), ("a", "ens4")),
        (after(vlans={"v5": {"id": 6, "link": "bond0"}}), ("v5",), ("bond0",)),
        (after(bridges={"br0": {"interfaces": ["v5"], "parameters": {"stp": True}}}), ("br0",), ("v5",)),
        # What is gone, the upper one first; its members are without it, and may have failed to join it again.
        ({"version": 2, "ethernets": {"a": {}}}, ("br0", "v5", "bond0"), ("a", "ens4")),
        (after(bridges={}), ("br0",), ("v5",)),
        (after(bridges={}, vlans={}), ("br0", "v5"), ()),
        # The name of one kind becomes that of another.
        (
            after(bridges={}, vlans={}, bonds={}, **{"dummy-devices": {"br0": {}}}),
            ("br0", "v5", "bond0"),
            ("a", "ens4"),
        ),
        # All of them: a link that goes away itself needs no care.
        (
            after(
                bonds={"bond0": {**BOND, "macaddress": "52:54:00:00:00:09"}},
                vlans={"v5": {"id": 7, "link": "bond0"}},
            ),
            ("v5", "bond0"),
            ("a", "ens4"),
        ),
    ],
)
def test_stale_devices(document: dict[str, Any], stale: tuple[str, ...], links: tuple[str, ...]) -> None:
    assert stale_devices(BEFORE, document) == stale
    assert lower_links(stale, BEFORE, document, NICS) == links


@pytest.mark.parametrize(
    ("definition", "names"),
    [
        ({"match": {"driver": "virtio*"}}, ("ens4",)),
        ({"match": {"name": "en*"}, "set-name": "lan"}, ("lan",)),
        ({"match": {"name": "e*", "macaddress": "52:54:00:00:00:77"}}, ()),
        (None, ("a",)),
    ],
)
def test_a_definition_is_found_among_the_cards(definition: Any, names: tuple[str, ...]) -> None:
    document = {"ethernets": {"a": definition}, "vlans": {"v5": {"id": 5, "link": "a"}}}
    assert lower_links(["v5"], document, document, NICS) == names


@pytest.mark.parametrize(
    ("before", "document", "commands"),
    [
        ({"a": {"mtu": 9000}}, {"ethernets": {"a": {}}}, ["a mtu 1500"]),
        ({"a": {"mtu": 9000}}, {"ethernets": {"a": {"mtu": 1400}}}, []),
        (
            {"a": {"mtu": 9000, "macaddress": "52:54:00:00:00:77"}},
            {},
            ["a mtu 1500", "a address 52:54:00:00:00:01"],
        ),
        # One whose own address nobody knows keeps what it has.
        ({"x": {"match": {"driver": "virtio*"}, "macaddress": "52:54:00:00:00:77"}}, {}, []),
        ({"a": {}}, {"ethernets": {"a": {"mtu": 9000}}}, []),
        # The same card by another definition.
        ({"a": {"mtu": 9000}}, {"ethernets": {"y": {"match": {"name": "a"}, "mtu": 9000}}}, []),
        ({"a": {"mtu": 9000}}, {"ethernets": {"a": {}}, "bonds": {"bond0": {"interfaces": ["a"]}}}, []),
        (
            {"a": {"mtu": 9000}},
            {"ethernets": {"a": {}}, "bridges": {"br0": {"interfaces": ["a"]}}},
            ["a mtu 1500"],
        ),
        ({"absent": {"mtu": 9000}}, {}, []),
        # The name that it was given went before.
        ({"x": {"match": {"name": "a"}, "set-name": "lan", "mtu": 9000}}, {}, ["a mtu 1500"]),
        ({"a": None}, {"ethernets": None, "bonds": [1]}, []),
    ],
)
def test_cards_get_back_what_a_document_no_longer_says(
    before: dict[str, Any], document: dict[str, Any], commands: list[str]
) -> None:
    nics = [Nic(name="a", mac="52:54:00:00:00:77", permanent_mac="52:54:00:00:00:01"), NICS[1]]
    wanted = tuple(("ip", "link", "set", "dev", *words.split()) for words in commands)
    assert card_resets({"ethernets": before}, document, nics) == wanted


@pytest.mark.parametrize(
    ("definition", "pairs"),
    [
        ({"match": {"macaddress": "52:54:00:00:00:02"}, "set-name": "lan"}, (("ens4", "lan"),)),
        ({"match": {"macaddress": "52:54:00:00:00:02"}, "set-name": "ens4"}, ()),
        ({"match": {"macaddress": "52:54:00:00:00:02"}}, ()),
        # Of two nobody knows which.
        ({"match": {"macaddress": "52:54:00:00:00:0*", "name": "*"}, "set-name": "lan"}, ()),
        ({"match": {"name": "*"}, "set-name": "lan"}, ()),
        ({"set-name": "lan"}, ()),
        (None, ()),
    ],
)
def test_cards_that_a_document_names_otherwise(definition: Any, pairs: tuple[tuple[str, str], ...]) -> None:
    assert renames({"ethernets": {"uplink": definition}}, NICS) == pairs


def test_a_device_without_the_mtu_that_it_had_is_made_anew() -> None:
    jumbo = after(bonds={"bond0": {**BOND, "mtu": 9000}})
    assert stale_devices(BEFORE, jumbo) == ()
    assert stale_devices(jumbo, after(bonds={"bond0": {**BOND, "mtu": 8000}})) == ()
    assert stale_devices(jumbo, BEFORE) == ("bond0",)


def test_what_is_no_netplan_file_has_no_devices() -> None:
    for text in ("", "network: 7", "[", "network:\n  bonds: [1]\n"):
        assert stale_devices(document_of(text), BEFORE) == ()
    assert stale_devices({"bonds": {"x": None}}, {"bonds": {"x": {}}}) == ()


def test_a_loop_of_definitions_ends() -> None:
    loop = {"vlans": {"x": {"id": 1, "link": "y"}, "y": {"id": 2, "link": "x"}}}
    assert set(stale_devices(loop, {})) == {"x", "y"}


CARD = {"dhcp4": True}


@pytest.mark.parametrize(
    ("before", "after", "keys", "whole"),
    [
        (CARD, {**CARD, "wakeonlan": True}, ("ethernets.eth0.wakeonlan",), True),
        ({**CARD, "wakeonlan": True}, CARD, ("ethernets.eth0.wakeonlan",), True),
        (
            CARD,
            {"dhcp4": False, "generic-receive-offload": False, "wakeonlan": True},
            ("ethernets.eth0.generic-receive-offload", "ethernets.eth0.wakeonlan"),
            False,
        ),
        ({**CARD, "wakeonlan": True}, {"dhcp4": False, "wakeonlan": True}, (), False),
        (CARD, CARD, (), False),
    ],
)
def test_what_counts_only_from_the_next_start_on(
    before: dict[str, Any], after: dict[str, Any], keys: tuple[str, ...], whole: bool
) -> None:
    found = at_start({"ethernets": {"eth0": before}}, {"ethernets": {"eth0": after}})
    assert (found.keys, found.all) == (keys, whole)


def test_a_card_that_comes_or_goes_brings_its_settings() -> None:
    woken = {"ethernets": {"eth0": {"wakeonlan": True}}}
    assert at_start({}, woken).keys == at_start(woken, {}).keys == ("ethernets.eth0.wakeonlan",)
    assert at_start({"ethernets": None}, {"ethernets": {"eth0": None}}).keys == ()
