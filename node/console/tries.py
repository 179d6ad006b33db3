"""Failed tries to log in: each costs more time than the one before, also for who starts the console anew."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from node.agent.trial import uptime_s
from node.system.files import LiveFiles

_FIRST_S, _MOST_S = 2.0, 30.0


@dataclass(frozen=True)
class Tries:
    """The failed tries of one console, counted in a file of /run; `clock` gives seconds since the start."""

    path: Path
    clock: Callable[[], float] = uptime_s
    sleep: Callable[[float], None] = time.sleep

    def wait(self) -> None:
        """Wait for what the last failure still costs."""
        count, at = self._read()
        # A file of another start, or of a clock that jumped, costs no more than a failure can.
        left = min(at + cost_s(count) - self.clock(), cost_s(count))
        if left > 0:
            self.sleep(left)

    def failed(self) -> None:
        """Count one more, and wait for it."""
        count, _ = self._read()
        text = json.dumps({"count": count + 1, "at": self.clock()})
        LiveFiles().write(self.path, text.encode(), mode=0o600)
        self.sleep(cost_s(count + 1))

    def passed(self) -> None:
        """Forget them."""
        self.path.unlink(missing_ok=True)

    def _read(self) -> tuple[int, float]:
        try:
            data = json.loads(self.path.read_bytes())
            return int(data["count"]), float(data["at"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0, 0.0


def cost_s(count: int) -> float:
    """Give the seconds that the last of so many failed tries costs."""
    return min(_MOST_S, _FIRST_S * 2 ** min(count - 1, 10)) if count > 0 else 0.0
