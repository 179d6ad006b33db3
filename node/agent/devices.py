"""Which network devices a new netplan document makes stale, since networkd never mends an existing one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import yaml

from node.model.inventory import Nic

# Netplan's kinds of definitions that networkd makes devices of; the name of the definition is the device's.
_MADE = ("bonds", "bridges", "vlans", "tunnels", "vrfs", "dummy-devices", "virtual-ethernets")

# What netplan writes into the .network file, which `networkctl reload` brings into force. All else of a
# definition is in its .netdev file, and that counts only when the device is made.
_OF_THE_NETWORK = frozenset(
    """
    accept-ra activation-mode addresses critical dhcp-identifier dhcp4 dhcp4-overrides dhcp6 dhcp6-overrides
    gateway4 gateway6 ignore-carrier interfaces ipv6-address-generation ipv6-address-token ipv6-privacy
    link-local mtu nameservers optional optional-addresses renderer routes routing-policy
    """.split()  # noqa: SIM905 - twenty names read best as words
)

# What netplan writes into a .link file, which udev reads when a card comes; and SR-IOV, made at a start.
_OF_THE_START = frozenset(
    """
    delay-virtual-functions-rebind embedded-switch-mode generic-receive-offload generic-segmentation-offload
    infiniband-mode large-receive-offload receive-checksum-offload tcp-segmentation-offload
    tcp6-segmentation-offload transmit-checksum-offload virtual-function-count wakeonlan
    """.split()  # noqa: SIM905 - a dozen names read best as words
)

# Of Ethernet (RFC 894), which drivers begin with.
_MTU = "1500"

Document = Mapping[str, Any]


def document_of(text: str) -> Document:
    """Give what stands below `network:` in a netplan file; empty for what is none."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    network = found.get("network") if isinstance(found, dict) else None
    return network if isinstance(network, dict) else {}


@dataclass(frozen=True)
class AtStart:
    """Dotted keys whose change counts from the next start on; `all` tells that nothing else changes."""

    keys: tuple[str, ...] = ()
    all: bool = False


def at_start(before: Document, after: Document) -> AtStart:
    """Give what of a change neither networkd nor a command of ours brings into force."""
    old, new = _ethernets(before), _ethernets(after)
    keys = []
    for name in dict.fromkeys([*old, *new]):
        was, now = (one if isinstance(one := body.get(name), Mapping) else {} for body in (old, new))
        keys += [f"ethernets.{name}.{key}" for key in sorted(_OF_THE_START) if was.get(key) != now.get(key)]
    return AtStart(tuple(keys), bool(keys) and _live_part(before) == _live_part(after))


def _live_part(document: Document) -> Document:
    ethernets = {
        name: {key: value for key, value in one.items() if key not in _OF_THE_START}
        if isinstance(one, Mapping)
        else one
        for name, one in _ethernets(document).items()
    }
    return {**document, "ethernets": ethernets}


def stale_devices(before: Document, after: Document) -> tuple[str, ...]:
    """Give the devices of `before` that `after` no longer has or has otherwise, the upper ones first.

    They must go before networkd reads its new files, or it keeps the old parameters for ever.
    """
    new = dict(_made(after))
    gone = [name for name, old in _made(before) if name not in new or _is_other(old, new[name])]
    # What stands on a device goes with it in the kernel; taken first, nothing vanishes by surprise.
    return tuple(sorted(gone, key=lambda name: (-_height(name, before), name)))


def card_resets(before: Document, after: Document, nics: Sequence[Nic]) -> tuple[tuple[str, ...], ...]:
    """Give the commands that give cards their own MTU and MAC back, where `after` doesn't say them any more.

    networkd sets what its files say, and takes nothing back. The ports of a bond have what it gives them.
    """
    bonds = after.get("bonds")
    bonded = {
        port
        for one in (bonds.values() if isinstance(bonds, Mapping) else ())
        for member in (_members(one) if isinstance(one, Mapping) else ())
        for port in _kernel_names(member, _ethernets(after).get(member), nics)
    }
    commands: list[tuple[str, ...]] = []
    for key, word in (("mtu", "mtu"), ("macaddress", "address")):
        left = _cards_with(key, before, nics) - _cards_with(key, after, nics) - bonded
        for nic in nics:
            if nic.name in left and (value := _MTU if key == "mtu" else nic.permanent_mac):
                commands.append(("ip", "link", "set", "dev", nic.name, word, value))
    return tuple(commands)


