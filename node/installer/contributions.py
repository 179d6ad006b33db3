"""Asks the plugins and checks what they give, so that the planner sees only values of the right types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from node.hookspecs import LayoutProposal, Support, Target
from node.installer.chosen import Contest
from node.installer.planner import Contributions
from node.installer.required import Required
from node.model.answers import Answers, Section, SectionModel
from node.model.event import Event, EventKind
from node.model.inventory import Disk, Inventory
from node.model.origin import Origin, Precedence
from node.model.plan import Chosen
from node.model.plugins import LeftOut
from node.model.problem import Problem
from node.model.step import PREPARE, PlannedStep, PrepareStep
from node.plugin_manager import Plugins, Record

Kind = TypeVar("Kind")

LAYOUT, BOOT_LOADER = "disk-layout", "boot-loader"


class PluginTalk:
    """The hooks of planning, asked plugin by plugin. What is nonsense is left out and named in `problems`."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins
        self._sections: tuple[Section, ...] | None = None

    def hooks(self) -> dict[str, tuple[str, ...]]:
        """Give the hooks that each plugin implements, by the plugin's name."""
        return {name: self._plugins.hooks_of(name) for name in self._plugins.names()}

    def records(self) -> tuple[Record, ...]:
        """Give what is known of every plugin, those that are not loaded too."""
        return self._plugins.records()

    def sections(self) -> tuple[Section, ...]:
        """Give the sections of the answers, asked for once; of two under one key the first one stands."""
        if self._sections is not None:
            return self._sections
        offered: dict[str, Section] = {}
        owners: dict[str, str] = {}
        for plugin, section in self._items("node_sections", Section):
            if section.key in offered:
                other = owners[section.key]
                self._plugins.blame(
                    plugin, f"offers the section '{section.key}', which another plugin has: {other}"
                )
                continue
            try:
                section.model()
            except Exception as error:
                words = f"its section '{section.key}' has no defaults: {type(error).__name__}"
                self._plugins.blame(plugin, words)
                continue
            offered[section.key] = section
            owners[section.key] = plugin
        self._sections = tuple(offered.values())
        return self._sections

    def models(self) -> dict[str, type[SectionModel]]:
        """Give the sections' models by key; a plugin that is not there has one that is named like it."""
        models = {section.key: section.model for section in self.sections()}
        for record in self._plugins.records():
            key = record.name.replace("-", "_").replace(".", "_")
            if record.outside and record.state != "loaded" and key not in models and key.isidentifier():
                models[key] = type(key, (LeftOut,), {"key": key, "__module__": LeftOut.__module__})
        return models

    def contributions(self, required: Required | None = None) -> Contributions:
        """Give what the planner wants. Failures of `required` plugins are errors."""
        asked = _Asked(self._plugins, required or Required())
        return Contributions(
            validate=asked.validate,
            veto=asked.veto,
            prepare=asked.prepare,
            lay_out=asked.lay_out,
            kernel_args=asked.kernel_args,
            steps=asked.steps,
            problems=asked.problems,
            chosen=lambda: asked.chosen,
        )

    def tell(self, event: Event) -> None:
        """Tell every plugin of an event of a run, but of progress; what fails there changes nothing."""
        if event.kind is not EventKind.STEP_PROGRESS:
            before = len(self._plugins.problems)
            for _ in self._plugins.call("node_on_event", event=event):
                pass
            del self._plugins.problems[before:]

    def problems(self) -> tuple[Problem, ...]:
        """Give what went wrong with plugins so far, at loading and since."""
        return tuple(self._plugins.problems)

    def _items(self, hook: str, kind: type[Kind], **arguments: Any) -> Iterator[tuple[str, Kind]]:
        return items(self._plugins, hook, kind, **arguments)


