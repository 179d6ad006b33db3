"""Netplan's text: written as netplan reads it, and the way back from a line and column to a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

KeyPath = tuple[str | int, ...]

# What may stand in a document (netplan's YAML reference, 1.1), for hints about misspelt words only.
WORDS = frozenset(
    """
    version renderer ethernets bonds bridges vlans vrfs tunnels dummy-devices virtual-ethernets wifis modems
    match name macaddress driver set-name wakeonlan optional optional-addresses critical ignore-carrier
    activation-mode addresses dhcp4 dhcp6 dhcp-identifier dhcp4-overrides dhcp6-overrides use-dns use-ntp
    use-domains use-hostname use-mtu use-routes send-hostname hostname route-metric accept-ra ra-overrides
    link-local ipv6-privacy ipv6-address-generation ipv6-address-token ipv6-mtu gateway4 gateway6 nameservers
    search mtu emit-lldp routes to via on-link metric type scope table from advertised-mss
    routing-policy priority mark type-of-service interfaces parameters mode lacp-rate mii-monitor-interval
    min-links transmit-hash-policy ad-select all-members-active arp-interval arp-ip-targets arp-validate
    arp-all-targets up-delay down-delay fail-over-mac-policy gratuitous-arp packets-per-member
    primary-reselect-policy resend-igmp learn-packet-interval primary balance-rr active-backup balance-xor
    broadcast 802.3ad balance-tlb balance-alb ageing-time forward-delay hello-time max-age path-cost
    port-priority stp hairpin id link local remote ttl key port auth key-management password identity
    ca-certificate client-certificate client-key receive-checksum-offload transmit-checksum-offload
    tcp-segmentation-offload generic-segmentation-offload generic-receive-offload large-receive-offload
    infiniband-mode virtual-function-count embedded-switch-mode neigh-suppress networkd
    """.split()  # noqa: SIM905 - a hundred words read best as words
)


class _Plain(yaml.SafeDumper):
    """Without anchors, which netplan's parser refuses."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the dumper's own interface
        """Write every value where it stands."""
        return True


def to_yaml(document: Mapping[str, Any]) -> str:
    """Give the file for what stands below `network:`."""
    return yaml.dump(
        {"network": dict(document)},
        Dumper=_Plain,
        sort_keys=False,
        default_flow_style=False,
        allow_unicode=True,
    )


def path_at(text: str, *, line: int, column: int) -> KeyPath:
    """Give the path below `network` of the innermost key or item that stands at a place, counted from 1."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    place = (line - 1, column - 1)
    found: list[str | int] = []
    while node is not None:
        step = _into(node, place)
        if step is None:
            break
        name, node = step
        found.append(name)
    return tuple(found[1:])


def _into(node: yaml.Node, place: tuple[int, int]) -> tuple[str | int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if _start(key) <= place < _end(value):
                return str(key.value), value
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            if _start(item) <= place < _end(item):
                return number, item
    return None


def _start(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line, node.start_mark.column


def _end(node: yaml.Node) -> tuple[int, int]:
    # An empty plain scalar (a null) ends where it begins; it still owns its place.
    return node.end_mark.line, node.end_mark.column + (node.start_mark == node.end_mark)


def dotted(path: KeyPath) -> str:
    """Give a path as the dotted key of the answers: `ethernets.eth0.addresses.0`."""
    return ".".join(str(part) for part in path)
