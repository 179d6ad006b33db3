"""What netplan takes and a node would suffer from: no address, a gateway out of reach ..."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from node.plugins.network.document import is_yes

# Ethernet's, which an interface has unless `mtu` says otherwise.
_MTU = 1500


@dataclass(frozen=True)
class Doubt:
    """`key` is dotted and below `network.netplan`."""

    code: str
    key: str
    what: str
    mend: str


@dataclass(frozen=True)
class _Interface:
    kind: str
    name: str
    body: Mapping[str, Any]

    @property
    def key(self) -> str:
        return f"{self.kind}.{self.name}"

    @property
    def members(self) -> tuple[str, ...]:
        given = self.body.get("interfaces")
        return tuple(map(str, given)) if isinstance(given, list) else ()

    @property
    def mtu(self) -> int:
        given = str(self.body.get("mtu", _MTU))
        return int(given) if given.isdigit() else _MTU

    @property
    def asks(self) -> bool:
        return any(is_yes(self.body.get(word)) for word in ("dhcp4", "dhcp6", "accept-ra"))

    def networks(self) -> list[IPv4Network | IPv6Network]:
        """Give the networks of its static addresses; what is none is netplan's to refuse."""
        found = []
        for item in _list(self.body.get("addresses")):
            # An address with options is a mapping of one key.
            text = next(iter(item), "") if isinstance(item, dict) else item
            try:
                found.append(ip_network(str(text), strict=False))
            except ValueError:
                continue
        return found


def doubts(netplan: Mapping[str, Any]) -> Iterator[Doubt]:
    """Give what is doubtful in a document; nothing for what is no document of netplan's."""
    interfaces = {one.name: one for one in _interfaces(netplan)}
    if interfaces and not any(one.asks or one.networks() for one in interfaces.values()):
        yield Doubt(
            "no-address",
            "",
            "no interface has an address or asks for one; the node may be out of reach",
            "Give one of them `dhcp4: true` or `addresses`",
        )
    for one in interfaces.values():
        yield from _members(one, interfaces)
        yield from _gateways(one)
        yield from _mtu(one, interfaces)


def _interfaces(netplan: Mapping[str, Any]) -> Iterator[_Interface]:
    for kind, definitions in netplan.items():
        if isinstance(definitions, dict):
            for name, body in definitions.items():
                if isinstance(body, dict):
                    yield _Interface(str(kind), str(name), body)


def _members(one: _Interface, interfaces: Mapping[str, _Interface]) -> Iterator[Doubt]:
    what = {"bonds": "bond", "bridges": "bridge"}.get(one.kind)
    if what is None:
        return
    if not one.members:
        yield Doubt(
            "no-members", one.key, f"the {what} has no interfaces of its own", "Name some under `interfaces`"
        )
    for name in one.members:
        member = interfaces.get(name)
        if member and (member.networks() or is_yes(member.body.get("dhcp4"))):
            yield Doubt(
                "member-with-address",
                member.key,
                f"it belongs to the {what} {one.name}, where an address of its own doesn't work",
                f"Give the address to {one.key}",
            )


def _gateways(one: _Interface) -> Iterator[Doubt]:
    networks = one.networks()
    routes = _list(one.body.get("routes"))
    for number, route in enumerate(routes):
        if not isinstance(route, dict) or "via" not in route or is_yes(route.get("on-link")):
            continue
        try:
            via = ip_address(str(route["via"]))
        except ValueError:
            continue
        same = [network for network in networks if network.version == via.version]
        asks = is_yes(one.body.get(f"dhcp{via.version}")) or (via.version == 6 and one.asks)
        if via.is_link_local or asks or any(via in network for network in same):
            continue
        yield Doubt(
            "gateway-out-of-reach",
            f"{one.key}.routes.{number}",
            f"no network of {one.name} holds the gateway {via}",
            "Correct `via` or the prefix of the address, or add `on-link: true`",
        )


def _mtu(one: _Interface, interfaces: Mapping[str, _Interface]) -> Iterator[Doubt]:
    # A bond gives its MTU to its members; a VLAN and a bridge get no more than what is below them has.
    below = {"vlans": (str(one.body.get("link")),), "bridges": one.members}.get(one.kind, ())
    for name in below:
        lower = interfaces.get(name)
        if lower and lower.mtu < one.mtu:
            yield Doubt(
                "mtu-too-large",
                f"{one.key}.mtu",
                f"{one.mtu} is more than the {lower.mtu} of {name} below it",
                f"Give {lower.key} an `mtu` of at least {one.mtu}",
            )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
