"""Alarms of this boot: one line each in /run/node/alarms, shown by `nodectl status` and on the consoles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

ALARMS = Path("/run/node/alarms")


def raise_alarms(lines: Sequence[str], *, path: Path = ALARMS) -> None:
    """Add alarms; they stay until the next boot."""
    if not lines:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{' '.join(line.split())}\n" for line in lines)


def read_alarms(path: Path = ALARMS) -> list[str]:
    """Give this boot's alarms, oldest first."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
