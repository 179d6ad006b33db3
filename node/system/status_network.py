"""Reads interfaces and routes from iproute2's JSON."""

from __future__ import annotations

import json
from typing import Any

from node.errors import CommandFailedError
from node.model.inventory import Unknown
from node.model.status import Interface
from node.model.system import Commands

_TIMEOUT_S = 10.0
# Of libvirt's and the kernel's own making: they say nothing of how to reach the node.
_GUEST_PREFIXES = ("virbr", "vnet")
_GUEST_KINDS = ("tun", "veth", "macvtap", "ifb", "dummy")


def read_interfaces(commands: Commands, unknown: list[Unknown]) -> tuple[Interface, ...]:
    """Give the machine's own interfaces: no loopback, nothing that serves guests."""
    found = []
    for link in _ask(commands, ["ip", "-json", "-details", "address", "show"], "network interfaces", unknown):
        name = str(link.get("ifname", ""))
        kind = str(link.get("linkinfo", {}).get("info_kind") or "ethernet")
        if link.get("link_type") != "ether" or name.startswith(_GUEST_PREFIXES) or kind in _GUEST_KINDS:
            continue
        addresses = tuple(
            f"{address['local']}/{address['prefixlen']}"
            for address in link.get("addr_info", [])
            if address.get("scope") == "global" and not address.get("deprecated")
        )
        found.append(
            Interface(
                name=name,
                kind=kind,
                mac=str(link.get("address", "")),
                up="LOWER_UP" in link.get("flags", []),
                addresses=addresses,
            )
        )
    return tuple(found)


def read_gateways(commands: Commands, unknown: list[Unknown]) -> tuple[str, ...]:
    """Give the default routes' gateways, of IPv4 first, each once."""
    found: list[str] = []
    for family in ("-4", "-6"):
        argv = ["ip", "-json", family, "route", "show", "default"]
        for route in _ask(commands, argv, "routes", unknown):
            gateway = str(route.get("gateway") or "")
            text = f"{gateway} ({route.get('dev')})"
            if gateway and text not in found:
                found.append(text)
    return tuple(found)


def why(error: CommandFailedError | ValueError) -> str:
    """Give a failure in one line: the command's last word, where it had one."""
    if isinstance(error, CommandFailedError) and error.details.strip():
        return f"{error.brief}: {error.details.strip().splitlines()[-1]}"
    return str(error)


def _ask(commands: Commands, argv: list[str], what: str, unknown: list[Unknown]) -> list[dict[str, Any]]:
    try:
        data = json.loads(commands.run(argv, timeout_s=_TIMEOUT_S).output or "[]")
    except (CommandFailedError, ValueError) as error:
        unknown.append(Unknown(what, why(error)))
        return []
    return [entry for entry in data if isinstance(entry, dict) and entry]
