"""The console's two processes: one with a screen and no rights, one with rights and no screen."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import pwd
import signal
import socket
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from node.console.calls import Calls
from node.console.wire import serve

_log = logging.getLogger(__name__)
_NOBODY = "nobody"
# prctl(2), linux/prctl.h
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
CRASHED = 70

Screens = Callable[[socket.socket, socket.socket], int]


def run_apart(calls: Calls, screens: Screens) -> int:
    """Run `screens` in a process of their own with two wires to `calls`, for reading and for acting.

    Gives their exit code. Where we are root, they run as nobody. The wires are served side by side, so that a
    reading that hangs keeps nobody from acting. To be called from the main thread.
    """
    ours, theirs = zip(socket.socketpair(), socket.socketpair(), strict=True)
    # What both have is shared as long as nobody writes to it, and the collector writes to everything.
    gc.collect()
    gc.freeze()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        code = CRASHED
        try:
            for line in ours:
                line.close()
            _drop_rights()
            code = screens(*theirs)
        except BaseException:
            _log.exception("the console's screens failed")
        finally:
            os._exit(code)
    for line in theirs:
        line.close()
    # They end by a key; who ends us ends them by our death.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reading, acting = ours
    threading.Thread(target=serve, args=(reading, calls), daemon=True).start()
    # A change holds signals off, which only the main thread can.
    serve(acting, calls)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else CRASHED


def _drop_rights() -> None:
    if os.getuid() == 0:
        account = pwd.getpwnam(_NOBODY)
        os.setgroups([])
        os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
        os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # After the change of user, which the kernel forgets this at.
    end_with_parent(signal.SIGHUP)


def end_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel send a signal when the process that started us ends."""
    if signal.getsignal(number) is signal.SIG_IGN:
        # nohup's children are born deaf to SIGHUP.
        signal.signal(number, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


@contextmanager
def given_back(descriptor: int) -> Iterator[None]:
    """Give a terminal back as it was, whoever used it in the block and however that one ended."""
    saved = None
    with suppress(termios.error):
        saved = termios.tcgetattr(descriptor)
    blocking = os.get_blocking(descriptor)
    try:
        yield
    finally:
        os.set_blocking(descriptor, blocking)
        if saved is not None:
            with suppress(termios.error):
                termios.tcsetattr(descriptor, termios.TCSANOW, saved)
