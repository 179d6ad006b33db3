"""The caller's end of the zygote: has it start hosts, and end them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import weakref
from contextlib import suppress
from typing import Any

from node.plugin_host.zygote import fork_zygote, has_threads

_START_TIMEOUT_S = 10.0


class ZygoteHandle:
    """The zygote, started when it is made, and again where it was killed."""

    def __init__(self) -> None:
        self._control: socket.socket | None = None
        self._pid = 0
        self._popen: subprocess.Popen[bytes] | None = None
        self._closer: weakref.finalize[Any, Any] | None = None
        self._start()

    def start_host(self, fds: tuple[int, int, int]) -> int:
        """Start a host with its ends of the pipes; OSError where that can't be."""
        for _ in range(2):
            if self._control is None:
                self._start()
            answer = self._command(b"start", fds)
            if answer and isinstance(answer.get("pid"), int):
                return int(answer["pid"])
            if answer:
                raise OSError(str(answer.get("error")))
        raise OSError("it does not answer")

    def end_host(self, pid: int) -> int | None:
        """End the host; give its status, None where the zygote is gone too."""
        answer = self._command(b"end", ())
        if answer is None:
            # The zygote was killed, most likely by what ran in the host: then so is its group, by us.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            return None
        status = answer.get("status")
        return status if isinstance(status, int) else None

    def close(self) -> None:
        """End it and all below it."""
        if self._closer:
            self._closer()
        self._control = None

    def abandon(self) -> None:
        """Let go of it in a forked process."""
        if self._closer:
            self._closer.detach()
        if self._control:
            self._control.close()
            self._control = None

    def _command(self, message: bytes, fds: tuple[int, ...]) -> dict[str, Any] | None:
        control = self._control
        if control is None:
            return None
        try:
            socket.send_fds(control, [message], list(fds))
            answer = control.recv(4096)
            found = json.loads(answer) if answer else None
        except (OSError, ValueError):
            found = None
        if not isinstance(found, dict):
            self.close()
            return None
        return found

    def _start(self) -> None:
        control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control.settimeout(_START_TIMEOUT_S)
        with other:
            if has_threads():
                self._popen = subprocess.Popen(
                    [sys.executable, "-m", "node.plugin_host", str(other.fileno())],
                    pass_fds=[other.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
                )
                self._pid = self._popen.pid
            else:
                self._pid = fork_zygote(other)
        self._control = control
        self._closer = weakref.finalize(self, _close, control, self._pid, self._popen, os.getpid())


def _close(control: socket.socket, pid: int, popen: subprocess.Popen[bytes] | None, owner: int) -> None:
    control.close()
    if owner != os.getpid():
        return
    if popen:
        try:
            popen.wait(_START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait()
        return
    until = time.monotonic() + _START_TIMEOUT_S
    pause = 0.001
    with suppress(ChildProcessError):
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
            time.sleep(pause)
            pause = min(2 * pause, 0.05)
