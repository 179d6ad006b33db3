"""The console of a recorded node: the very same screens and checks, and nothing is real."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from node.agent.configuration import Checked, Desk, Rendered, Sections, take_back
from node.agent.places import Places
from node.agent.trial import read_trial
from node.boot.rendering import load_plugins, render
from node.console.apart import run_apart
from node.console.app import App
from node.console.clerk import Clerk, Surroundings
from node.console.login import Verdict
from node.console.tries import Tries
from node.console.views import Overview
from node.console.wire import Remote
from node.demo.fake_system import FakeSystem
from node.demo.run import own_terminal
from node.installer.answers import merge, validate
from node.locale import _
from node.model.answers import Layer, Section, SectionModel
from node.model.origin import Precedence
from node.model.state import State
from node.persist.store import StoredState, read_state, write_state
from node.plugin_manager import Plugins

USER, PASSWORD = "admin", "demo"
TRIAL_S = 60
_RECORDED = TypeAdapter(Overview)
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1xkVPWW5WhJ1nEKNJFgJ5nEAhZKjRw0yYzQqUq0T0O me"
_SETTINGS: dict[str, dict[str, Any]] = {
    "network": {
        "hostname": "node1.example.org",
        "netplan": {
            "ethernets": {
                "ens3": {
                    "dhcp4": False,
                    "accept-ra": True,
                    "addresses": ["192.0.2.10/24"],
                    "routes": [{"to": "default", "via": "192.0.2.1"}],
                }
            }
        },
        "dns": ["192.0.2.53"],
        "ntp": ["ntp.example.org"],
    },
    "access": {
        "admin": {
            "password_hash": "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7",
            "ssh_keys": [_KEY],
        }
    },
    "logging": {"forward": ["tls://log.example.org"]},
}
_LOST = (
    "new            /root/notes.txt",
    "changed        /etc/sysctl.d/60-mine.conf",
    "new            /opt/vendor  (folder, 12 files, 3 MiB)",
)
_LOG = """\
Nov 23 08:58:01 node1 kernel: Linux version 6.12.48+deb13-amd64
Nov 23 08:58:09 node1 systemd[1]: Reached target multi-user.target.
Nov 23 08:58:10 node1 systemd-networkd[412]: ens3: Gained carrier
Nov 23 09:01:12 node1 libvirtd[733]: libvirt version: 11.3.0
"""


def recorded() -> Overview:
    """Give the recorded node."""
    return _RECORDED.validate_json((files(__package__ or "node.demo") / "console.json").read_bytes())


class DemoNode:
    """A node below a temporary folder, of recorded settings; its commands are only remembered."""

    def __init__(self, folder: Path, overview: Overview | None = None) -> None:
        self.system = FakeSystem()
        self.left: list[str] = []
        self.notes: list[str] = []
        self.waited: list[float] = []
        self.seen = overview or recorded()
        self._plugins = load_plugins()
        offered = [section for given in self._plugins.call("node_sections") for section in given.value or ()]
        self.sections: tuple[Section, ...] = tuple(each for each in offered if each.model.persists)
        self._models = {section.key: section.model for section in offered}
        self._config = folder / "config"
        self._places = Places(folder / "root", folder / "image", folder / "run", folder / "net")
        for path in (self._config, *(self._places.root, self._places.image, self._places.run)):
            path.mkdir()
        for interface in self.seen.status.interfaces:
            (self._places.net / interface.name).mkdir(parents=True)
        self.desk = Desk(
            places=self._places,
            commands=self.system.commands,
            models=self._models,
            read=self._read,
            write=self._write,
            unwrite=lambda _reason: None,
            try_room=lambda _state: None,
            check=lambda new, _old: _checked(new, self._models),
            render=lambda state: _rendered(self._plugins, state),
            nics=lambda: (),
            settled=lambda _state: "",
        )
        self._write(State(sections=_SETTINGS), "installed")

    def surroundings(self, *, place: str = "tty1", timeout_s: int = TRIAL_S) -> Surroundings:
        """Give a clerk's surroundings; failed tries cost no time, and are noted in `waited`."""
        return Surroundings(
            desk=lambda: self.desk,
            overview=self._overview,
            log=lambda lines: _LOG.splitlines()[-lines:],
            lost=lambda: _LOST,
            judge=lambda user, password: (
                Verdict.ADMITTED if (user, password) == (USER, PASSWORD) else Verdict.WRONG
            ),
            tries=Tries(self._places.run / "tries.json", sleep=self.waited.append),
            note=self.notes.append,
            leave=self.left.append,
            place=place,
            timeout_s=timeout_s,
        )

    @property
    def stored(self) -> Sections:
        """The settings as they are stored now."""
        return self._read().state.sections

    def _overview(self) -> Overview:
        # No timer runs here that would do it.
        trial = read_trial(self._places.run)
        if trial and not trial.remaining_s:
            take_back(self._places, self.system.commands, why="was not confirmed in time and was taken back")
        return self.seen

    def _read(self) -> StoredState:
        stored = read_state(self._config)
        if stored is None:
            raise FileNotFoundError(self._config)
        return stored

    def _write(self, state: State, reason: str) -> None:
        write_state(self._config, state, reason=reason, at=datetime.now(UTC))


def run_demo_console() -> int:
    """Show it on the terminal of who called."""
    with tempfile.TemporaryDirectory() as folder:
        node = DemoNode(Path(folder))

        def screens(reading: socket.socket, acting: socket.socket) -> int:
            app = App(own_terminal(), Remote(reading), Remote(acting), node.sections, prompt=False, demo=True)
            app.screens.note(_("A demonstration: log in as admin with the password demo."))
            return app.run()

        return run_apart(Clerk(node.surroundings()), screens)


def _checked(new: Sections, models: Mapping[str, type[SectionModel]]) -> Checked:
    answers, problems = validate(merge([Layer(Precedence.FILE, new)]), models)
    return Checked(answers.persistent(), answers.section_versions(), tuple(problems))


def _rendered(plugins: Plugins, state: State) -> Rendered:
    me, mine = str(os.getuid()), str(os.getgid())
    found = render(plugins, state)
    return Rendered(tuple(replace(file, owner=me, group=mine) for file in found.files), found.failures)
