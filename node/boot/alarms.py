"""Alarms of this boot: one line each in /run/node/alarms, for `nodectl status` and above the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

ALARMS = Path("/run/node/alarms")


def raise_alarms(alarms: Sequence[str], *, path: Path = ALARMS) -> None:
    """Add alarms to those of the initrd; they stay until the next boot."""
    if not alarms:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{' '.join(alarm.split())}\n" for alarm in alarms)


def read_alarms(path: Path = ALARMS) -> list[str]:
    """Give this boot's alarms, oldest first."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
