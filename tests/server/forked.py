"""The server in a fork of the tests, which has everything loaded: it is back within a blink after a crash."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from dataclasses import dataclass

from server.cli.main import run_command
from tests.server.running import Server, _die_with_parent


@dataclass
class ForkedServer(Server):
    """As a process of its own, killed as easily."""

    pid: int = 0

    def start(self, listen: str = "127.0.0.1:0") -> None:
        readable, writable = os.pipe()
        # What the tests left over is not the fork's to close.
        gc.collect()
        gc.freeze()
        self.pid = os.fork()
        if self.pid == 0:
            self._serve(writable, listen)
        gc.unfreeze()
        os.close(writable)
        with os.fdopen(readable) as output:
            lines = iter(output.readline, "")
            for line in lines:
                self.said.append(line.rstrip())
                if line.startswith("ready "):
                    self._is_ready(line)
                    return
        raise AssertionError(f"the server ended: {self.log}")

    @property
    def is_running(self) -> bool:
        return self.pid != 0

    def stop(self, number: int = signal.SIGTERM) -> int:
        os.kill(self.pid, number)
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def _serve(self, writable: int, listen: str) -> None:
        """Never comes back."""
        code = 70
        try:
            _die_with_parent()
            log = os.open(self.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 2)
            sys.stdout = os.fdopen(writable, "w", buffering=1)
            sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
            logging.getLogger().handlers.clear()
            code = run_command(["run", *self.where, "--listen", listen, *self.options])
        finally:
            os._exit(code)
