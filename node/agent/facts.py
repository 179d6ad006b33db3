"""What the node tells a server of itself: the inventory as plain data, with what the old protocol told."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from node.model.health import HealthCheck
from node.model.inventory import Inventory, Nic
from node.model.status import NodeStatus

FORMAT = 1
# One plugin must not push out the others: all facts together are at most 1 MiB.
PLUGIN_MOST = 128 << 10


def facts_of(
    inventory: Inventory,
    status: NodeStatus,
    processors: Sequence[Mapping[str, Any]],
    plugins: Mapping[str, Any],
    checks: Sequence[HealthCheck] = (),
) -> dict[str, Any]:
    """Give the facts. What changes by itself all the time is left out, so that equal facts stay equal.

    `plugins` are plugins' own, by name, `checks` those of the node's health. Sizes are bytes, speeds MHz
    and Mbit/s.
    """
    flags = set(processors[0]["flags"]) if processors else set()
    common = flags.intersection(*(each["flags"] for each in processors))
    return {
        "format": FORMAT,
        "hostname": inventory.hostname,
        "architecture": inventory.architecture,
        "cpu": {
            **asdict(inventory.cpu),
            "flags": sorted(common or inventory.cpu.flags),
            # Flags that all have stand above once: a machine of 512 processors has 1 MiB of them.
            "processors": [{**each, "flags": sorted(set(each["flags"]) - common)} for each in processors],
        },
        "memory": inventory.memory,
        "firmware": asdict(inventory.firmware),
        "virtualization": asdict(inventory.virtualization),
        "disks": [_disk(each) for each in json.loads(inventory.to_json())["disks"]],
        "nics": [_nic(nic) for nic in inventory.nics],
        "interfaces": [
            {"name": each.name, "kind": each.kind, "mac": each.mac, "addresses": sorted(each.addresses)}
            for each in status.interfaces
        ],
        "image": asdict(status.image) if status.image else None,
        "installed": asdict(status.installed) if status.installed else None,
        "slots": [asdict(each) for each in inventory.installations],
        "ssh_host_keys": [asdict(key) for key in status.host_keys],
        "checks": [asdict(each) for each in sorted(checks, key=lambda check: check.name)],
        "unknown": [asdict(each) for each in inventory.unknown],
        "plugins": {name: _own(value) for name, value in sorted(plugins.items())},
    }


def _disk(disk: dict[str, Any]) -> dict[str, Any]:
    """Give a disk without what is mounted from it, which comes and goes."""
    return {key: value for key, value in disk.items() if key != "users"}


def _nic(nic: Nic) -> dict[str, Any]:
    return {**asdict(nic), "addresses": [_address(each) for each in sorted(nic.addresses)]}


def _address(text: str) -> dict[str, Any]:
    try:
        found = ipaddress.ip_interface(text)
    except ValueError:
        return {"address": text}
    data: dict[str, Any] = {"address": str(found.ip), "prefix": found.network.prefixlen}
    if isinstance(found, ipaddress.IPv4Interface):
        data |= {"netmask": str(found.netmask), "broadcast": str(found.network.broadcast_address)}
    return data


def _own(value: Any) -> Any:
    """Give what a plugin told where it is plain data of a size, else why not."""
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        return {"fault": f"no plain data: {type(error).__name__}"}
    return json.loads(text) if len(text) <= PLUGIN_MOST else {"fault": f"{len(text)} bytes are too many"}
