"""One configuration command at a time."""

from __future__ import annotations

import fcntl
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from node.errors import NodeError, TryAgainError

LOCK = "config.lock"
WAIT_S = 10.0
# The way back of a trial has nobody to try again: it waits for as long as a change may take.
PATIENT_WAIT_S = 150.0
_PAUSE_S = 0.1
_DEAF_TO = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


@contextmanager
def exclusive(run: Path, *, wait_s: float | None = None) -> Iterator[None]:
    """Hold the lock for the block; TryAgainError where another command keeps it longer than `wait_s`.

    The kernel lets go of it when the process ends, however that happens.
    """
    try:
        run.mkdir(parents=True, exist_ok=True)
        file = (run / LOCK).open("w")
    except OSError as error:
        raise NodeError(f"{run / LOCK} can't be opened: {error.strerror}", mend="Run it as root") from None
    with file:
        deadline = time.monotonic() + (WAIT_S if wait_s is None else wait_s)
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
def to_the_end() -> Iterator[None]:
    """Go on to the end of the block although the session ends, as a change of the network may well make it.

    Ctrl-C ends only the command that is run just then, whose failure takes the change back.
    """
    with ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            for number in _DEAF_TO:
                stack.callback(signal.signal, number, signal.getsignal(number))
                signal.signal(number, _go_on)
        yield


def _go_on(_number: int, _frame: FrameType | None) -> None:
    # Not SIG_IGN: what is run would inherit that, and could be ended by nobody.
    return
