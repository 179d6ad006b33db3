"""What efibootmgr prints (versions 17 of Debian 12 and 18 of Debian 13)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_ENTRY = re.compile(r"Boot([0-9A-Fa-f]{4})(\*| ) ?([^\t]*)(?:\t.*)?")
_ORDER = re.compile(r"BootOrder: *([0-9A-Fa-f,]*)")


@dataclass(frozen=True)
class BootEntries:
    """The firmware's boot order and its entries' labels, by four hexadecimal digits."""

    order: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)


def parse_entries(text: str) -> BootEntries:
    """Read efibootmgr's list; lines that mean nothing to us are passed over."""
    order: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    for line in text.splitlines():
        if match := _ORDER.fullmatch(line.strip()):
            order = tuple(number.upper() for number in match[1].split(",") if number)
        elif match := _ENTRY.fullmatch(line):
            # Version 17 without -v prints the label alone, and 18 the device path after a tab.
            labels[match[1].upper()] = match[3].strip()
    return BootEntries(order, labels)
