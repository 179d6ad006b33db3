"""Composes what a change of the configuration needs: plugins, the answers' own checks, netplan, the store."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from node.agent.configuration import Checked, Desk, Rendered, Sections
from node.agent.places import Places
from node.boot.last_good import read_last_good, remember
from node.boot.rendering import load_plugins, render
from node.errors import InputError, NodeError, TryAgainError, UnfitMachineError
from node.installer.answers import merge, validate
from node.installer.contributions import PluginTalk
from node.model.answers import Answers, Layer, Section, SectionModel
from node.model.install import InstallAnswers, Mode
from node.model.inventory import Inventory
from node.model.origin import Precedence
from node.model.problem import Problem, Severity, errors
from node.model.state import State
from node.model.system import Commands
from node.persist.aside import copy_aside
from node.persist.store import (
    StoredState,
    Version,
    history,
    read_state,
    read_version,
    take_back,
    try_room,
    write_state,
)
from node.plugin_manager import Plugins
from node.plugins.access import AccessAnswers
from node.plugins.access.check import already_over
from node.plugins.network import NetworkAnswers
from node.system.accounts import check_account
from node.system.commands import LiveCommands
from node.system.files import LiveFiles
from node.system.netplan import check_netplan
from node.system.probe.nics import find_nics
from node.system.time_limit import TooLongError

CONFIG = Path("/config")
_RUNNING_IMAGE = Path("/run/node/image.json")
_NAME = "the new configuration"


@dataclass(frozen=True)
class Office:
    """The desk with what only commands want: the sections' words, and the versions that are kept."""

    desk: Desk
    sections: tuple[Section, ...]
    config: Path
    plugins: Plugins

    @property
    def kept_sections(self) -> tuple[Section, ...]:
        """The sections that outlive the installation."""
        return tuple(section for section in self.sections if section.model.persists)

    def history(self) -> tuple[Version, ...]:
        """Give the versions, newest first."""
        return history(self.config, migrate=self.plugins.migrate)

    def replace_newer(self, state: State, reason: str) -> str:
        """Put a state in the place of one of a newer image; say where below CONFIG that is kept."""
        kept = copy_aside(LiveFiles(), self.config)
        write_state(self.config, state, reason=reason, at=datetime.now(UTC), replace_future=True)
        return str(kept)

    def version(self, number: int) -> State:
        """Give one of them."""
        return read_version(self.config, number, migrate=self.plugins.migrate)


def require_root(what: str) -> None:
    """Refuse whoever is not root: the state holds hashes, and its folder is root's."""
    if os.geteuid() != 0:
        raise InputError(f"only root can {what}", mend="Run it with sudo")


def open_office() -> Office:
    """Load the plugins and give the office of this node; TryAgainError where it is too busy for that."""
    try:
        plugins = load_plugins()
    except TooLongError:
        raise TryAgainError(
            "this machine is too busy to load the plugins in time", mend="Try again when it is less so"
        ) from None
    talk = PluginTalk(plugins)
    sections = talk.sections()
    models = {section.key: section.model for section in sections}
    commands, config = LiveCommands(), CONFIG
    desk = Desk(
        places=Places(),
        commands=commands,
        models=models,
        read=lambda: _read(config, plugins, models),
        write=lambda state, reason: write_state(config, state, reason=reason, at=datetime.now(UTC)),
        unwrite=lambda reason: _unwrite(config, reason),
        try_room=lambda state: try_room(config, state),
        check=lambda new, old: check_sections(talk, models, new, old, commands=commands),
        render=lambda state: _rendered(plugins, state),
        nics=find_nics,
        settled=lambda state: _remember(config, plugins, state),
    )
    return Office(desk, sections, config, plugins)


def check_layer(office: Office, layer: Layer, old: Sections) -> Checked:
    """Judge a document on its own, with the lines that its problems stand at; `old` is what is stored.

    What lacks the sections that it leaves out is judged with them, when it is proposed.
    """
    checked = check_sections(
        PluginTalk(office.plugins),
        office.desk.models,
        layer.values,
        old,
        commands=office.desk.commands,
        layer=layer,
    )
    own = tuple(p for p in checked.problems if p.where.partition(".")[0] in layer.values)
    return replace(checked, problems=own)


def check_stored(office: Office) -> Checked:
    """Judge what is stored."""
    sections = office.desk.read().state.sections
    talk = PluginTalk(office.plugins)
    return check_sections(
        talk,
        office.desk.models,
        sections,
        sections,
        commands=office.desk.commands,
        layer=Layer(Precedence.FILE, sections, "what is stored"),
    )


