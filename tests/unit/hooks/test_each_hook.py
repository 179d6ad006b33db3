"""Each hook of the interface, by a plugin from outside that has that hook and little more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from uuid import UUID

import pytest

from node.agent.facts import facts_of
from node.agent.health import ask_plugins
from node.boot.rendering import render
from node.cli.register_post import backends_of
from node.cli.status_text import page
from node.hookspecs import LayoutProposal, StatusLine, Support, Target, hookimpl
from node.installer.contributions import PluginTalk
from node.installer.flow import Look, look
from node.model.answers import Answers, Layer, Section, SectionModel
from node.model.event import Event, EventKind
from node.model.health import HealthCheck, Outcome
from node.model.inventory import Disk, Inventory
from node.model.layout import Role
from node.model.origin import Precedence
from node.model.problem import Problem, Severity
from node.model.state import RenderedFile, State
from node.model.status import NodeStatus, RunningImage
from node.model.step import PlannedStep, PrepareStep, Step
from node.model.system import System
from node.plugin_manager import Plugins
from node.testing.machines import machine

pytestmark = pytest.mark.effects("processes")  # netplan is asked in a helper process

BLANK = machine("vm-virtio-blank")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFaeEkzI6P3YUIuqGHKPbZmKBGSMrEWEgwVa5DPfFOgO me"
BASE: Mapping[str, Any] = {"access": {"admin": {"ssh_keys": [KEY]}}}


class Lamp(SectionModel):
    key: ClassVar[str] = "lamp"
    persists: ClassVar[bool] = True
    schema_version: ClassVar[int] = 2
    colour: str = "white"


@dataclass(frozen=True)
class Shine(Step):
    colour: str

    def summary(self) -> str:
        return f"Shine in {self.colour}"

    def apply(self, system: System) -> None:
        system.say(self.colour)


@dataclass(frozen=True)
class Screw(PrepareStep):
    def summary(self) -> str:
        return "Screw the bulb in"

    def apply(self, system: System) -> None:
        system.say("in")

    def done(self, inventory: Inventory) -> bool:
        return "bulb" in inventory.facts


class Plugin:
    @hookimpl
    def node_sections(self) -> Sequence[Section]:
        return (Section(Lamp, "Lamp"),)


def loaded(*plugins: object, built_ins: bool = True) -> Plugins:
    manager = Plugins()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NODECRUST_PLUGINS", "")
        if built_ins:
            manager.load()
    for number, plugin in enumerate(plugins):
        manager.add(f"lamp{number or ''}", lambda plugin=plugin: plugin)
    return manager


def looked(*plugins: object, inventory: Inventory = BLANK, **sections: Any) -> Look:
    layer = Layer(Precedence.FILE, {**BASE, **sections}, "answers.yaml")
    return look(PluginTalk(loaded(*plugins)), [layer], inventory, for_show=True)


def test_node_sections() -> None:
    seen = looked(Plugin(), lamp={"colour": "red"})
    assert seen.answers[Lamp].colour == "red"
    assert not seen.plan.refused
    assert looked(Plugin(), lamp={"color": "red"}).plan.refused


def test_node_prepare() -> None:
    class Preparing:
        @hookimpl
        def node_prepare(self, inventory: Inventory, answers: Answers) -> Sequence[PrepareStep]:
            return (Screw(),)

    plan = looked(Preparing()).plan
    assert [(one.phase, one.owner, one.step) for one in plan.prepare] == [("prepare", "lamp", Screw())]
    assert plan.layout is None
    assert not plan.steps
    ready = looked(Preparing(), inventory=replace(BLANK, facts={"bulb": True})).plan
    assert not ready.prepare
    assert ready.steps


def test_node_support() -> None:
    class Vendor:
        @hookimpl
        def node_support(self, capability: str, inventory: Inventory) -> Support:
            return Support.VENDOR if capability == "disk-layout" else Support.NONE

        @hookimpl
        def node_disk_layout(self) -> LayoutProposal:
            return LayoutProposal(None, (Problem("dark", "lamp", "it is dark", "Wait"),))

    plan = looked(Vendor()).plan
    assert [problem.code for problem in plan.problems if problem.severity is Severity.ERROR] == ["dark"]


def test_node_disk_layout() -> None:
    built_in = looked().plan.layout
    assert built_in

    class Smaller:
        @hookimpl
        def node_support(self, capability: str) -> Support:
            return Support.VENDOR

        @hookimpl
        def node_disk_layout(self, inventory: Inventory, answers: Answers, install_id: str) -> LayoutProposal:
            assert UUID(install_id)
            return LayoutProposal(
                replace(built_in, partitions=tuple(p for p in built_in.partitions if p.role is not Role.DATA))
            )

    layout = looked(Smaller()).plan.layout
    assert layout
    assert layout.get(Role.DATA) is None
    assert layout.get(Role.CONFIG)


def test_node_veto_disk() -> None:
    class Careful:
        @hookimpl
        def node_veto_disk(self, disk: Disk) -> Sequence[Problem]:
            return (Problem("bright", disk.node, "holds light", "Cover it"),)

    assert looked(Careful()).plan.refused
    assert not looked(Careful(), storage={"consent": list(BLANK.disks[0].identities[:1])}).plan.refused


def test_node_validate() -> None:
    class Strict(Plugin):
        @hookimpl
        def node_validate(self, answers: Answers, inventory: Inventory) -> Sequence[Problem]:
            if answers[Lamp].colour == "white":
                return ()
            return (Problem("colour", "lamp.colour", "is none that we have", "Take white"),)

    found = looked(Strict(), lamp={"colour": "red"}).plan.problems
    (problem,) = [one for one in found if one.code == "colour"]
    assert (problem.owner, str(problem.origin)) == ("lamp", "answers.yaml")
    assert not any(one.code == "colour" for one in looked(Strict()).plan.problems)


def test_node_kernel_args() -> None:
    class Early:
        @hookimpl
        def node_kernel_args(self, answers: Answers, inventory: Inventory) -> Sequence[str]:
            return ("lamp.early=1",)

        @hookimpl
        def node_plan(self, target: Target) -> Sequence[PlannedStep]:
            return (PlannedStep("vendor", Shine(" ".join(target.kernel_args))),)

    shines = [one.step for one in looked(Early()).plan.steps if isinstance(one.step, Shine)]
    assert "lamp.early=1" in shines[0].colour.split()


def test_node_plan() -> None:
    class Planning(Plugin):
        @hookimpl
        def node_plan(self, answers: Answers, inventory: Inventory, target: Target) -> Sequence[PlannedStep]:
            return (PlannedStep("vendor", Shine(answers[Lamp].colour)),)

    steps = looked(Planning(), lamp={"colour": "red"}).plan.steps
    (mine,) = [one for one in steps if one.owner == "lamp"]
    assert mine.step.summary() == "Shine in red"
    phases = [one.phase for one in steps]
    assert phases.index("vendor") < phases.index("boot")


def test_node_on_event() -> None:
    seen: list[EventKind] = []

    class Watching:
        @hookimpl
        def node_on_event(self, event: Event) -> None:
            seen.append(event.kind)
            raise RuntimeError("too bright")

    talk = PluginTalk(loaded(Watching(), built_ins=False))
    for kind in (EventKind.RUN_STARTED, EventKind.STEP_PROGRESS, EventKind.RUN_DONE):
        talk.tell(Event(kind, 0.0))
    assert seen == [EventKind.RUN_STARTED, EventKind.RUN_DONE]
    assert not talk.problems()


def test_node_render() -> None:
    class Rendering:
        @hookimpl
        def node_render(self, state: State, inventory: Inventory | None) -> Sequence[RenderedFile]:
            assert inventory is None
            return (RenderedFile("/etc/lamp", str(state.sections["lamp"])),)

    found = render(loaded(Rendering(), built_ins=False), State(sections={"lamp": {"colour": "red"}}))
    assert [(file.path, file.contents) for file in found.files] == [("/etc/lamp", "{'colour': 'red'}")]
    assert not found.failures


def test_node_persist_paths() -> None:
    class Keeping:
        @hookimpl
        def node_persist_paths(self) -> Sequence[str]:
            return ("/etc/lamp.d",)

    assert render(loaded(Keeping(), built_ins=False), State()).declared == {"lamp": ("/etc/lamp.d",)}


def test_node_migrate() -> None:
    class Migrating(Plugin):
        @hookimpl
        def node_migrate(self, section: str, values: Any, version: int) -> Any:
            return {"colour": values["color"]} if (section, version) == ("lamp", 1) else None

    document = {"version": 1, "sections": {"lamp": {"color": "red"}}}
    found = loaded(Migrating(), built_ins=False).migrate(document)
    assert found["sections"] == {"lamp": {"colour": "red"}}


def test_node_probe() -> None:
    class Probing:
        @hookimpl
        def node_probe(self, inventory: Inventory) -> Mapping[str, Any]:
            return {"bulbs": len(inventory.disks)}

    plugins = loaded(Probing(), built_ins=False)
    own = {one.plugin: one.value for one in plugins.call("node_probe", inventory=BLANK)}
    assert facts_of(BLANK, NodeStatus(), [], own)["plugins"] == {"lamp": {"bulbs": 1}}


def test_node_health_checks() -> None:
    class Checking:
        @hookimpl
        def node_health_checks(self, inventory: Inventory) -> Sequence[HealthCheck]:
            return (
                HealthCheck("bulb", Outcome.DEGRADED, "one of two is off"),
                HealthCheck("switch", Outcome.PASSED),
                HealthCheck("fuse", Outcome.SKIPPED, "there is none"),
            )

    class Failing:
        @hookimpl
        def node_health_checks(self) -> Sequence[HealthCheck]:
            raise RuntimeError("no power")

    told = ask_plugins(loaded(Checking(), Failing(), built_ins=False), BLANK)
    assert [check.name for check in told.checks] == ["bulb", "switch", "fuse"]
    assert told.unwell == (
        "plugin lamp1: failed in node_health_checks: RuntimeError: no power",
        "bulb: degraded: one of two is off",
    )
    text = page(NodeStatus(image=RunningImage("node", "1")), told.panels, told.unwell)
    assert "bulb             degraded: one of two is off" in text
    assert "fuse             skipped: there is none" in text
    facts = facts_of(BLANK, NodeStatus(), [], {}, told.checks)
    assert facts["checks"][0] == {"name": "bulb", "outcome": "degraded", "words": "one of two is off"}


def test_node_status_panels() -> None:
    class Showing:
        @hookimpl
        def node_status_panels(self, inventory: Inventory) -> Sequence[StatusLine]:
            return (StatusLine("lamp", inventory.architecture, healthy=False),)

    told = ask_plugins(loaded(Showing(), built_ins=False), BLANK)
    assert told.panels == (StatusLine("lamp", "x86_64", healthy=False),)
    assert told.unwell == ("lamp: x86_64",)


def test_node_register() -> None:
    @dataclass(frozen=True)
    class Lighthouse:
        name: str = "lighthouse"

    class Registering:
        @hookimpl
        def node_register(self, state: State) -> Sequence[Any]:
            return (Lighthouse(),) if state.sections.get("lamp") else ()

    plugins = loaded(Registering(), built_ins=False)
    (found,) = backends_of(plugins, State(sections={"lamp": {"colour": "red"}}))
    assert (found.plugin, found.backend.name) == ("lamp", "lighthouse")
    assert backends_of(plugins, State()) == ()


def test_a_step_that_can_not_say_whether_it_is_done_is_left_out() -> None:
    @dataclass(frozen=True)
    class Broken(Screw):
        def done(self, inventory: Inventory) -> bool:
            raise KeyError("bulb")

    class Preparing:
        @hookimpl
        def node_prepare(self) -> Sequence[PrepareStep]:
            return (Broken(), Screw())

    plan = looked(Preparing()).plan
    assert [one.step for one in plan.prepare] == [Screw()]
    assert any(p.owner == "lamp" and p.severity is Severity.WARNING for p in plan.problems)
