"""Several processes that serve one socket, and the one that looks after them."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from node.errors import NodeError

_LOG = logging.getLogger("node-server")
# Between the end of a worker and the next one in its place.
_PAUSE_S = 1.0
_HEARD = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)


@dataclass(frozen=True)
class Bond:
    """What ties a worker to its parent: `started` is written to once, `alive` ends when the parent does."""

    number: int
    started: int
    alive: int

    def say_started(self) -> None:
        """Tell the parent that this worker serves."""
        os.write(self.started, b".")


Work = Callable[[Bond], None]


def supervise(number: int, work: Work, on_ready: Callable[[], None]) -> None:
    """Have so many processes do `work` until SIGINT or SIGTERM; one that ends before is replaced.

    `on_ready` is called once, when all have started. `work` ends on SIGTERM, and a second one hurries it.
    NodeError where one ends before all have started: then it is not a crash, but something that is always so.
    """
    # Sockets, since a signal must never wait for room in one.
    wakes, waker = socket.socketpair()
    wakes.setblocking(False)
    waker.setblocking(False)
    before = {each: signal.signal(each, lambda *_: None) for each in _HEARD}
    woken = signal.set_wakeup_fd(waker.fileno())
    crew = _Crew(number, work)
    try:
        crew.run(wakes, on_ready)
    finally:
        crew.end()
        signal.set_wakeup_fd(woken)
        for each, handler in before.items():
            signal.signal(each, handler)
        wakes.close()
        waker.close()


@dataclass
class _Crew:
    number: int
    work: Work
    pids: dict[int, int] = field(default_factory=dict)
    due: dict[int, float] = field(default_factory=dict)
    started: int = 0
    stopping: bool = False

    def __post_init__(self) -> None:
        self._started, self._say_started = os.pipe()
        self._alive, self._until = os.pipe()

    def run(self, wakes: socket.socket, on_ready: Callable[[], None]) -> None:
        for each in range(self.number):
            self._begin(each)
        while self.pids or (self.due and not self.stopping):
            wait_s = max(0.0, min(self.due.values()) - time.monotonic()) if self.due else None
            readable, _, _ = select.select([wakes.fileno(), self._started], [], [], wait_s)
            if self._started in readable:
                self.started += len(os.read(self._started, self.number))
                if self.started == self.number:
                    on_ready()
            if wakes.fileno() in readable:
                heard = wakes.recv(4096)
                if any(each in (signal.SIGINT, signal.SIGTERM) for each in heard):
                    self._stop()
            self._reap()
            for each in [each for each, at in self.due.items() if at <= time.monotonic()]:
                del self.due[each]
                if not self.stopping:
                    self._begin(each)

    def end(self) -> None:
        """Leave nothing behind, whatever happened."""
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.pids.clear()
        for descriptor in (self._started, self._say_started, self._alive, self._until):
            os.close(descriptor)

    def _stop(self) -> None:
        self.stopping = True
        for pid in self.pids:
            os.kill(pid, signal.SIGTERM)

    def _reap(self) -> None:
        for pid, number in list(self.pids.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            del self.pids[pid]
            if self.stopping:
                continue
            code = os.waitstatus_to_exitcode(status)
            if self.started < self.number:
                raise NodeError(
                    f"a worker ended before it served (exit code {code})", mend="see the log above"
                )
            _LOG.error("worker %d ended (exit code %d); another one takes its place", number, code)
            self.due[number] = time.monotonic() + _PAUSE_S

    def _begin(self, number: int) -> None:
        # What is in a buffer would be written by both.
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            self.pids[pid] = number
            return
        code = 70
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            # Ctrl-C reaches every process of a terminal; the parent passes it on once.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            # Else this one would keep its own parent's pipe open.
            os.close(self._until)
            self.work(Bond(number, self._say_started, self._alive))
            code = 0
        except BaseException:
            _LOG.exception("worker %d failed", number)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
