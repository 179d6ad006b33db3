"""The management server of the demo: node-server with a CA and a database of its own, on loopback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from node.testing.vm import MachineFailure
from node.testing.vm.content import HOST, free_port
from node.testing.vm.machine import end_process, end_with_parent

POOL = "demo"
#: The demo's machine takes its time where there is no KVM.
TOKEN_LIFE = "2h"  # noqa: S105 - how long, not which
START_LIMIT_S = 120.0
_READY = re.compile(r"^ready https://", re.MULTILINE)


class ManagementServer:
    """Runs node-server while the block lasts; what it knows stays in ``folder`` for the next time.

    It listens on loopback, which guests of QEMU's user network reach at 10.0.2.2, so that its certificate
    is made out to that address as well. MachineFailure where it doesn't start.
    """

    def __init__(self, folder: Path, *, log: Path, port: int | None = None) -> None:
        self.port = port or free_port()
        self._folder = folder
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server as the demo's machine sees it."""
        return f"https://{HOST}:{self.port}"

    @property
    def page(self) -> str:
        """The web page as a browser on this machine sees it."""
        return f"https://localhost:{self.port}"

    @property
    def admin_token(self) -> Path:
        """The file that opens the web page; gone after the first log-in."""
        return self._folder / "admin-token"

    def fingerprint(self) -> str:
        """What the node is told, to know this server by."""
        return str(self._json("ca", "show")["fingerprint"])

    def token(self, mac: str) -> str:
        """Make a token that lets one machine in, once, without an operator."""
        terms = ("--pool", POOL, "--ttl", TOKEN_LIFE, "--uses", "1", "--auto-approve", "--bind-mac", mac)
        return str(self._json("token", "create", *terms)["token"])

    def nodes(self) -> list[dict[str, Any]]:
        """Give all nodes that the server knows."""
        return list(self._json("nodes", "list"))

    def say(self, *words: str) -> str:
        """Give what a command beside the server prints."""
        done = subprocess.run(
            self._argv(*words), capture_output=True, text=True, check=False, env=_environment()
        )
        if done.returncode:
            raise MachineFailure(f"node-server {' '.join(words[:2])} failed:\n{done.stderr.strip()}")
        return done.stdout

    def __enter__(self) -> Self:
        listen = ("--listen", f"127.0.0.1:{self.port}", "--name", HOST)
        # A log of its own each time: "ready" must not be an earlier server's.
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._argv("run", *listen),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509 - it calls nothing but prctl
            )
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if _READY.search(self._log.read_text(errors="replace")):
                return self
            time.sleep(0.1)
        self.stop()
        words = "\n".join(self._log.read_text(errors="replace").splitlines()[-10:])
        raise MachineFailure(f"node-server didn't get ready; {self._log} ends:\n{words}")

    def stop(self) -> None:
        """End the server."""
        if self._process:
            end_process(self._process)
            self._process = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _json(self, *words: str) -> Any:
        return json.loads(self.say(*words, "--json"))

    def _argv(self, *words: str) -> Sequence[str]:
        program = str(Path(sys.executable).with_name("node-server"))
        return (program, *words, "--data", str(self._folder))


def _environment() -> dict[str, str]:
    """Give ours without what would lead to another server's database."""
    return {name: value for name, value in os.environ.items() if not name.startswith("NODE_SERVER_")}