class _Asked:
    """One planning: what was chosen for it is remembered."""

    def __init__(self, plugins: Plugins, required: Required) -> None:
        self._plugins = plugins
        self._required = required
        self.chosen: list[Chosen] = []

    def validate(self, answers: Answers, inventory: Inventory) -> Sequence[Problem]:
        return [
            replace(
                problem, owner=problem.owner or plugin, origin=problem.origin or _origin(answers, problem)
            )
            for plugin, problem in items(
                self._plugins, "node_validate", Problem, answers=answers, inventory=inventory
            )
        ]

    def veto(self, disk: Disk) -> Sequence[Problem]:
        return [
            replace(problem, owner=problem.owner or plugin)
            for plugin, problem in items(self._plugins, "node_veto_disk", Problem, disk=disk)
        ]

    def prepare(self, answers: Answers, inventory: Inventory) -> Sequence[PlannedStep]:
        """Give the steps that are still to be done; one that can't say so is left out, its plugin named."""
        left = []
        asked = items(self._plugins, "node_prepare", PrepareStep, answers=answers, inventory=inventory)
        for plugin, step in asked:
            try:
                if not step.done(inventory):
                    left.append(PlannedStep(PREPARE, step, plugin))
            except Exception as error:
                words = f"failed in {type(step).__name__}.done: {type(error).__name__}: {error}"
                self._plugins.blame(plugin, words)
        return left

    def lay_out(self, inventory: Inventory, answers: Answers, install_id: str) -> LayoutProposal:
        contest = self._contest(LAYOUT, inventory)
        for name in contest.order:
            for answered in self._plugins.call(
                "node_disk_layout", only=name, inventory=inventory, answers=answers, install_id=install_id
            ):
                if is_a(self._plugins, name, "node_disk_layout", answered.value, LayoutProposal):
                    proposal: LayoutProposal = answered.value
                    owned = tuple(
                        replace(p, owner=p.owner or name, origin=p.origin or _origin(answers, p))
                        for p in proposal.problems
                    )
                    self.chosen += contest.won_by(name)
                    return replace(proposal, problems=owned)
        return LayoutProposal(None)

    def kernel_args(self, answers: Answers, inventory: Inventory) -> Sequence[str]:
        return [
            argument
            for _, argument in items(
                self._plugins, "node_kernel_args", str, answers=answers, inventory=inventory
            )
        ]

    def steps(self, answers: Answers, inventory: Inventory, target: Target) -> Sequence[PlannedStep]:
        contest = self._contest(BOOT_LOADER, inventory)
        waiting = list(contest.order)
        winner = waiting.pop(0) if waiting else ""
        found: list[PlannedStep] = []
        kinds: dict[str, tuple[str, str]] = {}
        names = [name for name in self._plugins.names() if name not in contest.order or name == winner]
        for name in names:
            given = self._steps_of(name, kinds, answers=answers, inventory=inventory, target=target)
            while given is None and name == winner and waiting:
                # A disk that nobody makes bootable would be the worst of all.
                name = winner = waiting.pop(0)  # noqa: PLW2901 - the next takes the place of this one
                given = self._steps_of(name, kinds, answers=answers, inventory=inventory, target=target)
            found += given or ()
        if winner:
            self.chosen += contest.won_by(winner)
        return found

    def problems(self) -> Sequence[Problem]:
        return self._required.judged(self._plugins.problems, self._plugins.records())

    def _contest(self, capability: str, inventory: Inventory) -> Contest:
        support = {
            answered.plugin: int(answered.value)
            for answered in self._plugins.call("node_support", capability=capability, inventory=inventory)
            if is_a(self._plugins, answered.plugin, "node_support", answered.value, int)
        }
        offered = {name: level for name, level in support.items() if level > Support.NONE}
        return Contest(capability, offered, frozenset(filter(self._plugins.is_outside, offered)))

    def _steps_of(
        self, name: str, kinds: dict[str, tuple[str, str]], **arguments: Any
    ) -> list[PlannedStep] | None:
        """Give all steps of a plugin; None where one of them, or the plugin, is no good: half is worse."""
        failures = self._plugins.failures_of(name)
        found = []
        for _, planned in items(self._plugins, "node_plan", PlannedStep, only=name, **arguments):
            kind = str(planned.step.to_data()["step"])
            bare = kind.rpartition(":")[2]
            owner, other = kinds.setdefault(bare, (name, kind))
            # A step of the same class, such as a built-in's, is no claim to its name.
            if owner != name and other != kind:
                self._plugins.blame(name, f"has a step {bare}, as plugin {owner} does")
            found.append(planned if planned.owner else replace(planned, owner=name))
        return found if self._plugins.failures_of(name) == failures else None


def items(
    plugins: Plugins, hook: str, kind: type[Kind], *, only: str = "", **arguments: Any
) -> Iterator[tuple[str, Kind]]:
    """Give what plugins gave for a hook of sequences, item by item; one of another kind is named."""
    for answered in plugins.call(hook, only=only, **arguments):
        if answered.value is None:
            continue
        if not is_a(plugins, answered.plugin, hook, answered.value, tuple, list):
            continue
        for item in answered.value:
            if is_a(plugins, answered.plugin, hook, item, kind):
                yield answered.plugin, item


def is_a(plugins: Plugins, plugin: str, hook: str, value: object, *kinds: type) -> bool:
    """Tell whether a value is of one of the kinds; else the plugin is named for it."""
    if isinstance(value, kinds):
        return True
    plugins.blame(plugin, f"gave a {type(value).__name__} in {hook}, not a {kinds[0].__name__}")
    return False


def _origin(answers: Answers, problem: Problem) -> Origin | None:
    """Give where the key that a problem speaks of was set; None where nobody set it."""
    if problem.where.partition(".")[0] not in answers.sections:
        return None
    origin = answers.origin(problem.where)
    return origin if origin.precedence is not Precedence.DEFAULT else None
