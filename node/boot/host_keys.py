"""SSH host keys: made on the first boot, kept on CONFIG. Run by nodecrust-hostkeys before sshd."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from node.boot.base_files import key_text
from node.system.files import LiveFiles

# RSA takes a slow machine many seconds, and every client since 2014 knows one of these.
KINDS = ("ed25519", "ecdsa")


def make_keys(ssh: Path) -> None:
    """Make the keys that are missing in a folder such as /etc/ssh."""
    for kind in KINDS:
        path = ssh / f"ssh_host_{kind}_key"
        if not path.exists():
            argv = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", str(path)]
            subprocess.run(argv, stdin=subprocess.DEVNULL, timeout=60, check=True)


def keep_keys(ssh: Path, config: Path) -> None:
    """Copy to CONFIG the keys that it lacks, or has damaged ones of; the public part goes last."""
    files = LiveFiles()
    for path in sorted(ssh.glob("ssh_host_*_key")):
        kept = config / "ssh" / path.name
        public = path.with_suffix(".pub")
        if not (key_text(kept) and key_text(kept.with_suffix(".pub"))) and public.exists():
            files.copy(path, kept, mode=0o600)
            files.copy(public, kept.with_suffix(".pub"), mode=0o644)


def main() -> int:
    """Make them, and keep them where this is an installed node."""
    ssh, config = Path("/etc/ssh"), Path("/config")
    make_keys(ssh)
    if (config / "node.yaml").exists() or any((config / "history").glob("*.yaml")):
        keep_keys(ssh, config)
    return 0


if __name__ == "__main__":
    sys.exit(main())
