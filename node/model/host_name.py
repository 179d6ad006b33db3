"""Host names and addresses as text, for every section that takes some."""

from __future__ import annotations

import re
from ipaddress import ip_address

# RFC 1123, section 2.1: letters, digits and inner hyphens, 63 a label. Linux holds 64 in all (HOST_NAME_MAX).
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
HOST_NAME_MAX = 64
DNS_NAME_MAX = 253


def host_name_fault(name: str, *, longest: int = HOST_NAME_MAX) -> str:
    """Say what keeps `name` from being a host name, "" where nothing does."""
    if len(name) > longest:
        return f"'{name}' has {len(name)} characters; a host name has {longest} at most"
    labels = name.split(".")
    for label in labels:
        if not _LABEL.fullmatch(label):
            return f"'{name}' is not a host name: '{label}' is no label of letters, digits and inner hyphens"
    if labels[-1].isdigit():
        return f"'{name}' is not a host name: its last part is a number, so it reads as an address"
    return ""


def is_address(text: str) -> bool:
    """Tell whether `text` is an IPv4 or IPv6 address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def host_fault(text: str) -> str:
    """Say what keeps `text` from naming a host of the network, by name or address; "" where nothing does."""
    return "" if is_address(text) else host_name_fault(text, longest=DNS_NAME_MAX)
