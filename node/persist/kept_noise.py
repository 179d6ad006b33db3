"""What the running system changes by itself, and why none of it is missed after a restart."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from node.model.kept import is_within

_CACHE = "a cache; it is filled anew"
_SYSTEMD = "systemd's notes on this run"
_ACCOUNTS = "what the tools for accounts leave beside the files that are made from the configuration"
_MADE = "made anew at every boot"
_OWN = "the node keeps it on CONFIG by itself"
_SESSION = "what a program noted of a session"
_LOGS = "logs have LOGGING where the node has that partition"

# With all below; by the first that fits. `*` goes across folders.
_TREES: Mapping[str, str] = {
    "/tmp": "for what nobody needs after a restart",  # noqa: S108 - a name, not a file that is made
    "/var/tmp": "for what nobody needs after a restart",  # noqa: S108
    "/run": _MADE,
    "/dev": "the kernel's",
    "/var/log": _LOGS,
    "/var/cache": _CACHE,
    "/root/.cache": _CACHE,
    "/var/lib/apt/lists": _CACHE,
    "/var/lib/systemd": _SYSTEMD,
    "/var/lib/private": _SYSTEMD,
    "/var/lib/dbus/machine-id": _OWN,
    "/var/lib/libvirt/dnsmasq": "libvirt's notes on its networks; made anew when they start",
    "/var/lib/libvirt/qemu/checkpoint": "libvirt's notes on this run",
    "/var/lib/logrotate": "what was rotated when",
    "/etc/.updated": _SYSTEMD,
    "/var/.updated": _SYSTEMD,
    "/etc/.pwd.lock": _ACCOUNTS,
    "/etc/machine-id": _OWN,
    "/etc/adjtime": "how the hardware clock drifts; learnt anew",
    "/etc/ld.so.cache": _CACHE,
    "/etc/mtab": _MADE,
    "/etc/resolv.conf": "name servers go by nodectl config",
}
_PATTERNS: Mapping[str, str] = {
    "*/__pycache__": _CACHE,
    "*/__pycache__/*": _CACHE,
    "/home/*/.cache": _CACHE,
    "/home/*/.cache/*": _CACHE,
    "/etc/ssh/ssh_host_*": _OWN,
    "/etc/passwd-": _ACCOUNTS,
    "/etc/shadow-": _ACCOUNTS,
    "/etc/group-": _ACCOUNTS,
    "/etc/gshadow-": _ACCOUNTS,
    "/etc/subuid-": _ACCOUNTS,
    "/etc/subgid-": _ACCOUNTS,
    "*/.bash_history": _SESSION,
    "*/.lesshst": _SESSION,
    "*/.viminfo": _SESSION,
    "*/.python_history": _SESSION,
    "*/.nodecrust-kept": _MADE,
}


def noise_reason(path: str) -> str:
    """Say why a change of a path is no loss, "" where it may be one."""
    for top, why in _TREES.items():
        if is_within(path, top):
            return why
    return next((why for pattern, why in _PATTERNS.items() if fnmatchcase(path, pattern)), "")
