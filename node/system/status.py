"""Reads a running machine for `nodectl status`: small readers that need no root and change nothing."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from node.errors import CommandFailedError
from node.model.inventory import Unknown
from node.model.status import HostKey, Installed, NodeStatus, RunningImage
from node.model.system import Commands
from node.system.probe.image import find_image
from node.system.status_disks import Mount, read_mounts, read_roles, read_root
from node.system.status_network import read_gateways, read_interfaces, why

_TIMEOUT_S = 10.0
_KINDS = {"ssh-ed25519": "ED25519", "ssh-rsa": "RSA"}


def read_status(commands: Commands, *, root: Path = Path("/")) -> NodeStatus:
    """Read the machine whose files stand below `root`; what can't be read is named in `unknown`."""
    unknown: list[Unknown] = []
    image = _image(root, unknown)
    mounts = read_mounts(root)
    return NodeStatus(
        hostname=socket.gethostname() if root == Path("/") else _text(root / "etc/hostname"),
        uptime_s=float((_text(root / "proc/uptime") or "0").split()[0]),
        image=image,
        installed=_installed(root, unknown) if image else None,
        configuration=_configuration(root, unknown) if image else "",
        # The folder is root's alone, but everybody sees that it is there.
        on_trial=(root / "run/node/trial").is_dir(),
        interfaces=read_interfaces(commands, unknown),
        gateways=read_gateways(commands, unknown),
        root=read_root(mounts, root),
        roles=read_roles(_own_devices(root, mounts), mounts, root),
        host_keys=_host_keys(root),
        failed_units=_failed_units(commands, unknown),
        alarms=tuple(_text(root / "run/node/alarms").splitlines()),
        unknown=tuple(unknown),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _json(path: Path, unknown: list[Unknown]) -> Mapping[str, Any]:
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        unknown.append(Unknown(str(path), _why(error)))
        return {}
    return data if isinstance(data, dict) else {}


def _why(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else f"{error}".partition("\n")[0]


def _image(root: Path, unknown: list[Unknown]) -> RunningImage | None:
    if not (root / "run/node/image.json").exists():
        return None
    found, missing = find_image(root)
    unknown += missing
    slot = _label(root, found.path) if found.source == "slot" else ""
    return RunningImage(
        name=found.name,
        version=found.version,
        source=found.source,
        location=found.location,
        slot=slot.removeprefix("ROOT-") if slot.startswith("ROOT-") else "",
        sha256=found.sha256,
        kernel=found.kernel,
    )


def _label(root: Path, node: str) -> str:
    event = _text(root / "sys/class/block" / Path(node).name / "uevent")
    return next((line[9:] for line in event.splitlines() if line.startswith("PARTNAME=")), "")


def _installed(root: Path, unknown: list[Unknown]) -> Installed | None:
    """Give the last installation that CONFIG records; None where it records none."""
    path = root / "config/installs.json"
    if not path.exists():
        return None
    installs = _json(path, unknown).get("installs")
    last = installs[-1] if isinstance(installs, list) and installs else None
    if not isinstance(last, dict):
        return None
    return Installed(install_id=str(last.get("id") or ""), at=str(last.get("at") or ""))


def _configuration(root: Path, unknown: list[Unknown]) -> str:
    """Give what `nodectl boot` wrote of where the configuration of this start came from."""
    path = root / "run/node/rendered.json"
    return str(_json(path, unknown).get("source") or "") if path.exists() else ""


def _own_devices(root: Path, mounts: tuple[Mount, ...]) -> tuple[str, ...]:
    """Give the device nodes that this node runs from: its slot and what is mounted at /config."""
    try:
        running = json.loads((root / "run/node/image.json").read_text())
    except (OSError, ValueError):
        return ()
    slot = str(running.get("path") or "") if running.get("source") == "slot" else ""
    config = next((mount.source for mount in mounts if mount.where == "/config"), "")
    return tuple(node for node in (slot, config, _text(root / "run/node/config-device")) if node)


def _host_keys(root: Path) -> tuple[HostKey, ...]:
    keys = []
    for path in sorted((root / "etc/ssh").glob("ssh_host_*_key.pub")):
        kind, _, rest = _text(path).partition(" ")
        try:
            digest = hashlib.sha256(base64.b64decode(rest.split(" ")[0], validate=True)).digest()
        except (binascii.Error, ValueError):
            continue
        name = _KINDS.get(kind, "ECDSA" if kind.startswith("ecdsa-") else kind)
        # ssh-keygen's form: base64 without its padding.
        keys.append(HostKey(name, f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"))
    return tuple(keys)


def _failed_units(commands: Commands, unknown: list[Unknown]) -> tuple[str, ...]:
    argv = ["systemctl", "list-units", "--failed", "--all", "--plain", "--no-legend", "--no-pager"]
    try:
        ran = commands.run(argv, timeout_s=_TIMEOUT_S)
    except CommandFailedError as error:
        unknown.append(Unknown("systemd units", why(error)))
        return ()
    return tuple(line.split()[0] for line in ran.output.splitlines() if line.strip())
