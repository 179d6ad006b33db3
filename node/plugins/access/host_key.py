"""The step that makes the node's SSH host key, so that its fingerprint is known before the first log-in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from node.model.step import Step
from node.model.system import System

#: What begins the words that tell the fingerprint; the installer's last screen shows what follows.
FINGERPRINT = "SSH host key: "
# Where nodectl boot looks for kept host keys. The other kinds are made on the first boot.
_KEY = Path("config/ssh/ssh_host_ed25519_key")


@dataclass(frozen=True)
class MakeHostKey(Step):
    """Make an ED25519 host key on CONFIG where it has none, and say its fingerprint."""

    def summary(self) -> str:
        """Say it."""
        return "Make the node's SSH host key (on CONFIG)"

    def apply(self, system: System) -> None:
        """Make it; a kept one stays."""
        key = system.root / _KEY
        public = key.with_name(f"{key.name}.pub")
        if not (system.files.exists(key) and system.files.exists(public)):
            for path in (key, public):
                system.files.remove(path)
            system.commands.run(["mkdir", "-p", key.parent])
            system.commands.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key])
        # `256 SHA256:... no comment (ED25519)`, ssh-keygen(1).
        words = system.commands.run(["ssh-keygen", "-l", "-f", public]).output.split()
        if len(words) > 2:
            system.say(f"{FINGERPRINT}{words[1]} {words[-1]}")
