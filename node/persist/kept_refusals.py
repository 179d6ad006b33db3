"""Which paths can't be kept, and why, in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase

from node.model.kept import is_within

_BY_CONFIGURATION = "it is made from the node's configuration at every boot; change it by nodectl config"
_BY_ITSELF = "the node keeps it by itself"

# What is no part of the root, or has a partition of its own.
_ELSEWHERE: Mapping[str, str] = {
    "/config": "/config is on the disk already",
    "/data": "/data is a partition of its own (DATA), whose files stay anyway",
    "/var/log": "logs stay where the node has the partition LOGGING, and are not kept otherwise",
    "/boot": "/boot holds the kernel of the image",
    "/run": "/run is made anew by every start",
    "/tmp": "/tmp is for what nobody needs after a restart",  # noqa: S108 - a name, not a file that is made
    "/var/tmp": "/var/tmp is for what nobody needs after a restart",  # noqa: S108
    "/proc": "/proc is the kernel's",
    "/sys": "/sys is the kernel's; settings of it are kept by nodectl config (kernel.sysctl, kernel.modules)",
    "/dev": "/dev is the kernel's",
}

# Kept as a whole, they would bring everything along that ever changes there, from image to image.
_WHOLE = frozenset(
    (
        *("/", "/bin", "/etc", "/lib", "/lib64", "/sbin", "/usr", "/usr/bin", "/usr/lib", "/usr/sbin"),
        *("/usr/share", "/var", "/var/cache", "/var/lib"),
    )
)

# Made from the state on every node that has one, whether or not it has them now.
_ALWAYS_MADE: Mapping[str, str] = {
    "/etc/passwd": "accounts are made from the node's configuration; see nodectl config and nodectl password",
    "/etc/shadow": "passwords are made from the node's configuration; see nodectl password",
    "/etc/group": "groups are made from the node's configuration; see nodectl config",
    "/etc/gshadow": "groups are made from the node's configuration; see nodectl config",
    "/etc/fstab": _BY_CONFIGURATION,
    "/etc/machine-id": _BY_ITSELF,
    "/etc/ssh/ssh_host_*": _BY_ITSELF,
}


def refusal(path: str, *, rendered: Collection[str] = (), mounts: Collection[str] = ()) -> str:
    """Say why an absolute path without `..` can't be kept, "" where it can.

    `rendered` are the paths made from the state, `mounts` the places where something is mounted, "/" not
    among them.
    """
    if not path.startswith("/") or any(
        part in ("", ".", "..") for part in path[1:].split("/") if path != "/"
    ):
        return "it is not an absolute path"
    if path in _WHOLE:
        return "too much of the image is in it; name what you changed (nodectl persist diff lists that)"
    for top, why in _ELSEWHERE.items():
        if is_within(path, top):
            return why
    made = next((why for pattern, why in _ALWAYS_MADE.items() if fnmatchcase(path, pattern)), "")
    if made or path in rendered:
        return made or _BY_CONFIGURATION
    mount = next((mount for mount in mounts if is_within(path, mount)), "")
    return f"it is on another filesystem, mounted at {mount}, and no part of the root" if mount else ""


def left_out(path: str, *, rendered: Collection[str], mounts: Collection[str]) -> str:
    """Say why a path is left out of a folder that is kept, "" where it isn't."""
    if path in mounts:
        return "another filesystem is mounted there"
    return refusal(path, rendered=rendered)
