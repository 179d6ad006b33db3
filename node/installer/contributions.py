"""Asks the plugins and checks what they give, so that the planner sees only values of the right types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from node.hookspecs import LayoutProposal, Support, Target
from node.installer.planner import Contributions
from node.model.answers import Answers, Section, SectionModel
from node.model.event import Event, EventKind
from node.model.inventory import Disk, Inventory
from node.model.origin import Origin, Precedence
from node.model.problem import Blame, Problem, Severity
from node.model.step import PREPARE, PlannedStep, PrepareStep
from node.plugin_manager import BUILT_INS, Plugins

Kind = TypeVar("Kind")


class PluginTalk:
    """The hooks of planning, asked plugin by plugin. What is nonsense is left out and named in `problems`."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins
        self._nonsense: list[Problem] = []

    def hooks(self) -> dict[str, tuple[str, ...]]:
        """Give the hooks that each plugin implements, by the plugin's name."""
        return {name: self._plugins.hooks_of(name) for name in self._plugins.names()}

    def sections(self) -> tuple[Section, ...]:
        """Give the sections of the answers; of two under one key the first one stands."""
        offered: dict[str, Section] = {}
        for plugin, section in self._items("node_sections", Section):
            if section.key in offered:
                self._blame(plugin, f"offers the section '{section.key}', which another plugin has")
                continue
            try:
                section.model()
            except Exception as error:
                self._blame(plugin, f"its section '{section.key}' has no defaults: {type(error).__name__}")
                continue
            offered[section.key] = section
        return tuple(offered.values())

    def models(self) -> dict[str, type[SectionModel]]:
        """Give the sections' models by key."""
        return {section.key: section.model for section in self.sections()}

    def contributions(self) -> Contributions:
        """Give what the planner wants."""
        return Contributions(
            validate=self._validate,
            veto=self._veto,
            prepare=self._prepare,
            lay_out=self._lay_out,
            kernel_args=self._kernel_args,
            steps=self._steps,
            problems=self.problems,
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
        return (*self._plugins.problems, *self._nonsense)

    def _validate(self, answers: Answers, inventory: Inventory) -> Sequence[Problem]:
        return [
            replace(
                problem, owner=problem.owner or plugin, origin=problem.origin or _origin(answers, problem)
            )
            for plugin, problem in self._items("node_validate", Problem, answers=answers, inventory=inventory)
        ]

    def _veto(self, disk: Disk) -> Sequence[Problem]:
        return [
            replace(problem, owner=problem.owner or plugin)
            for plugin, problem in self._items("node_veto_disk", Problem, disk=disk)
        ]

    def _prepare(self, answers: Answers, inventory: Inventory) -> Sequence[PlannedStep]:
        """Give the steps that are still to be done; one that can't say so is left out, its plugin named."""
        left = []
        for plugin, step in self._items("node_prepare", PrepareStep, answers=answers, inventory=inventory):
            try:
                if not step.done(inventory):
                    left.append(PlannedStep(PREPARE, step, plugin))
            except Exception as error:
                self._blame(plugin, f"failed in {type(step).__name__}.done: {type(error).__name__}: {error}")
        return left

    def _lay_out(self, inventory: Inventory, answers: Answers, install_id: str) -> LayoutProposal:
        support = {
            answered.plugin: int(answered.value)
            for answered in self._plugins.call("node_support", capability="disk-layout", inventory=inventory)
            if self._is(answered.plugin, "node_support", answered.value, int)
        }
        # The highest support wins, ties go by name, so that the same machine has the same answer each time.
        best = sorted(
            (name for name, level in support.items() if level > Support.NONE),
            key=lambda name: (-support[name], name),
        )
        for name in best[:1]:
            for answered in self._plugins.call(
                "node_disk_layout", only=name, inventory=inventory, answers=answers, install_id=install_id
            ):
                if self._is(name, "node_disk_layout", answered.value, LayoutProposal):
                    proposal: LayoutProposal = answered.value
                    owned = tuple(
                        replace(p, owner=p.owner or name, origin=p.origin or _origin(answers, p))
                        for p in proposal.problems
                    )
                    return replace(proposal, problems=owned)
        return LayoutProposal(None)

    def _kernel_args(self, answers: Answers, inventory: Inventory) -> Sequence[str]:
        return [
            argument
            for _, argument in self._items("node_kernel_args", str, answers=answers, inventory=inventory)
        ]

    def _steps(self, answers: Answers, inventory: Inventory, target: Target) -> Sequence[PlannedStep]:
        return [
            replace(planned, owner=planned.owner or plugin)
            for plugin, planned in self._items(
                "node_plan", PlannedStep, answers=answers, inventory=inventory, target=target
            )
        ]

    def _items(self, hook: str, kind: type[Kind], **arguments: Any) -> Iterator[tuple[str, Kind]]:
        for answered in self._plugins.call(hook, **arguments):
            if answered.value is None:
                continue
            if not self._is(answered.plugin, hook, answered.value, tuple, list):
                continue
            for item in answered.value:
                if self._is(answered.plugin, hook, item, kind):
                    yield answered.plugin, item

    def _is(self, plugin: str, hook: str, value: object, *kinds: type) -> bool:
        if isinstance(value, kinds):
            return True
        self._blame(plugin, f"gave a {type(value).__name__} in {hook}, not a {kinds[0].__name__}")
        return False

    def _blame(self, plugin: str, what: str) -> None:
        built_in = f"node.plugins.{plugin}" in BUILT_INS
        problem = Problem(
            "plugin-failed",
            f"plugin {plugin}",
            what,
            "Report it to its author, or leave it out with NODECRUST_PLUGINS",
            owner=plugin,
            # A part of the plan may be missing then, and a disk that only looks whole is the worst outcome.
            severity=Severity.ERROR if built_in else Severity.WARNING,
            blame=Blame.MACHINE,
        )
        if problem not in self._nonsense:
            self._nonsense.append(problem)


def _origin(answers: Answers, problem: Problem) -> Origin | None:
    """Give where the key that a problem speaks of was set; None where nobody set it."""
    if problem.where.partition(".")[0] not in answers.sections:
        return None
    origin = answers.origin(problem.where)
    return origin if origin.precedence is not Precedence.DEFAULT else None
