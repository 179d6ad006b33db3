"""The kickstart's network directives in netplan's words."""

from __future__ import annotations

from typing import Any

import pytest

from node.errors import InputError
from tests.unit.image.conftest import KickstartText

DHCP = {"dhcp4": True, "dhcp-identifier": "mac"}


@pytest.mark.parametrize(
    ("line", "network"),
    [
        ("--bootproto=dhcp", {"ethernets": {"any": {"match": {"name": "e*"}, "optional": True, **DHCP}}}),
        ("--device=eth0", {"ethernets": {"eth0": DHCP}}),
        (
            "--device=52:54:00:AA:bb:01 --noipv6",
            {
                "ethernets": {
                    "nic525400aabb01": {
                        "match": {"macaddress": "52:54:00:aa:bb:01"},
                        **DHCP,
                        "link-local": [],
                        "accept-ra": False,
                    }
                }
            },
        ),
        (
            "--device=eth0 --onboot=no",
            {"ethernets": {"eth0": {**DHCP, "activation-mode": "manual", "optional": True}}},
        ),
        (
            "--device=eth0 --nodefroute",
            {
                "ethernets": {
                    "eth0": {
                        **DHCP,
                        "dhcp4-overrides": {"use-routes": False},
                        "ra-overrides": {"use-routes": False},
                    }
                }
            },
        ),
        (
            "--device=eth0 --vlanid=7 --mtu=9000",
            {"vlans": {"eth0.7": {"id": 7, "link": "eth0", **DHCP, "mtu": 9000}}, "ethernets": {"eth0": {}}},
        ),
        (
            "--device=bond0 --bondslaves=eth0,eth1 --bondopts=mode=802.3ad,miimon=100",
            {
                "bonds": {
                    "bond0": {
                        "interfaces": ["eth0", "eth1"],
                        **DHCP,
                        "parameters": {"mode": "802.3ad", "mii-monitor-interval": 100},
                    }
                },
                "ethernets": {"eth0": {}, "eth1": {}},
            },
        ),
        (
            "--device=br0 --bridgeslaves=eth0 --noipv4 --ipv6=2001:db8::2/64 --ipv6gateway=2001:db8::1",
            {
                "bridges": {
                    "br0": {
                        "interfaces": ["eth0"],
                        "addresses": ["2001:db8::2/64"],
                        "routes": [{"to": "default", "via": "2001:db8::1"}],
                    }
                },
                "ethernets": {"eth0": {}},
            },
        ),
        (
            "--device=eth0 --ip=192.0.2.9 --netmask=255.255.255.128 --nameserver=192.0.2.1,192.0.2.2",
            {
                "ethernets": {
                    "eth0": {
                        "addresses": ["192.0.2.9/25"],
                        "nameservers": {"addresses": ["192.0.2.1", "192.0.2.2"]},
                    }
                }
            },
        ),
    ],
)
def test_network(kickstart: KickstartText, line: str, network: dict[str, Any]) -> None:
    assert kickstart(f"network {line}\n").netplan == {"version": 2, **network}


def test_a_host_name_alone_touches_no_link(kickstart: KickstartText) -> None:
    ks = kickstart("network --hostname=n1\n")
    assert (ks.hostname, ks.netplan) == ("n1", None)


def test_an_unknown_bond_option_is_named(kickstart: KickstartText) -> None:
    with pytest.raises(InputError) as caught:
        kickstart("network --device=b --bondslaves=a,c --bondopts=mode=1,colour=red\n")
    assert "colour is not honoured" in caught.value.details
