"""What netplan doesn't say: whether this machine has the cards, and what it takes though it can't work."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from node.model.answers import Answers
from node.model.inventory import Inventory, Nic
from node.model.problem import Problem, Severity
from node.plugins.network.answers import NetworkAnswers
from node.plugins.network.sense import doubts

OWNER = "network"


def problems(answers: Answers, inventory: Inventory) -> tuple[Problem, ...]:
    """Give warnings only: a card may come later, and an operator may know better."""
    found = _missing_cards(answers, inventory)
    for doubt in doubts(answers[NetworkAnswers].netplan):
        where = f"network.netplan.{doubt.key}" if doubt.key else "network.netplan"
        found.append(_warning(answers, doubt.code, where, doubt.what, doubt.mend))
    return tuple(found)


def _warning(answers: Answers, code: str, where: str, what: str, mend: str) -> Problem:
    return Problem(
        code, where, what, mend, origin=answers.origin(where), owner=OWNER, severity=Severity.WARNING
    )


def _missing_cards(answers: Answers, inventory: Inventory) -> list[Problem]:
    ethernets = answers[NetworkAnswers].netplan.get("ethernets")
    if not isinstance(ethernets, dict) or not inventory.nics:
        return []
    here = ", ".join(f"{nic.name} ({nic.mac})" for nic in inventory.nics)
    found = []
    for name, interface in ethernets.items():
        match = interface.get("match") if isinstance(interface, dict) else None
        if any(_fits(nic, str(name), match) for nic in inventory.nics):
            continue
        mend = f"Name one of these, or match it by its MAC: {here}"
        where = f"network.netplan.ethernets.{name}"
        found.append(_warning(answers, "no-such-card", where, "no network card of this machine fits", mend))
    return found


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
