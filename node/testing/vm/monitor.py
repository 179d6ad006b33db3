"""QMP without asyncio at the caller: one machine's monitor, each command waits for its answer."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from qemu.qmp import ExecuteError, QMPClient, QMPError

from node.testing.vm.console import MachineFailure
from node.testing.vm.patience import patient


class Monitor:
    """A connection to QEMU's monitor."""

    def __init__(self, path: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._client = QMPClient("vm")
        try:
            self._loop.run_until_complete(self._client.connect(str(path)))
        except BaseException:
            self._loop.close()
            raise

    def execute(self, command: str, **arguments: object) -> object:
        """Run a QMP command, give its answer; MachineFailure when QEMU refuses or is gone."""
        try:
            return self._loop.run_until_complete(self._client.execute(command, arguments or None))
        except (ExecuteError, QMPError) as error:
            raise MachineFailure(f"QEMU refused {command}: {error}") from error

    def human(self, command: str) -> str:
        """Run a command of QEMU's human monitor, give what it printed."""
        return str(self.execute("human-monitor-command", **{"command-line": command}))

    def run_job(self, command: str, *, timeout_s: float = 120.0, **arguments: object) -> None:
        """Run a command that QEMU does as a job (snapshots) and wait for its end."""
        job = f"job{time.monotonic_ns()}"
        self.execute(command, **{"job-id": job}, **arguments)
        deadline = time.monotonic() + patient(timeout_s)
        while time.monotonic() < deadline:
            jobs = self.execute("query-jobs")
            assert isinstance(jobs, list)
            state = next((one for one in jobs if one["id"] == job), None)
            if state is None or state["status"] == "concluded":
                if state is not None:
                    self.execute("job-dismiss", id=job)
                if state and "error" in state:
                    raise MachineFailure(f"QEMU's {command} failed: {state['error']}")
                return
            time.sleep(0.05)
        raise MachineFailure(f"QEMU's {command} didn't end within {timeout_s:g} s")

    def close(self) -> None:
        """Hang up; QEMU goes on."""
        try:
            self._loop.run_until_complete(self._client.disconnect())
        except (QMPError, OSError, EOFError):
            pass  # QEMU went first
        finally:
            self._loop.close()
