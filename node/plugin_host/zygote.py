"""The spare process that hosts are forked from: it runs one thread and nothing of any plugin.

Its caller may have threads by the time a host has to come back, and forking such a process is a gamble. So it
forks this one early, while it has none. A host gets a session, a cgroup and, as root, a number space of
processes of its own, so that all that it started ends with it.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import json
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from node.plugin_host.server import be_quiet, serve
from node.system.cgroup import join_group, kill_group, make_group, remove_group

_PR_SET_PDEATHSIG, _PR_SET_NAME, _PR_SET_CHILD_SUBREAPER = 1, 15, 36  # linux/prctl.h
_CLONE_NEWPID = 0x20000000  # linux/sched.h
_END_S = 5.0
_LOOK_AGAIN_S = 0.005
_MESSAGE = 4096
_REQUESTS, _ANSWERS = 3, 4

# A hook looks at values and perhaps asks a program or two.
_GROUP_LIMITS = {
    "pids.max": "256",
    "memory.max": str(1 << 30),
    "memory.swap.max": "0",
    "memory.oom.group": "1",
}
_LIMITS = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_FSIZE: 64 << 20,
    resource.RLIMIT_NOFILE: 256,
    resource.RLIMIT_NPROC: 1024,  # counts all of a user's, and none of root's: only the cgroup does
    resource.RLIMIT_AS: 4 << 30,
}


def has_threads() -> bool:
    """Tell whether this process runs more than one thread, native ones included."""
    try:
        return len(os.listdir("/proc/self/task")) > 1  # noqa: PTH208 - names alone
    except OSError:
        return threading.active_count() > 1


def fork_zygote(control: socket.socket) -> int:
    """Fork the zygote that is spoken to by the other end of `control`; give its number."""
    pid = os.fork()
    if pid == 0:
        _never_return(lambda: be_zygote(control.fileno()))
    return pid


def be_zygote(control_fd: int) -> None:
    """Start and end hosts as `control` says, until it is closed; then end the last one."""
    with suppress(OSError):
        os.setsid()
    # What is left of the caller's memory is never looked at again; collecting it could close its descriptors.
    gc.freeze()
    _let_go_of_signals()
    nothing = os.open(os.devnull, os.O_RDWR)
    _arrange({0: nothing, 1: nothing, 2: nothing, 3: control_fd})
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _prctl(_PR_SET_NAME, b"nodecrust-spare")
    # Killed hosts leave their group behind until it is empty.
    group = make_group(f"nodecrust-plugins-{os.getpid()}", _GROUP_LIMITS)
    control = socket.socket(fileno=3)
    host = 0
    try:
        while True:
            message, fds, _, _ = socket.recv_fds(control, _MESSAGE, 3)
            if not message:
                return
            if host:
                status = _end(host, group)
                host = 0
            else:
                status = 0
            answer: dict[str, Any] = {"status": status}
            if message == b"start":
                try:
                    host = _start(fds, group)
                    answer = {"pid": host}
                except OSError as error:
                    answer = {"error": str(error)}
            for fd in fds:
                os.close(fd)
            control.send(json.dumps(answer).encode())
    except OSError:
        return
    finally:
        if host:
            _end(host, group)
        if group:
            remove_group(group)


def _start(fds: list[int], group: Path | None) -> int:
    me = os.getpid()
    own_numbers = _unshare_pids()
    try:
        pid = os.fork()
        if pid == 0:
            _never_return(lambda: _be_host(me, own_numbers, fds, group))
    finally:
        if own_numbers is not None:
            # Else the next host could have no number space of its own.
            _libc().setns(own_numbers, _CLONE_NEWPID)
            os.close(own_numbers)
    return pid


def _be_host(parent: int, own_numbers: int | None, fds: list[int], group: Path | None) -> None:
    requests, answers, output = fds
    os.setsid()
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # In a number space of its own it has no parent that it could see.
    if own_numbers is None and os.getppid() != parent:
        return
    _prctl(_PR_SET_CHILD_SUBREAPER, 0)
    _prctl(_PR_SET_NAME, b"nodecrust-plugs")
    if group:
        join_group(group)
    nothing = os.open(os.devnull, os.O_RDONLY)
    _arrange({0: nothing, 1: output, 2: output, _REQUESTS: requests, _ANSWERS: answers})
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    sys.argv = ["nodecrust-plugins"]
    for what, most in _LIMITS.items():
        _, hard = resource.getrlimit(what)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(what, (limit, limit))
    be_quiet()
    serve(_REQUESTS, _ANSWERS)


def _end(pid: int, group: Path | None) -> int:
    """Kill a host with all that it started, and give how it had ended (as `os.waitpid` has it)."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)
    if group:
        kill_group(group)
    until = time.monotonic() + _END_S
    while not ended and time.monotonic() < until:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            time.sleep(_LOOK_AGAIN_S)
    # What it left behind is ours now, whatever sessions it made: we are the reaper of its orphans.
    while time.monotonic() < until:
        try:
            found, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if not found:
            for child in _children():
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            time.sleep(_LOOK_AGAIN_S)
    return status


def _children() -> list[int]:
    """Give the numbers of our children (proc_pid_task_children(5))."""
    me = os.getpid()
    with suppress(OSError):
        return [int(one) for one in Path(f"/proc/{me}/task/{me}/children").read_text().split()]
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError, ValueError):
            if int(stat.read_text(errors="replace").rpartition(")")[2].split()[1]) == me:
                found.append(int(stat.parent.name))
    return found


def _unshare_pids() -> int | None:
    """Let the next child be the first of a number space of its own; give the way back, None where refused."""
    try:
        here = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    if _libc().unshare(_CLONE_NEWPID) == 0:
        return here
    os.close(here)
    return None


def _arrange(wanted: dict[int, int]) -> None:
    """Give descriptors the numbers that are wanted and close all others."""
    safe = {number: fcntl.fcntl(fd, fcntl.F_DUPFD, 64) for number, fd in wanted.items()}
    for number, fd in safe.items():
        os.dup2(fd, number, inheritable=number <= 2)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names alone
        if int(name) not in wanted:
            with suppress(OSError):
                os.close(int(name))


def _let_go_of_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        with suppress(OSError, ValueError):
            # As in every Python: a closed pipe is an error, no end.
            default = signal.SIG_IGN if number in (signal.SIGPIPE, signal.SIGXFSZ) else signal.SIG_DFL
            signal.signal(number, default)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _never_return(work: Callable[[], None]) -> NoReturn:
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)


def _prctl(option: int, value: int | bytes) -> None:
    _libc().prctl(option, value, 0, 0, 0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
