"""The real server, as a process, and its command line."""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.cli.main import run_command
from server.database import Database, open_database
from tests.server.client import FakeNode

_PR_SET_PDEATHSIG = 1


@dataclass
class Server:
    """A server in a folder. It can be killed and started again; the port may differ then."""

    folder: Path
    database_url: str
    options: tuple[str, ...] = ()
    url: str = ""
    admin_token: str = ""
    process: subprocess.Popen[str] | None = None
    said: list[str] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def ca(self) -> Path:
        return self.data / "ca" / "ca.crt"

    @property
    def log(self) -> str:
        """All that the server ever said, on both ways."""
        return (self.folder / "log").read_text() + "\n".join(self.said)

    def start(self, listen: str = "127.0.0.1:0") -> None:
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "server", "run", *self.where, "--listen", listen, *self.options],
                stdout=subprocess.PIPE, stderr=log, text=True, preexec_fn=_die_with_parent,  # noqa: PLW1509 - it takes no lock
            )  # fmt: skip
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if line.startswith("ready "):
                self._is_ready(line)
                return
        raise AssertionError(f"the server ended: {self.log}")

    def _is_ready(self, line: str) -> None:
        self.url = line.split()[1]
        file = self.data / "admin-token"
        self.admin_token = file.read_text().strip() if file.exists() else self.admin_token

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code

    @property
    def is_running(self) -> bool:
        return self.process is not None

    @property
    def where(self) -> list[str]:
        return ["--data", str(self.data), "--database", self.database_url]

    def cli(self, *arguments: str, code: int = 0) -> str:
        """Run a command beside the server; gives its output."""
        output, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            found = run_command([*arguments, *self.where])
        assert found == code, (arguments, found, output.getvalue(), errors.getvalue())
        return output.getvalue() + (errors.getvalue() if code else "")

    def json(self, *arguments: str) -> Any:
        return json.loads(self.cli(*arguments, "--json"))

    def token(self, *arguments: str) -> str:
        return str(self.json("token", "create", *arguments)["token"])

    def node(self, **identity: Any) -> FakeNode:
        """Give a machine that has not enrolled."""
        return FakeNode(self.url, self.ca, self.folder, **identity)

    def active_node(self, **identity: Any) -> FakeNode:
        """Give one that has."""
        node = self.node(**identity)
        assert node.enroll(self.token("--auto-approve")).status_code == 200
        assert node.heartbeat().status_code == 200
        return node

    def events(self, node: FakeNode | None = None, last: int = 1000) -> list[dict[str, Any]]:
        of_node = ["--node", str(node.node_id)] if node else []
        return list(self.json("events", "--last", str(last), *of_node))

    def kinds(self, node: FakeNode) -> list[str]:
        return [event["kind"] for event in self.events(node)]

    @contextlib.contextmanager
    def database(self) -> Iterator[Database]:
        database = open_database(self.database_url)
        try:
            yield database
        finally:
            database.engine.dispose()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
