from __future__ import annotations

import pytest

from node.plugins.network.document import with_mac_of_port
from node.plugins.network.sense import doubts

CARD = {"dhcp4": True}


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({}, []),
        ({"ethernets": ["a"], "bonds": {"b": 5}}, []),
        ({"ethernets": {"a": {}}}, [("no-address", "")]),
        ({"ethernets": {"a": {"accept-ra": True}}}, []),
        ({"ethernets": {"a": {"addresses": [{"192.0.2.1/24": {"lifetime": 0}}]}}}, []),
        ({"ethernets": {"a": {"addresses": ["nonsense"]}}}, [("no-address", "")]),
        (
            {"ethernets": {"a": CARD}, "bonds": {"b": {"interfaces": ["a"], "dhcp4": True}}},
            [("member-with-address", "ethernets.a")],
        ),
        ({"bridges": {"b": {"dhcp4": True}}}, [("no-members", "bridges.b")]),
        (
            {"ethernets": {"a": {"addresses": ["192.0.2.9/24"], "routes": [{"via": "192.0.3.1"}]}}},
            [("gateway-out-of-reach", "ethernets.a.routes.0")],
        ),
        (
            {"ethernets": {"a": {"addresses": ["192.0.2.9/24"], "routes": [{"via": "2001:db8::1"}]}}},
            [("gateway-out-of-reach", "ethernets.a.routes.0")],
        ),
        (
            {
                "ethernets": {
                    "a": {
                        "addresses": ["192.0.2.9/24"],
                        "routes": [
                            {"via": "192.0.2.1"},
                            {"via": "192.0.3.1", "on-link": True},
                            {"via": "fe80::1"},
                            {"via": "nonsense"},
                        ],
                    }
                }
            },
            [],
        ),
        ({"ethernets": {"a": {"dhcp4": True, "routes": [{"via": "192.0.3.1"}]}}}, []),
        (
            {"ethernets": {"a": CARD}, "vlans": {"v": {"id": 5, "link": "a", "mtu": 9000}}},
            [("mtu-too-large", "vlans.v.mtu")],
        ),
        (
            {
                "ethernets": {"a": {"mtu": 1400}},
                "bridges": {"b": {"interfaces": ["a"], "dhcp4": True, "mtu": 1500}},
            },
            [("mtu-too-large", "bridges.b.mtu")],
        ),
        (
            {
                "ethernets": {"a": {"mtu": "9000", **CARD}},
                "vlans": {"v": {"id": 5, "link": "a", "mtu": "9000"}},
            },
            [],
        ),
    ],
)
def test_what_netplan_takes_and_a_node_would_suffer_from(document, found):
    assert [(doubt.code, doubt.key) for doubt in doubts(document)] == found


def test_bonds_and_bridges_take_the_mac_of_their_first_port_unless_they_have_one():
    document = {
        "bonds": {
            "b": {},
            "m": {"macaddress": "52:54:00:00:00:01"},
            "../etc/x": {},
            "longer-than-linux-": {},
        },
        "bridges": {"br": {}, "x": 5},
        "vlans": {"v": {}},
    }
    assert with_mac_of_port(document) == ("b", "br")
    assert with_mac_of_port({"bonds": ["b"]}) == ()