def lower_links(
    stale: Sequence[str], before: Document, after: Document, nics: Sequence[Nic]
) -> tuple[str, ...]:
    """Give the links that must be set up anew once these devices were taken away: their members and parents.

    networkd joins a link to a device while it sets the link up, so one whose own file is as before would
    stay alone. A member of a device that is gone for good may have failed at joining it once more, and
    networkd passes such a link over when it reads new files. Names are the kernel's; `nics` resolve what a
    definition only matches.
    """
    below: list[str] = []
    for name, (_, one) in _made(after):
        if name in stale:
            below += _lower(one)
    for name, (_, one) in _made(before):
        if name in stale:
            below += _members(one)
    definitions = {**_ethernets(before), **_ethernets(after)}
    wanted = [lower for lower in below if lower not in stale]
    names = [name for lower in wanted for name in _kernel_names(lower, definitions.get(lower), nics)]
    return tuple(dict.fromkeys(names))


def renames(document: Document, nics: Sequence[Nic]) -> tuple[tuple[str, str], ...]:
    """Give the cards that a document names otherwise, as the name they have and the one they get.

    netplan's file for networkd goes by the new name, which udev gives only to a card that comes.
    """
    pairs = []
    for one in _ethernets(document).values():
        name, match = (one.get("set-name"), one.get("match")) if isinstance(one, Mapping) else ("", None)
        if not name or not isinstance(match, Mapping) or not match:
            continue
        fitting = [nic.name for nic in nics if _fits(nic, match)]
        # Two can't have one name; netplan leaves both as they are.
        if len(fitting) == 1 and fitting[0] != str(name):
            pairs.append((fitting[0], str(name)))
    return tuple(pairs)


def made_devices(document: Document) -> tuple[str, ...]:
    """Give the names of all devices that networkd makes for a document."""
    return tuple(name for name, _ in _made(document))


def _made(document: Document) -> Iterator[tuple[str, tuple[str, Mapping[str, Any]]]]:
    for kind in _MADE:
        definitions = document.get(kind)
        for name, one in definitions.items() if isinstance(definitions, Mapping) else ():
            yield str(name), (kind, one if isinstance(one, Mapping) else {})


def _is_other(old: tuple[str, Mapping[str, Any]], new: tuple[str, Mapping[str, Any]]) -> bool:
    # An MTU can be set at any time, but only a device that is made anew forgets it.
    forgets = "mtu" in old[1] and "mtu" not in new[1]
    return (old[0], _device(old[1])) != (new[0], _device(new[1])) or forgets


def _device(one: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if key not in _OF_THE_NETWORK}


def _ethernets(document: Document) -> Mapping[str, Any]:
    found = document.get("ethernets")
    return found if isinstance(found, Mapping) else {}


def _cards_with(key: str, document: Document, nics: Sequence[Nic]) -> set[str]:
    """Give the cards whose definition says `key`: by the name that it gives, and by the one they have now."""
    found: set[str] = set()
    for name, one in _ethernets(document).items():
        if isinstance(one, Mapping) and one.get(key) is not None:
            match = one.get("match")
            found |= set(_kernel_names(str(name), one, nics))
            found |= {nic.name for nic in nics if isinstance(match, Mapping) and match and _fits(nic, match)}
    return found


def _members(one: Mapping[str, Any]) -> list[str]:
    members = one.get("interfaces")
    return [str(member) for member in members] if isinstance(members, list) else []


def _lower(one: Mapping[str, Any]) -> list[str]:
    return [*_members(one), *([str(one["link"])] if one.get("link") else [])]


def _height(name: str, document: Document, seen: tuple[str, ...] = ()) -> int:
    made = dict(_made(document))
    if name not in made or name in seen:
        return 0
    below = [_height(lower, document, (*seen, name)) for lower in _lower(made[name][1])]
    return 1 + max(below, default=0)


def _kernel_names(name: str, definition: Any, nics: Sequence[Nic]) -> list[str]:
    if not isinstance(definition, Mapping):
        return [name]
    if definition.get("set-name"):
        return [str(definition["set-name"])]
    match = definition.get("match")
    if not isinstance(match, Mapping) or not match:
        return [name]
    return [nic.name for nic in nics if _fits(nic, match)]


def _fits(nic: Nic, match: Mapping[str, Any]) -> bool:
    if (pattern := match.get("name")) is not None and not fnmatchcase(nic.name, str(pattern)):
        return False
    macs = (nic.mac.lower(), nic.permanent_mac.lower())
    if (mac := match.get("macaddress")) is not None and str(mac).lower() not in macs:
        return False
    drivers = match.get("driver")
    patterns = [] if drivers is None else drivers if isinstance(drivers, list) else [drivers]
    return not patterns or any(fnmatchcase(nic.driver, str(pattern)) for pattern in patterns)
