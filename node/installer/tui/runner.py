"""The engine in a process of its own: the screens go on, and the run goes on whatever becomes of them."""

from __future__ import annotations

import json
import logging
import os
import signal
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict

from node.errors import NodeError, StepFailedError
from node.installer.tui.effects import Ended
from node.model.event import Event, EventKind
from node.model.plan import Plan

_log = logging.getLogger(__name__)

Install = Callable[[Plan, Sequence[Callable[[Event], None]]], None]


class EngineProcess:
    """Runs `install` in a child that reports by a pipe, a line of JSON each."""

    def __init__(self, plan: Plan, install: Install) -> None:
        self._fd, child_end = os.pipe2(os.O_CLOEXEC)
        with warnings.catch_warnings():
            # Python warns of fork in a process with threads; ours only look at answers and hold no lock.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._pid = os.fork()
        if self._pid == 0:
            os.close(self._fd)
            _be_engine(plan, install, child_end)
        os.close(child_end)
        os.set_blocking(self._fd, False)
        self._buffer = b""
        self._ended = False

    @property
    def fd(self) -> int:
        """The pipe."""
        return self._fd

    def poll(self) -> Sequence[Event | Ended]:
        """Give what came since."""
        found: list[Event | Ended] = []
        while not self._ended:
            try:
                data = os.read(self._fd, 65536)
            except BlockingIOError:
                break
            *lines, self._buffer = (self._buffer + data).split(b"\n")
            found += [_read(line) for line in lines if line]
            if not data or any(isinstance(one, Ended) for one in found):
                found += self._end(found)
        return found

    def stop(self) -> None:
        """Ask the engine to stop and undo."""
        if not self._ended:
            os.kill(self._pid, signal.SIGTERM)

    def close(self) -> None:
        """Let go; a run that goes on is not stopped."""
        with suppress(OSError):
            os.close(self._fd)

    def _end(self, found: Sequence[Event | Ended]) -> list[Ended]:
        self._ended = True
        _, status = os.waitpid(self._pid, 0)
        if any(isinstance(one, Ended) for one in found):
            return []
        code = os.waitstatus_to_exitcode(status)
        return [Ended(70, f"the installation ended without a word (status {code})", mend="See the log")]


def _read(line: bytes) -> Event | Ended:
    data = json.loads(line)
    if "kind" not in data:
        return Ended(**data)
    return Event(**{**data, "kind": EventKind(data["kind"])})


def _be_engine(plan: Plan, install: Install, fd: int) -> None:
    """Run and report; the child never returns into the screens' code."""
    code = 70
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        # Whatever is printed by mistake must not paint over the screens.
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        code = _run(plan, install, fd)
    finally:
        os._exit(code)


def _run(plan: Plan, install: Install, fd: int) -> int:
    def tell(data: dict[str, object]) -> None:
        rest = json.dumps(data).encode() + b"\n"
        # Nobody may listen any more: the run is worth more than its screen.
        with suppress(BrokenPipeError):
            while rest:
                rest = rest[os.write(fd, rest) :]

    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    ended = Ended(0)
    try:
        install(plan, [lambda event: tell(asdict(event))])
    except StepFailedError as error:
        ended = Ended(
            error.exit_code, error.brief, error.step, error.owner, error.disk_state, error.details, error.mend
        )
    except NodeError as error:
        ended = Ended(error.exit_code, error.brief, details=error.details, mend=error.mend)
    except Exception as error:
        _log.exception("the engine failed")
        ended = Ended(70, f"a bug of ours ({type(error).__name__})", mend="The details are in the log")
    tell(asdict(ended))
    return ended.code
