"""Facts on their way: the canonical form whose SHA-256 both sides compare."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from node.model.inventory import Inventory


def facts_sha256(facts: Mapping[str, Any]) -> str:
    """Give the SHA-256 of the facts' canonical JSON."""
    return sha256_of(facts)


def sha256_of(value: Any) -> str:
    """Give the SHA-256 of a value's canonical JSON: keys sorted, no blanks, ASCII."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def plain(text: str, longest: int) -> str:
    """Give a text without what no line of a log takes, cut to a length: firmware says what it likes."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:longest]


def cards_sha256(inventory: Inventory) -> str:
    """Give a fingerprint of the cards with their links and addresses, to notice that they changed."""
    return sha256_of([[nic.name, nic.mac, nic.link, sorted(nic.addresses)] for nic in inventory.nics])


def identity_of(inventory: Inventory) -> dict[str, Any]:
    """Give what tells this machine from others, as the protocol has it."""
    firmware = inventory.firmware
    macs = [nic.permanent_mac or nic.mac for nic in inventory.nics]
    return {
        "product_uuid": plain(firmware.product_uuid, 64) or None,
        "vendor": plain(firmware.vendor, 128) or None,
        "serial": plain(firmware.serial, 128) or None,
        "macs": sorted({mac.lower() for mac in macs if mac}),
    }
