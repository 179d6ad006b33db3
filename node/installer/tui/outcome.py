"""What the last page says of the node that was installed."""

from __future__ import annotations

from ipaddress import ip_interface

from node.installer.flow import Look
from node.installer.tui.effects import Outcome
from node.model.inventory import Inventory
from node.plugins.access import AccessAnswers
from node.plugins.network import NetworkAnswers


def outcome_of(inventory: Inventory, look: Look, *, fingerprint: str = "") -> Outcome:
    """Give where the node is reached: by its static addresses, else by those that this boot has leased."""
    netplan = look.answers[NetworkAnswers].netplan
    static = [
        str(address)
        for kind in netplan.values()
        if isinstance(kind, dict)
        for body in kind.values()
        if isinstance(body, dict)
        for address in body.get("addresses", ())
    ]
    leased = [
        address
        for nic in inventory.nics
        for address in nic.addresses
        if not ip_interface(address).is_link_local
    ]
    addresses = tuple((static or leased)[:2])
    host = addresses[0].partition("/")[0] if addresses else ""
    url = f"ssh://{look.answers[AccessAnswers].admin.name}@{host}" if host else ""
    return Outcome(addresses, fingerprint, url)
