"""Puts the node's console before the prompts of tty1 and serial lines. nodecrust-console.service runs it.

By drop-ins of the getty units in /run: which lines have a prompt, when it comes and when it goes stays with
systemd, and without the drop-ins everything is as it was. A prompt that is up stays until its session ends.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

UNITS = Path("/run/systemd/system")
NAME = "50-nodecrust-console.conf"
SCRIPT = Path(__file__).with_name("prompt.sh")
# The options of systemd's own units (getty@.service and serial-getty@.service of Debian 13).
_AGETTY = {
    "getty@tty1.service": "--noreset --noclear - ${TERM}",
    "serial-getty@.service": "--noreset --noclear --keep-baud 115200,57600,38400,9600 - ${TERM}",
}


def drop_in(options: str) -> str:
    """Give the text for a getty that has these options."""
    # KillMode=process of the unit ends the shell alone; nodectl ends with its parent.
    return f"[Service]\nExecStart=\nExecStart=-/bin/sh {SCRIPT} -o '-- \\\\u' {options}\n"


def put(units: Path = UNITS) -> None:
    """Put the drop-ins."""
    for unit, options in _AGETTY.items():
        path = units / f"{unit}.d" / NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(drop_in(options), encoding="utf-8")


def take_away(units: Path = UNITS) -> None:
    """Take them away."""
    for unit in _AGETTY:
        (units / f"{unit}.d" / NAME).unlink(missing_ok=True)


def main() -> int:
    """Put them with `on`, take them away with `off`."""
    if sys.argv[1:] == ["on"]:
        put()
    elif sys.argv[1:] == ["off"]:
        take_away()
    else:
        return 2
    return subprocess.run(["systemctl", "daemon-reload"], timeout=60, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
