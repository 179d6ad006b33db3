"""The hooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from extra_facts import reading
from node.hookspecs import hookimpl
from node.model.health import HealthCheck, Outcome
from node.model.inventory import Inventory

BLOCK = Path("/sys/block")
# Of these no disk is behind them, or none that tells of itself.
_NO_DISKS = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd")


@hookimpl
def node_probe(inventory: Inventory) -> Mapping[str, Any]:
    """Tell what DMI says, which sensors there are, and how each disk thinks of itself."""
    return {
        "dmi": reading.dmi(),
        # Which there are, and not what they show: that changes all the time.
        "sensors": sorted(reading.sensors()),
        "smart": reading.smart(disk.node for disk in inventory.disks),
    }


@hookimpl
def node_health_checks() -> Sequence[HealthCheck]:
    """Judge temperatures and disks."""
    return (_temperatures(), _disks())


def _temperatures() -> HealthCheck:
    found = reading.sensors()
    if not found:
        return HealthCheck("temperatures", Outcome.SKIPPED, "no sensor tells of any")
    hot = [name for name, one in found.items() if one["now"] >= one.get("critical", float("inf"))]
    if hot:
        return HealthCheck("temperatures", Outcome.FAILED, f"too hot: {', '.join(hot)}")
    return HealthCheck("temperatures", Outcome.PASSED, f"{len(found)} sensors")


def _disks() -> HealthCheck:
    names = [one.name for one in sorted(BLOCK.glob("*")) if not one.name.startswith(_NO_DISKS)]
    found = reading.smart(f"/dev/{name}" for name in names)
    failing = [node for node, one in found.items() if one.get("passed") is False]
    if failing:
        return HealthCheck("SMART", Outcome.FAILED, f"about to fail, as they say: {', '.join(failing)}")
    judged = [node for node, one in found.items() if one.get("passed")]
    if not judged:
        why = next((one["fault"] for one in found.values() if "fault" in one), "there is no disk")
        return HealthCheck("SMART", Outcome.SKIPPED, why)
    silent = len(found) - len(judged)
    if silent:
        return HealthCheck("SMART", Outcome.DEGRADED, f"{silent} of {len(found)} disks tell nothing")
    return HealthCheck("SMART", Outcome.PASSED, f"{len(judged)} disks")
