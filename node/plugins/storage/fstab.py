"""/etc/fstab of the installed node, from what the state says of its disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from node.model.layout import Role

# Nothing here may keep a node from coming up reachable: a partition that is missing or broken is waited
# for shortly and then passed over. CONFIG is checked and mounted already, by the initrd.
_LATE = "nofail,x-systemd.device-timeout=120s"
_PLACES: dict[Role, tuple[str, str, int]] = {
    Role.CONFIG: ("/config", f"nodev,nosuid,{_LATE}", 0),
    Role.LOGGING: ("/var/log", f"nodev,nosuid,noexec,{_LATE}", 2),
    Role.DATA: ("/data", f"nodev,{_LATE}", 2),
    Role.SWAP: ("none", _LATE, 0),
    Role.BOOT: ("/boot", "noauto,nodev,nosuid,noexec", 0),
    Role.ESP: ("/boot/efi", "noauto,nodev,nosuid,noexec,umask=0077", 0),
}


def fstab(install: Mapping[str, Any]) -> str:
    """Give the text of /etc/fstab for the state's `install`; "" where it names no partition."""
    lines = []
    for entry in install.get("layout", ()):
        role = next((r for r in _PLACES if r.value == entry.get("role")), None)
        if role is None or not entry.get("partuuid") or not entry.get("filesystem"):
            continue
        where, options, check = _PLACES[role]
        if entry["filesystem"] == "xfs":  # its fsck does nothing
            check = 0
        lines.append(f"PARTUUID={entry['partuuid']} {where} {entry['filesystem']} {options} 0 {check}")
    return "".join(f"{line}\n" for line in ("# Made at every boot from the node's state.", *lines) if lines)
