"""Netplan's document as the node gets it: the operator's, completed so that a lease and a boot are steady."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# A machine boots whatever is plugged in: no card is waited for, and each asks by its MAC, as the initrd did.
_ANY_CARD = {"dhcp4": True, "accept-ra": True, "dhcp-identifier": "mac", "optional": True}

# A match names one pattern only, so there is one definition for each way in which Linux names Ethernet cards.
DEFAULT: Mapping[str, Any] = {
    "version": 2,
    "ethernets": {
        "any-en": {"match": {"name": "en*"}, **_ANY_CARD},
        "any-eth": {"match": {"name": "eth*"}, **_ANY_CARD},
    },
}

# Linux takes 15 characters (IFNAMSIZ); what else it takes is no name for a file.
_INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,14}")
_YES = frozenset({"true", "yes", "on", "y"})


def completed(netplan: Mapping[str, Any]) -> dict[str, Any]:
    """Give the document below `network:`: the default one where `netplan` is empty, else it with additions.

    These are `version: 2`, and `dhcp-identifier: mac` for each interface with DHCP that names none: the
    initrd identifies by MAC too, so that the lease stays the same from the first fetch on.
    """
    document = {"version": 2, **(netplan or DEFAULT)}
    for kind, interfaces in document.items():
        if isinstance(interfaces, dict):
            document[kind] = {name: _identified(interface) for name, interface in interfaces.items()}
    return document


def with_mac_of_port(netplan: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the bonds and bridges that name no `macaddress`: they take that of their first port."""
    found = []
    for kind in ("bonds", "bridges"):
        definitions = netplan.get(kind)
        for name, body in definitions.items() if isinstance(definitions, dict) else ():
            if isinstance(body, dict) and "macaddress" not in body and _INTERFACE.fullmatch(str(name)):
                found.append(str(name))
    return tuple(found)


def _identified(interface: Any) -> Any:
    if not isinstance(interface, dict) or not is_yes(interface.get("dhcp4")):
        return interface
    return {**interface, "dhcp-identifier": interface.get("dhcp-identifier", "mac")}


def is_yes(value: Any) -> bool:
    """Tell whether netplan takes a value for true."""
    return value is True or (isinstance(value, str) and value.lower() in _YES)
