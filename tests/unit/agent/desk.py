"""A node below a temporary folder: its root, its image, its CONFIG, and plugins that render little."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, ValidationError

from node.agent.configuration import Checked, Desk, Rendered, Sections
from node.agent.places import Places
from node.model.answers import SectionModel
from node.model.netplan import to_yaml
from node.model.problem import Problem
from node.model.state import RenderedFile, State
from node.persist.store import StoredState, read_state, take_back, write_state
from node.testing.fake_system import FakeSystem

ME = str(os.getuid())
NETPLAN = "/etc/netplan/90-nodecrust.yaml"
GENERATE = ("netplan", "generate")
RELOAD = ("networkctl", "reload")
NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Net(SectionModel):
    key: ClassVar[str] = "network"
    persists: ClassVar[bool] = True
    hostname: str = ""
    zone: str = ""
    netplan: dict[str, Any] = Field(default_factory=dict)
    dns: tuple[str, ...] = ()


class Access(SectionModel):
    key: ClassVar[str] = "access"
    persists: ClassVar[bool] = True
    secret: ClassVar[frozenset[str]] = frozenset({"hash"})
    hash: str = ""


MODELS: dict[str, type[SectionModel]] = {"network": Net, "access": Access}


def own(path: str, contents: str, **more: Any) -> RenderedFile:
    return RenderedFile(path, contents, owner=ME, group=ME, **more)


def render(state: State) -> Rendered:
    net = Net.model_validate(state.sections.get("network", {}))
    name = f"{net.hostname}\n"
    live: tuple[tuple[str, ...], ...] = (("hostnamectl", "hostname", net.hostname),)
    files = [
        own("/etc/hostname", name, live=live),
        own(NETPLAN, to_yaml(net.netplan), mode=0o600, live=(GENERATE, RELOAD), on_trial=True),
    ]
    if net.dns:
        text = f"DNS={' '.join(net.dns)}\n"
        files.append(own("/etc/dns.conf", text, live=(("systemctl", "restart", "resolved"), RELOAD)))
    if net.zone:
        files.append(own("/etc/zone", f"{net.zone}\n"))
    return Rendered(tuple(files))


def check(new: Sections, _old: Sections) -> Checked:
    sections, problems = {}, []
    for key, values in new.items():
        try:
            model = MODELS[key].model_validate(values)
            sections[key] = model.model_dump(mode="json", exclude_defaults=True)
        except ValidationError:
            problems.append(Problem("wrong", key, "is wrong", "Correct it"))
    return Checked(sections, problems=tuple(problems))


class Node:
    """The node: `files` are those of its live root, `system` has what was run."""

    def __init__(self, folder: Path, render: Callable[[State], Rendered] = render) -> None:
        self.places = Places(folder / "root", folder / "image", folder / "run", folder / "net")
        for path in (self.places.root / "etc", self.places.image / "etc", self.places.run, self.places.net):
            path.mkdir(parents=True)
        self.config = folder / "config"
        self.config.mkdir()
        self.system = FakeSystem()
        self.settled: list[State] = []
        self.desk = Desk(
            self.places,
            self.system.commands,
            MODELS,
            self._read,
            self._write,
            lambda reason: take_back(self.config, reason=reason),
            lambda _: None,
            check,
            render,
            lambda: (),
            lambda state: self.settled.append(state) or "",  # type: ignore[func-returns-value]
        )

    def install(self, **network: Any) -> None:
        """Give it a state and the files of it."""
        self._write(State(sections={"network": network}), "installed")
        for file in render(self.stored).files:
            path = self.places.root / file.path.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.contents)
            path.chmod(file.mode)

    @property
    def stored(self) -> State:
        return self._read().state

    @property
    def ran(self) -> list[tuple[str, ...]]:
        return [call.arguments["argv"] for call in self.system.called("commands.run")]

    def text(self, path: str) -> str | None:
        file = self.places.root / path.lstrip("/")
        return file.read_text() if file.exists() else None

    def devices(self, *names: str) -> None:
        for name in names:
            (self.places.net / name).mkdir()

    def _read(self) -> StoredState:
        stored = read_state(self.config)
        assert stored is not None
        return stored

    def _write(self, state: State, reason: str) -> None:
        write_state(self.config, state, reason=reason, at=NOW)


def setting(**network: Any) -> Callable[[Sections], Sections]:
    def change(sections: Sections) -> Sections:
        return {**sections, "network": {**sections.get("network", {}), **network}}

    return change


def argvs(calls: Sequence[tuple[str, ...]], program: str) -> list[tuple[str, ...]]:
    return [argv for argv in calls if argv[0] == program]