def check_sections(
    talk: PluginTalk,
    models: Mapping[str, type[SectionModel]],
    new: Sections,
    old: Sections,
    *,
    commands: Commands,
    layer: Layer | None = None,
) -> Checked:
    """Judge sections by their models, by netplan and by the plugins; `layer` is where they were read from.

    A section that no plugin here has stays as it is, for an image that has it. What a plugin objects to and
    stood before is no reason to refuse something else.
    """
    strange = {key: old[key] for key in old if key not in models and new.get(key) == old[key]}
    layer = layer or Layer(Precedence.FILE, new, _NAME)
    layer = replace(layer, values={k: v for k, v in layer.values.items() if k not in strange})
    found = list(_not_kept(layer, models))
    answers, problems = _answers(layer, models)
    found += [problem for problem in problems if problem.where.partition(".")[0] not in _passing(models)]
    found += check_netplan(
        answers[NetworkAnswers].netplan,
        commands=commands,
        origin=answers.origin,
        live=_RUNNING_IMAGE.exists(),
    )
    access = answers[AccessAnswers]
    if access.admin.name != (_admin(old).get("name") or AccessAnswers().admin.name):
        # One that an image took later is no reason to refuse something else.
        name = "access.admin.name"
        found += check_account(access.admin.name, where=name, origin=answers.origin(name))
    if access.admin.expires != _expiry(old):
        # One that came by the passing of time is no reason to refuse something else.
        today, origin = f"{datetime.now(UTC):%Y-%m-%d}", answers.origin("access.admin.expires")
        found += already_over(access, today=today, origin=origin)
    found += _objections(talk, models, answers, old)
    kept = {**answers.persistent(), **strange}
    return Checked(kept, answers.section_versions(), tuple(found))


def _expiry(sections: Sections) -> str:
    return str(_admin(sections).get("expires") or "")


def _admin(sections: Sections) -> Mapping[str, Any]:
    given = sections.get(AccessAnswers.key, {}).get("admin")
    return given if isinstance(given, Mapping) else {}


def _answers(layer: Layer, models: Mapping[str, type[SectionModel]]) -> tuple[Answers, tuple[Problem, ...]]:
    # Who changes a running node is as good as gone: what must not be left undone by an unattended
    # installation, such as a way to log in, must not be here either.
    unattended = {InstallAnswers.key: {"mode": Mode.UNATTENDED.value}} if InstallAnswers.key in models else {}
    kept = {key: value for key, value in layer.values.items() if key not in _passing(models)}
    layers = [Layer(Precedence.IMAGE, unattended), Layer(layer.precedence, kept, layer.name, layer.places)]
    return validate(merge(layers), models)


def _passing(models: Mapping[str, type[SectionModel]]) -> set[str]:
    return {key for key, model in models.items() if not model.persists}


def _not_kept(layer: Layer, models: Mapping[str, type[SectionModel]]) -> list[Problem]:
    lasting = ", ".join(key for key, model in models.items() if model.persists)
    return [
        Problem(
            "section-not-kept",
            key,
            "speaks of the installation, and is no part of what a node keeps",
            f"Take it out; what lasts is: {lasting}",
            layer.origin(key),
        )
        for key in layer.values
        if key in _passing(models)
    ]


def _objections(
    talk: PluginTalk, models: Mapping[str, type[SectionModel]], answers: Answers, old: Sections
) -> list[Problem]:
    inventory = Inventory(hostname=socket.gethostname(), nics=find_nics())
    contributions = talk.contributions()
    found = [p for p in contributions.validate(answers, inventory) if _is_ours(p, models)]
    if errors(tuple(found)):
        before, _ = _answers(Layer(Precedence.FILE, {k: v for k, v in old.items() if k in models}), models)
        known = {(p.code, p.where) for p in contributions.validate(before, inventory)}
        found = [replace(p, severity=Severity.WARNING) if (p.code, p.where) in known else p for p in found]
    return [*found, *(p for p in contributions.problems() if p.severity is Severity.WARNING)]


def _is_ours(problem: Problem, models: Mapping[str, type[SectionModel]]) -> bool:
    model = models.get(problem.where.partition(".")[0])
    return model is not None and model.persists


def _read(config: Path, plugins: Plugins, models: Mapping[str, type[SectionModel]]) -> StoredState:
    def check(state: State) -> None:
        for key, model in models.items():
            if model.persists:
                model.model_validate(state.sections.get(key, {}))

    stored = read_state(config, migrate=plugins.migrate, check=check)
    if stored is None:
        raise UnfitMachineError(
            "this machine keeps no configuration: it has no CONFIG, or nothing is stored there",
            mend="Install the node, or lay out CONFIG alone: see nodectl install",
        )
    return stored


def _unwrite(config: Path, reason: str) -> None:
    try:
        take_back(config, reason=reason)
    except OSError as error:
        raise NodeError(
            f"what is stored is the change still, since CONFIG takes no other: {error.strerror or error}",
            mend="See journalctl -k for errors of its disk",
        ) from None


def _remember(config: Path, plugins: Plugins, state: State) -> str:
    """Keep the rendering as the last good one: else a start that fails would let in who was let in before."""
    return remember(config, render(plugins, state, read_last_good(config).files).by_plugin)


def _rendered(plugins: Plugins, state: State) -> Rendered:
    already = len(plugins.problems)
    rendering = render(plugins, state)
    # Plugins gather what went wrong with them; of one rendering only what is new counts.
    del plugins.problems[already:]
    return Rendered(rendering.files, tuple(dict.fromkeys(rendering.failures)))
