"""The node's clock: whether a time server has set it, having it set, and setting it."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

from node.errors import CommandFailedError
from node.model.system import Commands

# systemd-timesyncd.service(8): there once an answer of a time server was taken over.
SYNCHRONIZED = Path("/run/systemd/timesync/synchronized")
_WAIT_S = 20.0
_PAUSE_S = 0.5


def is_synchronized(path: Path = SYNCHRONIZED) -> bool:
    """Whether a time server has set the clock since the start."""
    return path.exists()


def ask_for_time(commands: Commands, *, path: Path = SYNCHRONIZED, wait_s: float = _WAIT_S) -> bool:
    """Have systemd-timesyncd ask its servers anew, and wait for an answer for a while; whether one came."""
    try:
        commands.run(["systemctl", "restart", "systemd-timesyncd.service"], timeout_s=30.0)
    except CommandFailedError:
        return False
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        if is_synchronized(path):
            return True
        time.sleep(_PAUSE_S)
    return False


def set_clock(moment: datetime) -> None:
    """Set the clock; OSError where that is forbidden."""
    time.clock_settime(time.CLOCK_REALTIME, moment.timestamp())
