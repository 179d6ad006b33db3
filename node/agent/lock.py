"""One configuration command at a time."""

from __future__ import annotations

import fcntl
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.errors import NodeError, TryAgainError

LOCK = "config.lock"
WAIT_S = 10.0
_PAUSE_S = 0.1


@contextmanager
def exclusive(run: Path) -> Iterator[None]:
    """Hold the lock for the block; TryAgainError where another command keeps it longer than WAIT_S.

    The kernel lets go of it when the process ends, however that happens.
    """
    try:
        run.mkdir(parents=True, exist_ok=True)
        file = (run / LOCK).open("w")
    except OSError as error:
        raise NodeError(f"{run / LOCK} can't be opened: {error.strerror}", mend="Run it as root") from None
    with file:
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise TryAgainError(
                        "another command is changing the configuration", mend="Try again when it is done"
                    ) from None
                time.sleep(_PAUSE_S)
        yield


@contextmanager
def deaf_to_hangup() -> Iterator[None]:
    """Go on to the end of the block although the session ends: a change of the network may well end it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
