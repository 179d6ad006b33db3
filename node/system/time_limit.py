"""A time limit for code of others, which may never look at a clock."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TooLongError(Exception):
    """Something that was given its time and took more."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooLongError in the block after `seconds`, and every second from then on for who swallows it."""

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise TooLongError(f"it took longer than {seconds:.2g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
