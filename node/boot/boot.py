"""What runs in the new root just before systemd starts there: the stored state becomes files of /etc."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from node.boot.alarms import ALARMS, raise_alarms
from node.boot.base_files import (
    first_mac,
    has_host_name,
    installed_files,
    name_by_card,
    without_given_network,
)
from node.boot.rendering import load_plugins, render
from node.boot.root_files import write_file
from node.errors import NodeError
from node.model.state import RenderedFile, State
from node.persist.store import BrokenStateError, read_state


@dataclass(frozen=True)
class Places:
    """Where things are; all below a temporary folder in tests."""

    root: Path = Path("/")
    config: Path = Path("/config")
    alarms: Path = ALARMS
    cmdline: Path = Path("/proc/cmdline")
    net: Path = Path("/sys/class/net")
    set_host_name: Callable[[str], None] = socket.sethostname


class NetworkNotRenderedError(NodeError):
    """No plugin gave a network configuration: whoever called must see to one."""


def boot(places: Places) -> tuple[str, ...]:
    """Render the state into the root and give the alarms that were raised.

    NetworkNotRenderedError after all else was written, where the node would come up without a network.
    """
    stored, alarms = _stored_state(places.config)
    rendering = render(load_plugins(), stored or State())
    alarms += rendering.failures
    arguments = places.cmdline.read_text(encoding="utf-8").split()
    files = list(rendering.files)
    if stored is None:
        files = without_given_network(files, arguments)
    else:
        files += installed_files(places.root, places.config)
    alarms += _write(places.root, files)
    if not has_host_name(files) and (mac := first_mac(places.net, arguments)):
        # The kernel's own name outlives switch-root where /etc/hostname has none; DHCP may change it.
        places.set_host_name(name_by_card(mac))
    raise_alarms(alarms, path=places.alarms)
    if not rendering.has_network:
        raise NetworkNotRenderedError("the network could not be rendered", details="\n".join(alarms))
    return alarms


def _stored_state(config: Path) -> tuple[State | None, tuple[str, ...]]:
    """Give the state, None where there is none, and what is wrong with it.

    A broken one counts as a default one, not as none: the node is an installed one all the same.
    """
    try:
        stored = read_state(config)
    except BrokenStateError as error:
        details = f" ({error.details})" if error.details else ""
        return State(), (f"{error.brief}{details}; the node starts with defaults",)
    if stored is None:
        return None, ()
    return stored.state, stored.warnings


def _write(root: Path, files: list[RenderedFile]) -> tuple[str, ...]:
    """Write the files; one that can't be written costs nothing but itself."""
    failures = []
    # The appended ones first: /etc/passwd may bring the owners of others.
    for file in sorted(files, key=lambda file: not file.append):
        try:
            write_file(root, file)
        except (OSError, LookupError, UnicodeError) as error:
            failures.append(f"{file.path} could not be written: {error}")
    return tuple(failures)
