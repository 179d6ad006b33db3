"""A plugin on the bench: planned, run on a fake machine, rendered, shown; nothing is installed or written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from node.agent.facts import facts_of
from node.agent.health import Told, ask_checks, ask_plugins
from node.boot.rendering import render
from node.installer.contributions import PluginTalk
from node.installer.document import read_document
from node.installer.flow import Look, look
from node.installer.plan_text import plan_lines
from node.installer.schema import json_schema
from node.model.answers import Layer
from node.model.inventory import Inventory
from node.model.origin import Precedence
from node.model.problem import Problem
from node.model.state import RenderedFile, State
from node.model.status import NodeStatus, RunningImage
from node.model.step import Step
from node.plugin_manager import Plugins
from node.testing.fake_system import FakeSystem
from node.testing.machines import machine

if TYPE_CHECKING:
    from node.testing.screens import Desk

# A key of nobody, so that somebody can log in: a plan is refused otherwise.
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFaeEkzI6P3YUIuqGHKPbZmKBGSMrEWEgwVa5DPfFOgO me@desk"
BASE: Mapping[str, Any] = {"access": {"admin": {"ssh_keys": [_KEY]}}}

Answers = str | Mapping[str, Any]
Machine = str | Inventory


class Workbench:
    """One plugin, beside the built-ins, in this process. `name` is what its entry point would be called.

    AssertionError where it can't be loaded, or where a hook of it failed: the test shall see that. Answers
    are a mapping or YAML, laid over those of a node that somebody can log in to; a machine is an inventory or
    the name of a recorded one.
    """

    def __init__(self, plugin: object, *, name: str = "") -> None:
        self.name = name or _name_of(plugin)
        self._plugins = Plugins()
        with _no_outside_plugins():
            self._plugins.load()
        self._plugins.add(self.name, lambda: plugin)
        self._fail_loudly()
        self.talk = PluginTalk(self._plugins)

    def look(self, answers: Answers = "", on: Machine = "vm-virtio-blank") -> Look:
        """Give the answers as validated, the inventory and the plan."""
        inventory = machine(on) if isinstance(on, str) else on
        layers, problems = _layers(answers)
        seen = look(self.talk, layers, inventory, problems=problems, for_show=True)
        self._fail_loudly()
        return seen

    def problems(self, answers: Answers = "", on: Machine = "vm-virtio-blank") -> tuple[Problem, ...]:
        """Give the problems that this plugin found, and those that the models of its sections found."""
        given = self._plugins.call("node_sections", only=self.name)
        mine = {section.key for answered in given for section in answered.value or ()}
        return tuple(
            problem
            for problem in self.look(answers, on).plan.problems
            if problem.owner == self.name or (not problem.owner and problem.where.split(".")[0] in mine)
        )

    def steps(self, answers: Answers = "", on: Machine = "vm-virtio-blank") -> tuple[Step, ...]:
        """Give this plugin's steps of the plan, those that come before disks are chosen included."""
        plan = self.look(answers, on).plan
        return tuple(one.step for one in (*plan.prepare, *plan.steps) if one.owner == self.name)

    def plan_text(self, answers: Answers = "", on: Machine = "vm-virtio-blank") -> str:
        """Give what `nodectl plan` prints."""
        seen = self.look(answers, on)
        return "\n".join(plan_lines(seen.plan, seen.inventory)) + "\n"

    def schema(self) -> dict[str, Any]:
        """Give the JSON Schema of the answers, this plugin's sections included."""
        return json_schema(self.talk.sections())

    def render(self, sections: Mapping[str, Any] | None = None) -> dict[str, RenderedFile]:
        """Give the files of /etc that this plugin makes of a state, by their paths."""
        found = render(self._plugins, State(sections=dict(sections or {})))
        assert not found.failures, "\n".join(found.failures)
        return {file.path: file for file in found.by_plugin.get(self.name, ())}

    def facts(self, on: Machine = "vm-virtio-blank") -> Any:
        """Give what a server is told under this plugin's name."""
        inventory = machine(on) if isinstance(on, str) else on
        own = {
            answered.plugin: answered.value
            for answered in self._plugins.call("node_probe", only=self.name, inventory=inventory)
        }
        self._fail_loudly()
        return facts_of(inventory, NodeStatus(), [], own)["plugins"].get(self.name)

    def health(self, on: Machine = "vm-virtio-blank") -> dict[str, str]:
        """Give the checks by name, each as the status shows it: `failed: no fan turns`."""
        inventory = machine(on) if isinstance(on, str) else on
        found = ask_checks(self._plugins, inventory)
        self._fail_loudly()
        return {check.name: str(check) for check in found}

    def status(self, on: Machine = "vm-virtio-blank") -> str:
        """Give what `nodectl status` prints of a node with nothing but plugins' lines."""
        from node.cli.status_text import page  # noqa: PLC0415 - what only plans needs no words of a status

        inventory = machine(on) if isinstance(on, str) else on
        told: Told = ask_plugins(self._plugins, inventory)
        return page(NodeStatus(image=RunningImage("node", "1")), told.panels, told.unwell)

    def screens(self, answers: Answers = "", on: Machine = "vm-virtio-blank") -> Desk:
        """Give the installer's screens, 80 by 24."""
        from node.testing.screens import Desk  # noqa: PLC0415 - urwid only for whoever looks

        layers, problems = _layers(answers)
        return Desk(on, layers, problems, talk=self.talk)

    def _fail_loudly(self) -> None:
        mine = [problem for problem in self._plugins.problems if problem.owner == self.name]
        assert not mine, "\n".join(str(problem) for problem in mine)


def run_steps(*steps: Step, system: FakeSystem | None = None) -> FakeSystem:
    """Do steps in order and finish them in reverse, as the engine does; give the machine that remembers.

    Where one fails, by whatever exception, those that were begun are undone in reverse order, and its error
    is raised.
    """
    machine_ = system or FakeSystem(machine("server-nvme-pair"))
    begun: list[Step] = []
    try:
        for step in steps:
            begun.append(step)
            step.apply(machine_)
    except Exception:
        machine_.failing.clear()
        for step in reversed(begun):
            step.undo(machine_)
        raise
    for step in reversed(begun):
        step.finish(machine_)
    return machine_


def _layers(answers: Answers) -> tuple[list[Layer], tuple[Problem, ...]]:
    base = Layer(Precedence.DEFAULT, BASE)
    if isinstance(answers, str):
        layer, problems = read_document(answers.encode(), name="answers.yaml")
        return [base, layer], tuple(problems)
    return [base, Layer(Precedence.FILE, answers, "answers.yaml")], ()


def _name_of(plugin: object) -> str:
    name = plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__name__
    return name.removesuffix(".plugin").rpartition(".")[2].replace("_", "-").lower()


@contextmanager
def _no_outside_plugins() -> Iterator[None]:
    """Load none of those that happen to be installed here: a test shall see one plugin."""
    import os  # noqa: PLC0415 - nothing else here knows an environment

    before = os.environ.get("NODECRUST_PLUGINS")
    os.environ["NODECRUST_PLUGINS"] = ""
    try:
        yield
    finally:
        if before is None:
            del os.environ["NODECRUST_PLUGINS"]
        else:
            os.environ["NODECRUST_PLUGINS"] = before
