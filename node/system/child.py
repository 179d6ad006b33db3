"""One piece of work in a process of its own, which can be watched, timed and ended whatever it does."""

from __future__ import annotations

import ctypes
import json
import logging
import os
import selectors
import signal
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from node.errors import CommandFailedError, NodeError
from node.model.system import System

_log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
Say = Callable[[str], None]
SystemFactory = Callable[[Progress, Say], System]

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
_LAST_WORDS_SIZE = 2000
_DEATH_TIMEOUT_S = 10.0
_LOOK_AGAIN_S = 0.01


class Kind(StrEnum):
    """What a report of a child is."""

    SAY = "say"
    PROGRESS = "progress"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Report:
    """One line from a child."""

    kind: Kind
    message: str = ""
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class Failure:
    """How a piece of work failed: in short, its last words, and how to mend it."""

    brief: str
    details: str = ""
    mend: str = ""


def run_child(
    work: Callable[[System], None],
    *,
    system_factory: SystemFactory,
    timeout_s: float,
    on_report: Callable[[Report], None],
    stop_fd: int | None = None,
    private_fds: Sequence[int] = (),
) -> Failure | None:
    """Run `work` with a system of its own in a child process group; None where it said that it is done.

    When the child ends, at the time limit, or when `stop_fd` becomes readable, it is killed with all that it
    started, sessions of their own included: a mkfs that lives on would write to a disk that is taken back.
    Nothing that the child prints, writes or ends with can raise here. `private_fds` are the caller's alone:
    the child can't write to them. No other thread may start a program meanwhile.
    """
    report_end, child_report_end = os.pipe()
    output_end, child_output_end = os.pipe()
    # What the child leaves behind becomes ours, and not init's, whatever session it made for itself.
    _set_process_option(_PR_SET_CHILD_SUBREAPER, 1)
    known = _children()
    with warnings.catch_warnings():
        # Python warns of fork in a process with threads; the child runs one thread and never returns.
        warnings.simplefilter("ignore", DeprecationWarning)
        parent = os.getpid()
        pid = os.fork()
    if pid == 0:
        for fd in (*private_fds, report_end, output_end, *([stop_fd] if stop_fd is not None else [])):
            os.close(fd)
        _be_child(work, system_factory, parent, child_report_end, child_output_end)
    try:
        os.close(child_report_end)
        os.close(child_output_end)
        return _Watch(pid, report_end, output_end, on_report, stop_fd=stop_fd, known=known).until_end(
            timeout_s
        )
    finally:
        _set_process_option(_PR_SET_CHILD_SUBREAPER, 0)
        os.close(report_end)
        os.close(output_end)


