"""The kickstart's `network` directives in netplan's schema."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

Place = TypeVar("Place")

# Bond options as the kernel names them, and netplan's names (netplan-yaml's "parameters").
_BOND_OPTIONS: Mapping[str, str] = {
    "ad_select": "ad-select",
    "arp_interval": "arp-interval",
    "downdelay": "down-delay",
    "fail_over_mac": "fail-over-mac-policy",
    "lacp_rate": "lacp-rate",
    "miimon": "mii-monitor-interval",
    "min_links": "min-links",
    "mode": "mode",
    "primary": "primary",
    "updelay": "up-delay",
    "xmit_hash_policy": "transmit-hash-policy",
}

# Without a device, or with one of these words, anaconda takes the first link: here, every Ethernet NIC.
_ANY_DEVICE = frozenset({"", "link", "bootif", "ibft"})


def netplan(
    directives: Iterable[tuple[Place, Any]],
) -> tuple[str | None, dict[str, Any] | None, list[tuple[Place, str]]]:
    """Give the host name, what stands below netplan's `network:` (None without any), and complaints.

    Directives are pykickstart's, each with the place that a complaint about it names.
    """
    hostname: str | None = None
    network: dict[str, Any] = {}
    complaints: list[tuple[Place, str]] = []
    for place, one in directives:
        hostname = one.hostname or hostname
        if one.hostname and not one.device and not one.ip and one.bootProto in ("", "dhcp"):
            continue  # `network --hostname=NAME` alone says nothing about a link
        try:
            _add(network, one)
        except ValueError as error:
            complaints.append((place, f"network: {error}"))
    return hostname, ({"version": 2, **network} if network else None), complaints


def _add(network: dict[str, Any], one: Any) -> None:
    settings = _settings(one)
    if str(one.onboot).lower() in ("no", "off", "false", "0"):
        # Left to whoever calls `networkctl up`, and nothing waits for it.
        settings |= {"activation-mode": "manual", "optional": True}
    device = one.device or ""
    if one.vlanid:
        name = one.interfacename or f"{device}.{one.vlanid}"
        network.setdefault("vlans", {})[name] = {"id": int(one.vlanid), "link": device, **settings}
        network.setdefault("ethernets", {}).setdefault(device, {})
    elif one.bondslaves:
        members = [member.strip() for member in one.bondslaves.split(",")]
        bond = {"interfaces": members, **settings}
        if one.bondopts:
            bond["parameters"] = _bond_parameters(one.bondopts)
        network.setdefault("bonds", {})[device or "bond0"] = bond
        _add_members(network, members)
    elif one.bridgeslaves:
        members = [member.strip() for member in one.bridgeslaves.split(",")]
        network.setdefault("bridges", {})[device or "bridge0"] = {"interfaces": members, **settings}
        _add_members(network, members)
    elif device in _ANY_DEVICE:
        network.setdefault("ethernets", {})["any"] = {"match": {"name": "e*"}, "optional": True, **settings}
    elif ":" in device:
        key = "nic" + device.replace(":", "").lower()
        network.setdefault("ethernets", {})[key] = {"match": {"macaddress": device.lower()}, **settings}
    else:
        network.setdefault("ethernets", {})[device] = settings


def _add_members(network: dict[str, Any], members: Iterable[str]) -> None:
    for member in members:
        network.setdefault("ethernets", {}).setdefault(member, {})


def _settings(one: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    addresses: list[str] = []
    routes: list[dict[str, str]] = []
    if not one.noipv4:
        _add_ipv4(one, settings, addresses, routes)
    if one.noipv6:
        settings |= {"link-local": [], "accept-ra": False}
    else:
        _add_ipv6(one, settings, addresses, routes)
        if one.nodefroute:
            settings["ra-overrides"] = {"use-routes": False}
    lists = {"addresses": addresses, "routes": routes}
    settings |= {key: value for key, value in lists.items() if value}
    if one.nameserver:
        settings["nameservers"] = {"addresses": [name.strip() for name in one.nameserver.split(",")]}
    if one.mtu:
        settings["mtu"] = int(one.mtu)
    return settings


def _add_ipv4(one: Any, settings: dict[str, Any], addresses: list[str], routes: list[dict[str, str]]) -> None:
    if one.bootProto == "static" or one.ip:
        addresses.append(_ipv4(one.ip, one.netmask))
        if one.gateway and not one.nodefroute:
            routes.append({"to": "default", "via": one.gateway})
    elif one.bootProto in ("", "dhcp"):
        # The node is known by its MAC, whatever its machine-id is at this boot.
        settings |= {"dhcp4": True, "dhcp-identifier": "mac"}
        if one.nodefroute:
            settings["dhcp4-overrides"] = {"use-routes": False}
    else:
        raise ValueError(f"--bootproto={one.bootProto} is not honoured")


def _add_ipv6(one: Any, settings: dict[str, Any], addresses: list[str], routes: list[dict[str, str]]) -> None:
    if one.ipv6 == "dhcp":
        settings["dhcp6"] = True
    elif one.ipv6 not in ("", "auto", None):
        addresses.append(str(ipaddress.IPv6Interface(one.ipv6)))
        if one.ipv6gateway and not one.nodefroute:
            routes.append({"to": "default", "via": one.ipv6gateway})


def _ipv4(address: str, netmask: str) -> str:
    if not address or not netmask:
        raise ValueError("a static address needs --ip and --netmask")
    return str(ipaddress.IPv4Interface(f"{address}/{netmask}"))


def _bond_parameters(options: str) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    for option in options.replace(";", ",").split(","):
        name, _, value = option.strip().partition("=")
        if name not in _BOND_OPTIONS:
            raise ValueError(f"--bondopts: {name} is not honoured")
        parameters[_BOND_OPTIONS[name]] = int(value) if value.isdigit() else value
    return parameters
