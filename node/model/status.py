"""What `nodectl status` knows of a running machine, and what follows from it. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from node.model.inventory import Unknown

# Where a role's filesystem belongs on a node; roles that aren't named here need not be mounted.
PLACES = {"CONFIG": "/config", "LOGGING": "/var/log", "DATA": "/data"}
SWAP = "SWAP"
# Above this share of a filesystem a node is degraded: journald and the state need room to write.
FULL = 0.95


@dataclass(frozen=True)
class RunningImage:
    """The image that runs. `slot` is `A`, `B` or "" for one that came from the network or a medium."""

    name: str = ""
    version: str = ""
    source: str = ""
    location: str = ""
    slot: str = ""
    sha256: str = ""
    kernel: str = ""


@dataclass(frozen=True)
class Installed:
    """The installation as CONFIG records it; `at` is ISO 8601."""

    install_id: str = ""
    at: str = ""


@dataclass(frozen=True)
class Interface:
    """A network interface with its addresses, as `192.0.2.1/24`. `kind` is `ethernet`, `bond`, `vlan` ..."""

    name: str
    kind: str = "ethernet"
    mac: str = ""
    up: bool = False
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class RoleUse:
    """A partition of the node's disk. Bytes; `size` and `used` are the filesystem's where it is mounted."""

    role: str
    node: str
    size: int = 0
    used: int = 0
    mounted_at: str = ""
    read_only: bool = False

    @property
    def share(self) -> float:
        """How full it is, from 0 to 1."""
        return self.used / self.size if self.size else 0.0


@dataclass(frozen=True)
class Root:
    """The root filesystem: `lower` and `upper` are the filesystems under an overlay. In bytes, the upper."""

    filesystem: str = ""
    lower: str = ""
    lower_read_only: bool = False
    size: int = 0
    used: int = 0

    @property
    def is_thin(self) -> bool:
        """Whether it is a read-only image under an overlay."""
        return self.filesystem == "overlay" and self.lower_read_only


@dataclass(frozen=True)
class HostKey:
    """A public SSH host key: its type (`ED25519`) and fingerprint (`SHA256:...`)."""

    kind: str
    fingerprint: str


@dataclass(frozen=True)
class NodeStatus:
    """A running machine; `image` is None on one that no Nodecrust image runs on.

    `alarms` are what went wrong at boot or since, a sentence each. `configuration` is what the last start
    made the node of: `current` (the stored state), `history/000007.yaml`, `last-good` or `defaults` in its
    place, `none` where nothing is kept, "" where nobody knows. `on_trial` tells of a change of it that nobody
    has confirmed yet.
    """

    hostname: str = ""
    uptime_s: float = 0.0
    image: RunningImage | None = None
    installed: Installed | None = None
    configuration: str = ""
    on_trial: bool = False
    interfaces: tuple[Interface, ...] = ()
    gateways: tuple[str, ...] = ()
    root: Root = Root()
    roles: tuple[RoleUse, ...] = ()
    host_keys: tuple[HostKey, ...] = ()
    failed_units: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    unknown: tuple[Unknown, ...] = ()


def configuration_words(status: NodeStatus) -> str:
    """Say what the last start made the node of; "" where nobody knows."""
    known = {
        "": "",
        "current": "as stored",
        "none": "none is kept; a reboot forgets all",
        "last-good": "as at the last good start, since what is stored can't be used",
        "defaults": "defaults, since what is stored can't be used",
    }
    source = status.configuration
    return known.get(source, f"{source}, since what is stored can't be used")


def faults(status: NodeStatus) -> tuple[str, ...]:
    """Say what is not as it should be on a node, in words; nothing for a machine that is none."""
    if status.image is None:
        return ()
    found = list(status.alarms)
    # The alarms of the start say it better, and why.
    if not found and status.configuration not in ("", "current", "none"):
        found.append(f"configuration: {configuration_words(status)}")
    found += [f"{unit} failed" for unit in status.failed_units]
    if not status.root.is_thin:
        found.append("the root is not a read-only image under an overlay")
    if not any(interface.addresses for interface in status.interfaces):
        found.append("no network interface has an address")
    for role in status.roles:
        found += _role_faults(role)
    return tuple(found)


def _role_faults(role: RoleUse) -> list[str]:
    if role.role == SWAP:
        return [] if role.mounted_at else [f"swap on {role.node} is off"]
    if (place := PLACES.get(role.role)) is None:
        return []
    if role.mounted_at != place:
        return [f"{role.role} ({role.node}) is not mounted at {place}"]
    if role.read_only:
        return [f"{place} is mounted read-only"]
    return [f"{place} is {role.share:.0%} full"] if role.share >= FULL else []
