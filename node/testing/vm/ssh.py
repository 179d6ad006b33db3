"""Logging in to a guest over its forwarded SSH port."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from node.testing.vm.console import MachineFailure
from node.testing.vm.patience import patient


@dataclass(frozen=True, kw_only=True)
class SshLogin:
    """Who logs in, and with which key. ``known_hosts`` pins the node's key after the first login.

    ``inside`` is put before the command (a namespace's ``ip netns exec``).
    """

    port: int = 22
    key: Path
    known_hosts: Path
    user: str = "admin"
    host: str = "127.0.0.1"
    inside: tuple[str, ...] = ()

    def argv(self, *command: str) -> tuple[str, ...]:
        """The ssh command line."""
        options = (
            "BatchMode=yes",
            "StrictHostKeyChecking=accept-new",
            f"UserKnownHostsFile={self.known_hosts}",
            "ConnectTimeout=10",
            "LogLevel=ERROR",
        )
        flags = [word for option in options for word in ("-o", option)]
        return (
            *self.inside,
            "ssh",
            "-F",
            "none",
            *flags,
            "-i",
            str(self.key),
            "-p",
            str(self.port),
            f"{self.user}@{self.host}",
            *command,
        )

    def run(
        self, command: str, *, timeout_s: float = 60.0, typed: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run one command in the guest, ``typed`` its input; exit code 255 is ssh's own."""
        return subprocess.run(
            self.argv(command),
            input=typed,
            capture_output=True,
            text=True,
            timeout=patient(timeout_s),
            check=False,
        )

    def wait(self, *, timeout_s: float) -> None:
        """Wait until a login succeeds; MachineFailure with ssh's last words if it never does."""
        deadline = time.monotonic() + patient(timeout_s)
        words = "no answer"
        while time.monotonic() < deadline:
            try:
                attempt = self.run("true", timeout_s=20)
            except subprocess.TimeoutExpired:
                continue
            if attempt.returncode == 0:
                return
            words = attempt.stderr.strip() or f"exit code {attempt.returncode}"
            time.sleep(1)
        raise MachineFailure(f"no SSH login as {self.user} within {timeout_s:g} s: {words}")


def make_ssh_key(path: Path) -> str:
    """Make a throw-away key pair at ``path`` unless it is there; give the public half."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "throw-away", "-f", str(path)),
            check=True,
            stdin=subprocess.DEVNULL,
        )
    return path.with_name(path.name + ".pub").read_text().strip()
