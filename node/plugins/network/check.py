"""What netplan can't know: whether this machine has the cards that its document names."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from node.model.answers import Answers
from node.model.inventory import Inventory, Nic
from node.model.problem import Problem, Severity
from node.plugins.network.answers import NetworkAnswers

OWNER = "network"


def problems(answers: Answers, inventory: Inventory) -> tuple[Problem, ...]:
    """Warn of each Ethernet definition that fits no card here; a card may come later, so it stops nothing."""
    ethernets = answers[NetworkAnswers].netplan.get("ethernets")
    if not isinstance(ethernets, dict) or not inventory.nics:
        return ()
    here = ", ".join(f"{nic.name} ({nic.mac})" for nic in inventory.nics)
    found = []
    for name, interface in ethernets.items():
        match = interface.get("match") if isinstance(interface, dict) else None
        if any(_fits(nic, str(name), match) for nic in inventory.nics):
            continue
        where = f"network.netplan.ethernets.{name}"
        found.append(
            Problem(
                code="no-such-card",
                where=where,
                what="no network card of this machine fits",
                mend=f"Name one of these, or match it by its MAC: {here}",
                origin=answers.origin(where),
                owner=OWNER,
                severity=Severity.WARNING,
            )
        )
    return tuple(found)


def _fits(nic: Nic, name: str, match: Any) -> bool:
    if not isinstance(match, dict) or not match:
        return nic.name == name
    if (pattern := match.get("name")) is not None and not fnmatchcase(nic.name, str(pattern)):
        return False
    macs = (nic.mac.lower(), nic.permanent_mac.lower())
    if (mac := match.get("macaddress")) is not None and str(mac).lower() not in macs:
        return False
    if (drivers := match.get("driver")) is not None:
        patterns = drivers if isinstance(drivers, list) else [drivers]
        return any(fnmatchcase(nic.driver, str(pattern)) for pattern in patterns)
    return True