def _be_child(
    work: Callable[[System], None], factory: SystemFactory, parent: int, report_fd: int, output_fd: int
) -> None:
    """Do the work, report how it went, and end: the child never returns into the engine's code."""
    status = 1
    try:
        os.setpgid(0, 0)
        # Without its engine a step must not go on writing to a disk that nobody watches.
        _set_process_option(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(output_fd, 1)
        os.dup2(output_fd, 2)
        # What the engine's own streams still hold in their buffers must not be printed twice.
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
        os.set_inheritable(report_fd, False)
        status = _report_work(work, factory, report_fd)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _report_work(work: Callable[[System], None], factory: SystemFactory, fd: int) -> int:
    def tell(kind: Kind, **fields: Any) -> None:
        data = json.dumps({"kind": kind.value, **fields}).encode() + b"\n"
        while data:
            data = data[os.write(fd, data) :]

    def progress(done: int, total: int) -> None:
        tell(Kind.PROGRESS, done=int(done), total=int(total))

    def say(message: str) -> None:
        tell(Kind.SAY, message=str(message))

    try:
        work(factory(progress, say))
    except NodeError as error:
        details = error.details
        if isinstance(error, CommandFailedError):
            details = f"{' '.join(map(str, error.argv))}\n{details}".strip()
        tell(Kind.FAILED, brief=error.brief, details=details, mend=error.mend)
        return 1
    except SystemExit as error:
        tell(Kind.FAILED, brief=f"it called exit({error.code!r}) instead of returning", details="", mend="")
        return 1
    except BaseException as error:
        _log.exception("a step failed")
        import traceback  # noqa: PLC0415 - only a bug of a step needs it

        where = "".join(traceback.format_exception(error))[-_LAST_WORDS_SIZE:]
        tell(Kind.FAILED, brief=f"{type(error).__name__}: {error}", details=where, mend="")
        return 1
    tell(Kind.DONE)
    return 0


class _Watch:
    """Follows one child to its end."""

    def __init__(
        self,
        pid: int,
        report_fd: int,
        output_fd: int,
        on_report: Callable[[Report], None],
        *,
        stop_fd: int | None,
        known: frozenset[int],
    ) -> None:
        self._pid = pid
        self._known = known
        self._report_fd = report_fd
        self._output_fd = output_fd
        self._on_report = on_report
        self._stop_fd = stop_fd
        self._buffer = b""
        self._output = b""
        self._nonsense = b""
        self._failure: Failure | None = None
        self._done = False

    def until_end(self, timeout_s: float) -> Failure | None:
        """Follow it; kill its group in the end, whatever came."""
        ended = os.pidfd_open(self._pid)
        early = "it failed to be watched"
        try:
            early = self._follow(ended, timeout_s)
        finally:
            # The leader is not reaped yet, so that the group's number can't belong to anyone else.
            _kill_group(self._pid)
            status = self._reap(ended)
            os.close(ended)
            stuck = _end_orphans(self._known | {self._pid})
        while self._take(self._report_fd) or self._take(self._output_fd):
            pass
        if status is None or stuck:
            early = f"{early or 'it ended'}, but can't be killed: the kernel still waits for a device"
        return Failure(early, self._last_words()) if early else self._outcome(status or 0)

    def _follow(self, ended: int, timeout_s: float) -> str:
        """Take what it says until it ends; give the reason where we can't wait for that."""
        deadline = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            for fd in (self._report_fd, self._output_fd):
                os.set_blocking(fd, False)
                selector.register(fd, selectors.EVENT_READ)
            selector.register(ended, selectors.EVENT_READ)
            if self._stop_fd is not None:
                selector.register(self._stop_fd, selectors.EVENT_READ)
            while (left := deadline - time.monotonic()) > 0:
                ready = {key.fd for key, _ in selector.select(left)}
                for fd in ready & {self._report_fd, self._output_fd}:
                    if not self._take(fd):
                        selector.unregister(fd)
                if ended in ready:
                    return ""
                if self._stop_fd in ready:
                    return "it was interrupted"
        return f"it did not end within {timeout_s:g} s and was killed"

    def _reap(self, ended: int) -> int | None:
        """Give its status; None where even SIGKILL doesn't end it, as in an endless wait for a disk."""
        with selectors.DefaultSelector() as selector:
            selector.register(ended, selectors.EVENT_READ)
            if not selector.select(_DEATH_TIMEOUT_S):
                return None
        return os.waitpid(self._pid, 0)[1]

    def _outcome(self, status: int) -> Failure | None:
        if self._failure:
            words = self._last_words()
            details = "\n".join(filter(None, (self._failure.details, words)))
            return Failure(self._failure.brief, details, self._failure.mend)
        code = os.waitstatus_to_exitcode(status)
        if self._nonsense:
            shown = self._nonsense[:200].decode(errors="replace")
            return Failure(f"it wrote nonsense where reports belong: {shown!r}", self._last_words())
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
            return Failure(f"it was killed by {name}", self._last_words())
        if not self._done or code != 0:
            return Failure(f"it ended with status {code} without saying that it is done", self._last_words())
        return None

    def _take(self, fd: int) -> bool:
        """Read what is there; False at the end of the pipe, and where there is nothing now."""
        try:
            data = os.read(fd, 65536)
        except BlockingIOError:
            return False
        if not data:
            return False
        if fd == self._output_fd:
            self._output = (self._output + data)[-_LAST_WORDS_SIZE:]
            return True
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._hear(line)
        if len(self._buffer) > 1 << 20:  # no report is that long, and memory is short
            self._nonsense, self._buffer = self._buffer[:200], b""
        return True

    def _hear(self, line: bytes) -> None:
        try:
            data = json.loads(line)
            kind = Kind(data["kind"])
            if kind is Kind.FAILED:
                self._failure = Failure(str(data["brief"]), str(data["details"]), str(data["mend"]))
            elif kind is Kind.DONE:
                self._done = True
            else:
                message, done, total = data.get("message", ""), data.get("done", 0), data.get("total", 0)
                self._on_report(Report(kind, str(message), int(done), int(total)))
        except (ValueError, KeyError, TypeError):
            self._nonsense = self._nonsense or line

    def _last_words(self) -> str:
        return self._output.decode(errors="replace").strip()


def _set_process_option(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _children() -> frozenset[int]:
    """Give the processes whose parent we are, zombies included (proc_pid_stat(5), field 4)."""
    me, found = str(os.getpid()), set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if stat.read_text(errors="replace").rpartition(")")[2].split()[1] == me:
                found.add(int(stat.parent.name))
    return frozenset(found)


def _end_orphans(known: frozenset[int]) -> bool:
    """Kill what became ours when a child ended, and what that had started; True where something can't be."""
    until = time.monotonic() + _DEATH_TIMEOUT_S
    while orphans := _children() - known:
        for pid in orphans:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in orphans:
            with suppress(ChildProcessError):
                while os.waitpid(pid, os.WNOHANG) == (0, 0):
                    if time.monotonic() > until:
                        return True
                    time.sleep(_LOOK_AGAIN_S)
    return False


def _kill_group(pid: int) -> None:
    for kill in (os.killpg, os.kill):  # the child may not have made its group yet
        try:
            kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
