"""The network as a page asks it, and netplan's document that this amounts to; and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface
from typing import Any

from node.model.inventory import Nic

OFF, DHCP, STATIC, AUTO = "off", "dhcp", "static", "auto"
BOND = "bond0"
BOND_MODES = ("active-backup", "802.3ad", "balance-alb", "balance-tlb", "balance-xor", "balance-rr")


@dataclass(frozen=True)
class NetworkForm:
    """What is typed. Without cards everything is left to DHCP on every card; two or more make a bond.

    `vlan` is the tag as typed, "" for none; addresses have their prefix.
    """

    cards: tuple[str, ...] = ()
    bond_mode: str = BOND_MODES[0]
    vlan: str = ""
    ipv4: str = DHCP
    address4: str = ""
    gateway4: str = ""
    ipv6: str = AUTO
    address6: str = ""
    gateway6: str = ""
    mtu: str = ""


def netplan_of(form: NetworkForm) -> dict[str, Any]:
    """Give what stands below `network:`; empty where no card is marked."""
    if not form.cards:
        return {}
    document: dict[str, Any] = {"ethernets": {}}
    lower = form.cards[0]
    mtu = {"mtu": int(form.mtu)} if form.mtu.isdigit() else {}
    top: dict[str, Any] = _addressing(form) | mtu
    if len(form.cards) > 1:
        document["ethernets"] = {card: {} for card in form.cards}
        lower = BOND
        body = {"interfaces": list(form.cards), "parameters": _parameters(form.bond_mode)}
        document["bonds"] = {BOND: body | mtu if form.vlan else body | top}
    else:
        document["ethernets"] = {lower: mtu if form.vlan else top}
    if form.vlan:
        tag = int(form.vlan) if form.vlan.isdigit() else form.vlan
        document["vlans"] = {_vlan_name(lower, form.vlan): {"id": tag, "link": lower} | top}
    return document


def form_of(netplan: Mapping[str, Any]) -> NetworkForm | None:
    """Give the form whose document this is; None where a form can't say it."""
    if not netplan:
        return NetworkForm()
    try:
        form = _read(netplan)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return None
    given = {key: value for key, value in netplan.items() if key not in ("version", "renderer")}
    return form if netplan_of(form) == given else None


def faults(form: NetworkForm) -> dict[str, str]:
    """Give what is wrong with single fields, by their names: words to read beside them."""
    found: dict[str, str] = {}
    if not form.cards:
        return found
    if form.vlan and not (form.vlan.isdigit() and 1 <= int(form.vlan) <= 4094):
        found["vlan"] = "A VLAN is a number from 1 to 4094"
    if form.mtu and not (form.mtu.isdigit() and 576 <= int(form.mtu) <= 9216):
        found["mtu"] = "An MTU is a number from 576 to 9216"
    for version, how in ((4, form.ipv4), (6, form.ipv6)):
        if how == STATIC:
            found |= _static_faults(form, version)
    return found


def described(nic: Nic) -> str:
    """Give a card's link in words."""
    if nic.link is None:
        return "unknown"
    if not nic.link:
        return "no link"
    speed = nic.speed_mbps or 0
    return f"{speed // 1000} Gb/s" if speed >= 1000 else f"{speed} Mb/s" if speed else "link"


def _static_faults(form: NetworkForm, version: int) -> dict[str, str]:
    address, gateway = (form.address4, form.gateway4) if version == 4 else (form.address6, form.gateway6)
    example = "192.0.2.10/24" if version == 4 else "2001:db8::10/64"
    try:
        interface = ip_interface(address)
    except ValueError:
        return {f"address{version}": f"An address with its prefix is needed, such as {example}"}
    if "/" not in address or interface.version != version:
        return {f"address{version}": f"An address with its prefix is needed, such as {example}"}
    if not gateway:
        return {}
    try:
        via = ip_address(gateway)
    except ValueError:
        return {f"gateway{version}": "This is not an address"}
    if via.version != version or (via not in interface.network and not via.is_link_local):
        return {f"gateway{version}": f"The gateway is not in {interface.network}"}
    return {}


def _addressing(form: NetworkForm) -> dict[str, Any]:
    body: dict[str, Any] = {}
    addresses, routes = [], []
    body["dhcp4"] = form.ipv4 == DHCP
    if form.ipv4 == STATIC:
        addresses.append(form.address4)
        if form.gateway4:
            routes.append({"to": "default", "via": form.gateway4})
    if form.ipv6 == DHCP:
        body["dhcp6"] = True
    body["accept-ra"] = form.ipv6 in (AUTO, DHCP)
    if form.ipv6 == STATIC:
        addresses.append(form.address6)
        if form.gateway6:
            routes.append({"to": "default", "via": form.gateway6})
    if form.ipv6 == OFF:
        body["link-local"] = []
    if addresses:
        body["addresses"] = addresses
    if routes:
        body["routes"] = routes
    return body


def _parameters(mode: str) -> dict[str, Any]:
    # Without a monitor a bond never notices that a cable was pulled.
    return {"mode": mode, "mii-monitor-interval": 100}


def _vlan_name(lower: str, tag: str) -> str:
    # IFNAMSIZ leaves fifteen characters.
    name = f"{lower}.{tag}"
    return name if len(name) <= 15 else f"vlan{tag}"


def _read(netplan: Mapping[str, Any]) -> NetworkForm:
    ethernets, bonds, vlans = (netplan.get(kind) or {} for kind in ("ethernets", "bonds", "vlans"))
    cards, mode = tuple(map(str, ethernets)), BOND_MODES[0]
    top = next(iter(ethernets.values()))
    if bonds:
        top = next(iter(bonds.values()))
        cards, mode = tuple(map(str, top["interfaces"])), str(top["parameters"]["mode"])
    vlan = ""
    if vlans:
        top = next(iter(vlans.values()))
        vlan = str(top["id"])
    v4, v6 = ("", ""), ("", "")
    for address in top.get("addresses", ()):
        if ip_interface(address).version == 4:
            v4 = (str(address), v4[1])
        else:
            v6 = (str(address), v6[1])
    for route in top.get("routes", ()):
        if ip_address(route["via"]).version == 4:
            v4 = (v4[0], str(route["via"]))
        else:
            v6 = (v6[0], str(route["via"]))
    if v6[0]:
        ipv6 = STATIC
    elif top.get("dhcp6"):
        ipv6 = DHCP
    else:
        ipv6 = OFF if "link-local" in top else AUTO
    return NetworkForm(
        cards=cards,
        bond_mode=mode,
        vlan=vlan,
        ipv4=STATIC if v4[0] else DHCP if top.get("dhcp4") else OFF,
        address4=v4[0],
        gateway4=v4[1],
        ipv6=ipv6,
        address6=v6[0],
        gateway6=v6[1],
        mtu=str(top.get("mtu", "")),
    )
