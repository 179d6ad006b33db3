"""Files of /etc that belong to no plugin: what an installed node keeps, what one without state goes by."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

from node.model.state import RenderedFile

SSH_KEYS = "ssh"


def installed_files(root: Path) -> list[RenderedFile]:
    """Give what an installed node has: a journal that is kept, and the folders below /var/log."""
    return [
        RenderedFile("/etc/systemd/journald.conf.d/50-nodecrust.conf", "[Journal]\nStorage=persistent\n"),
        RenderedFile("/etc/tmpfiles.d/nodecrust-var-log.conf", _log_folders(root)),
    ]


def host_keys(config: Path) -> tuple[list[RenderedFile], tuple[str, ...]]:
    """Give the SSH host keys of CONFIG, and in words those that can't be used: a new one is made then."""
    files, damaged = [], []
    for key in sorted((config / SSH_KEYS).glob("ssh_host_*_key*")):
        mode = 0o644 if key.suffix == ".pub" else 0o600
        if text := key_text(key):
            files.append(RenderedFile(f"/etc/ssh/{key.name}", text, mode))
        else:
            damaged.append(f"the SSH host key {key} is damaged, so another one is used")
    return files, tuple(damaged)


def key_text(key: Path) -> str:
    """Give a key's text, "" where it is missing or can't be one."""
    try:
        text = key.read_text(encoding="ascii")
    except (OSError, UnicodeError):
        return ""
    return text if text.strip() else ""


def has_host_name(files: Sequence[RenderedFile]) -> bool:
    """Whether /etc/hostname among these files holds a name; comments are none (hostname(5))."""
    lines = [line for file in files if file.path == "/etc/hostname" for line in file.contents.splitlines()]
    return any(line.strip() and not line.startswith("#") for line in lines)


def name_by_card(mac: str) -> str:
    """Give the name of a node that nobody named, so that twenty of them on a bench are told apart."""
    return f"node-{mac.replace(':', '')}"


def first_mac(net: Path, kernel_arguments: Sequence[str]) -> str:
    """Give the MAC of the card that it booted from (BOOTIF), else the first Ethernet card's, else ""."""
    for argument in kernel_arguments:
        if argument.lower().startswith("bootif="):
            octets = argument.partition("=")[2].lower().replace(":", "-").split("-")
            if len(octets) in (6, 7):
                return ":".join(octets[-6:])
    for card in sorted(net.glob("*")):
        # Type 1 is Ethernet; a card has a device, a bridge or a tap hasn't.
        if _line(card / "type") == "1" and (card / "device").exists():
            return _line(card / "address")
    return ""


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _log_folders(root: Path) -> str:
    """Give tmpfiles.d lines for what packages made below /var/log, since LOGGING comes up empty over it."""
    lines = []
    top = root / "var/log"
    for folder in sorted(path for path in top.rglob("*") if path.is_dir() and not path.is_symlink()):
        status = folder.stat()
        where = folder.relative_to(root)
        lines.append(f"d /{where} {stat.S_IMODE(status.st_mode):04o} {status.st_uid} {status.st_gid} -\n")
    return "".join(lines)
