"""Alarms of this boot: files in /run/node/alarms, shown by `nodectl status` and above the prompt."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

ALARMS = Path("/run/node/alarms")


def raise_alarms(alarms: Iterable[tuple[str, str]], *, folder: Path = ALARMS) -> None:
    """Add alarms, each a name and words; they stay until the next boot. The same name adds a line."""
    for name, words in alarms:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / name.replace("/", "-")).open("a", encoding="utf-8") as file:
            file.write(f"{' '.join(words.split())}\n")


def read_alarms(folder: Path = ALARMS) -> list[str]:
    """Give this boot's alarms in words, by their names' order."""
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return []
    return [
        line for path in paths for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
    ]
