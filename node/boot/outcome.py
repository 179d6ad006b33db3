"""What a start comes to: files in the root, kept files put back, a host name, and word of it in /run/node."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from node.boot.alarms import raise_alarms
from node.boot.base_files import (
    first_mac,
    has_host_name,
    host_keys,
    installed_files,
    name_by_card,
)
from node.boot.places import Places
from node.boot.root_files import write_file
from node.model.state import RenderedFile

NETPLAN = "/etc/netplan/"
RENDERED = "rendered.json"


@dataclass(frozen=True)
class Outcome:
    """What the root gets. `declared` are the paths that plugins want kept, by plugin.

    `source` says where it came from: `current`, `history/000007.yaml`, `last-good`, `defaults`, or `none` for
    a node that keeps nothing.
    """

    files: tuple[RenderedFile, ...]
    source: str
    alarms: tuple[str, ...] = ()
    declared: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def installed(self) -> bool:
        """Whether this is a node with a configuration of its own, usable or not."""
        return self.source != "none"

    @property
    def has_network(self) -> bool:
        """Whether the node would have a network configuration of its own."""
        return any(file.path.startswith(NETPLAN) for file in self.files)


def bring_about(outcome: Outcome, places: Places) -> tuple[str, ...]:
    """Write it all and give the alarms that were raised. Whatever fails costs nothing but itself."""
    files = list(outcome.files)
    damaged: tuple[str, ...] = ()
    if outcome.installed:
        keys, damaged = host_keys(places.config)
        files += [*installed_files(places.root), *keys]
    elif _network_is_given(places):
        # An installer that was given a static address still needs it.
        files = [file for file in files if not file.path.startswith(NETPLAN)]
    alarms = (*outcome.alarms, *damaged, *_write(places, files))
    paths = sorted({file.path for file in files} | ({"/etc/machine-id"} if outcome.installed else set()))
    alarms += _tell(places, paths, outcome.source)
    if outcome.installed:
        alarms += _put_back(places, paths, outcome.declared)
    if not has_host_name(files):
        _name(places)
    raise_alarms(alarms, path=places.run / "alarms")
    return alarms


def _network_is_given(places: Places) -> bool:
    """Tell whether the kernel command line configures the network; the initrd has made files of it."""
    return any(places.network.glob("70-nodecrust-early-*.network"))


def _write(places: Places, files: list[RenderedFile]) -> tuple[str, ...]:
    failures = []
    # The appended ones first: /etc/passwd may bring the owners of others.
    for file in sorted(files, key=lambda file: not file.append):
        try:
            write_file(places.root, file)
        except (OSError, LookupError, ValueError) as error:
            failures.append(f"{file.path} could not be written: {error}")
    return tuple(failures)


def _tell(places: Places, paths: Sequence[str], source: str) -> tuple[str, ...]:
    """Leave word for `nodectl`: which paths are made of the state, and where that came from."""
    try:
        places.run.mkdir(parents=True, exist_ok=True)
        (places.run / RENDERED).write_text(json.dumps({"paths": list(paths), "source": source}) + "\n")
    except OSError as error:
        return (f"{places.run / RENDERED} could not be written: {error.strerror}",)
    return ()


def _put_back(places: Places, paths: Sequence[str], declared: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    if not declared and not (places.config / "kept").exists():
        return ()
    try:
        from node.persist.kept import restore  # noqa: PLC0415 - a fault of it must not keep the node away

        return restore(
            places.config, places.root, rendered=paths, declared=declared, record=places.run / "kept.json"
        )
    except Exception as error:
        return (f"kept files could not be put back: {type(error).__name__}: {error}",)


def _name(places: Places) -> None:
    """Name a node that nobody named: by ip= on the kernel command line, else by its card."""
    # The kernel's own name outlives switch-root where /etc/hostname has none; DHCP may change it.
    try:
        given = (places.run / "hostname").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        given = ""
    if given:
        places.set_host_name(given)
    elif mac := first_mac(places.net, places.cmdline.read_text(encoding="utf-8").split()):
        places.set_host_name(name_by_card(mac))
