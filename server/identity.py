"""What tells one machine from another: which values can be believed, and the marks that come of them.

A mark is a text that at most one node may have: `key:` and the fingerprint of a key that it holds, and the
strongest name of its machine: `uuid:` the product UUID, else `serial:` vendor and serial, else a `mac:` for
each network card.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

# What firmware has where nobody filled it in: the same on many machines (dmidecode's and fwupd's trackers).
_BAD_UUIDS = frozenset(
    {
        "00020003-0004-0005-0006-000700080009",
        "03000200-0400-0500-0006-000700080009",
        "12345678-1234-5678-90ab-cddeefaabbcc",
        "12345678-1234-1234-1234-123456789abc",
        "4c4c4544-0000-2010-8020-80c04f202020",
        "44454c4c-0000-1020-8020-80c04f202020",
        "11111111-2222-3333-4444-555555555555",
    }
)
_BAD_WORDS = frozenset(
    {
        "",
        "none",
        "null",
        "n/a",
        "na",
        "unknown",
        "default",
        "empty",
        "oem",
        "o.e.m.",
        "serial",
        "serial number",
        "system serial number",
        "chassis serial number",
        "default string",
        "not specified",
        "not applicable",
        "not available",
        "not present",
        "invalid",
        "to be filled by o.e.m.",
        "to be filled by oem",
        "system manufacturer",
        "system product name",
    }
)
_QEMU = "52:54:00:"
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")


@dataclass(frozen=True)
class Identity:
    """What a machine says of itself, normalized; a value that can't be believed is None or left out."""

    product_uuid: str | None
    vendor: str | None
    serial: str | None
    macs: tuple[str, ...]

    @property
    def marks(self) -> tuple[str, ...]:
        """Give the marks of this machine; none where it has nothing that tells it from others."""
        if self.product_uuid:
            return (f"uuid:{self.product_uuid}",)
        if self.vendor and self.serial:
            return (f"serial:{self.vendor.lower()}/{self.serial.lower()}",)
        return tuple(f"mac:{mac}" for mac in self.macs if _believed(mac))


def read_identity(
    product_uuid: str | None, vendor: str | None, serial: str | None, macs: Iterable[str]
) -> Identity:
    """Read what a machine sent, and leave out what is the same on many machines.

    ValueError where a UUID or a MAC is written in no known way.
    """
    return Identity(
        _read_uuid(product_uuid),
        _read_word(vendor),
        _read_serial(serial),
        tuple(sorted({mac for raw in macs if _is_card(mac := read_mac(raw))})),
    )


def read_mac(text: str) -> str:
    """Give a MAC in lower case with colons; ValueError where it isn't one."""
    mac = text.strip().lower().replace("-", ":")
    if not _MAC.fullmatch(mac):
        raise ValueError(f"{text!r} is not a MAC address")
    return mac


def read_uuid(text: str) -> str:
    """Give a UUID in its usual form; ValueError where it isn't one."""
    try:
        return str(UUID(text.strip()))
    except ValueError as error:
        raise ValueError(f"{text!r} is not a UUID") from error


def read_own_uuid(text: str) -> str:
    """Give a product UUID that tells a machine from others; ValueError where it is none."""
    uuid = _read_uuid(text)
    if uuid is None:
        raise ValueError(f"{text!r} is no product UUID that tells a machine from others")
    return uuid


def read_card(text: str) -> str:
    """Give the MAC of a network card; ValueError where it is none, or a group's."""
    mac = read_mac(text)
    if not _is_card(mac):
        raise ValueError(f"{text!r} is not the MAC of a network card")
    return mac


def _is_card(mac: str) -> bool:
    # Bit 0 of the first octet: a group.
    return not int(mac[:2], 16) & 0b01 and mac != "00:00:00:00:00:00"


def _believed(mac: str) -> bool:
    # Bit 1 of the first octet: given by software, as bridges and containers have it (IEEE 802). So
    # have QEMU's machines, which are known by it all the same.
    software = int(mac[:2], 16) & 0b10 and not mac.startswith(_QEMU)
    return not software


def _read_uuid(text: str | None) -> str | None:
    if text is None or not text.strip() or text.strip().lower() in _BAD_WORDS:
        return None
    uuid = read_uuid(text)
    # All digits alike: zeroes, ones, fe..: nothing that a maker chose.
    digits = uuid.replace("-", "")
    alike = len({digits[place : place + 2] for place in range(0, 32, 2)}) == 1
    return None if alike or uuid in _BAD_UUIDS else uuid


def _read_word(text: str | None) -> str | None:
    word = " ".join((text or "").split())
    return None if word.lower() in _BAD_WORDS else word


def _read_serial(text: str | None) -> str | None:
    word = _read_word(text)
    if word is None or len(set(word.lower())) == 1 or "0123456789".startswith(word) or word == "123456789":
        return None
    return word
