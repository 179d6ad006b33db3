"""What comes before disks are chosen: in what order, how often, and what a restart takes with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import pytest

from node.errors import InputError, NodeError, UnfitMachineError
from node.hookspecs import hookimpl
from node.installer.contributions import PluginTalk
from node.installer.engine import run_plan
from node.installer.flow import install, look
from node.installer.live import Effects, LiveInstaller
from node.installer.plan_text import plan_lines, plan_to_data
from node.installer.preparing import MOST, Memory, NoMemory, Preparation
from node.installer.sources.gather import local_layers
from node.model.answers import Answers, Layer
from node.model.install import Afterwards
from node.model.inventory import Inventory
from node.model.origin import Precedence
from node.model.plan import Plan
from node.model.step import PrepareStep
from node.model.system import System
from node.plugin_manager import Plugins
from node.system.remembered import FirmwareCounts
from node.testing.fake_system import FakeSystem
from node.testing.machines import machine
from tests.unit.hooks.test_each_hook import BASE
from tests.unit.installer.test_live import FinishedAskingError, Screen

pytestmark = pytest.mark.effects("processes")
BLANK = machine("vm-virtio-blank")
DISKLESS = replace(BLANK, disks=())


@dataclass(frozen=True)
class SetUpController(PrepareStep):
    slot: str

    def summary(self) -> str:
        return f"Make one volume of the controller in slot {self.slot}"

    def apply(self, system: System) -> None:
        system.commands.run(["ctl", "make", self.slot])

    def done(self, inventory: Inventory) -> bool:
        return bool(inventory.disks)


@dataclass(frozen=True)
class UpdateFirmware(SetUpController):
    reboots: ClassVar[bool] = True


@dataclass
class Counts:
    """A memory that lasts as long as the test."""

    counts: dict[str, int] = field(default_factory=dict)

    def read(self) -> dict[str, int]:
        return dict(self.counts)

    def write(self, counts: dict[str, int]) -> bool:
        self.counts = dict(counts)
        return True


def talk_of(*steps: PrepareStep) -> PluginTalk:
    class Raid:
        @hookimpl
        def node_prepare(self, inventory: Inventory, answers: Answers) -> Sequence[PrepareStep]:
            return steps

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NODECRUST_PLUGINS", "")
        plugins = Plugins()
        plugins.load()
    plugins.add("raid", Raid)
    return PluginTalk(plugins)


def layers(mode: str = "unattended") -> list[Layer]:
    return [Layer(Precedence.FILE, {**BASE, "install": {"mode": mode}}, "answers.yaml")]


@dataclass
class Machine:
    """Boots with one inventory after the other; the last one stays."""

    inventories: list[Inventory]
    memory: Memory = field(default_factory=Counts)
    done: list[tuple[str, ...]] = field(default_factory=list)
    left: list[Afterwards] = field(default_factory=list)
    screens: object = None

    def boot(self, talk: PluginTalk, screen: Screen, mode: str = "unattended") -> int:
        def look_at() -> Inventory:
            return self.inventories.pop(0) if len(self.inventories) > 1 else self.inventories[0]

        effects = Effects(
            inventory=look_at,
            local=lambda: local_layers(talk.models(), image_answers=Path("/nonexistent"), command_line=""),
            with_answers=lambda gathered: replace(gathered, layers=(*gathered.layers, *layers(mode))),
            install=lambda plan, observers: self.done.append(
                tuple(type(one.step).__name__ for one in plan.steps if one.owner == "raid") or ("node",)
            ),
            boot_existing=lambda found, inventory: None,
            leave=self.left.append,
            screens=self.screens,
            memory=self.memory,
        )
        return LiveInstaller(screen, talk, effects).run()


def test_the_machine_is_prepared_and_then_installed() -> None:
    node, screen = Machine([DISKLESS, BLANK]), Screen()
    assert node.boot(talk_of(SetUpController("3")), screen) == 0
    assert node.done == [("SetUpController",), ("node",)]
    assert "Make one volume of the controller in slot 3" in screen.text


def test_an_unattended_machine_restarts_and_goes_on_at_the_right_place() -> None:
    memory = Counts()
    talk = talk_of(UpdateFirmware("3"), SetUpController("3"))
    node = Machine([DISKLESS], memory)
    assert node.boot(talk, Screen()) == 0
    assert node.done == [("UpdateFirmware",)]
    assert node.left == [Afterwards.REBOOT]
    assert memory.counts
    again = Machine([BLANK], memory)
    assert again.boot(talk, Screen()) == 0
    assert again.done == [("node",)]
    assert not memory.counts


def test_a_step_that_restarts_for_ever_is_stopped_in_words() -> None:
    memory, talk = Counts(), talk_of(UpdateFirmware("3"))
    for _ in range(MOST):
        assert Machine([DISKLESS], memory).boot(talk, Screen()) == 0
    node, screen = Machine([DISKLESS], memory), Screen()
    assert node.boot(talk, screen) == UnfitMachineError.exit_code
    assert not node.done
    assert not node.left
    assert "was done 3 times and is asked for again: Make one volume" in screen.text
    assert "plugin raid" in screen.text


def test_a_step_that_never_helps_is_stopped_without_a_restart_too() -> None:
    node, screen = Machine([DISKLESS], NoMemory()), Screen()
    assert node.boot(talk_of(SetUpController("3")), screen) == UnfitMachineError.exit_code
    assert len(node.done) == MOST


def test_without_a_memory_a_person_restarts_it() -> None:
    node, screen = Machine([DISKLESS], NoMemory()), Screen()
    assert node.boot(talk_of(UpdateFirmware("3")), screen) == 0
    assert node.done == [("UpdateFirmware",)]
    assert not node.left
    assert "restart it by hand" in screen.text


def test_nothing_is_prepared_unasked_where_somebody_sits() -> None:
    node, screen = Machine([DISKLESS, DISKLESS, BLANK]), Screen(["", "prepare"])
    with pytest.raises(FinishedAskingError):
        node.boot(talk_of(SetUpController("3")), screen, mode="interactive")
    assert node.done == [("SetUpController",)]
    assert "type prepare, then Enter" in screen.text


def test_the_screens_come_back_with_what_was_typed() -> None:
    typed = Layer(Precedence.SCREEN, {"network": {"hostname": "typed"}}, "the screen")
    shown: list[tuple[int, int]] = []

    def screens(gathered, inventory) -> int | Layer:
        shown.append((len(gathered.layers), len(inventory.disks)))
        return typed if not inventory.disks else 0

    node = Machine([DISKLESS, BLANK], screens=screens)
    assert node.boot(talk_of(SetUpController("3")), Screen(), mode="interactive") == 0
    assert node.done == [("SetUpController",)]
    assert [disks for _, disks in shown] == [0, 1]
    assert shown[1][0] == shown[0][0] + 1


def test_wrong_answers_prepare_nothing() -> None:
    talk = talk_of(SetUpController("3"))
    wrong = [*layers(), Layer(Precedence.FILE, {"network": {"hostnmae": "x"}}, "answers.yaml")]
    plan = look(talk, wrong, DISKLESS, for_show=True).plan
    assert plan.refused
    assert not plan.prepare


def test_a_plan_shows_it_and_is_not_installed_without() -> None:
    talk = talk_of(UpdateFirmware("3"))
    plan = look(talk, layers(), DISKLESS, for_show=True).plan
    assert not plan.refused
    words = " ".join("\n".join(plan_lines(plan, DISKLESS)).split())
    assert "1. Make one volume of the controller in slot 3; the machine restarts then" in words
    (step,) = plan_to_data(plan, DISKLESS)["prepare"]
    assert (step["owner"], step["phase"], step["slot"]) == ("raid", "prepare", "3")
    with pytest.raises(InputError, match="prepared first"):
        install(plan, [])


def test_the_engine_runs_the_steps(tmp_path: Path) -> None:
    plan = look(talk_of(SetUpController("3")), layers(), DISKLESS, for_show=True).plan
    ran = []

    def engine(made: Plan, observers: object) -> None:
        assert made.prepare == ()
        run_plan(
            made,
            system_factory=lambda progress, say: FakeSystem(DISKLESS),
            observers=[lambda event: ran.append(event.kind.value)],
            journal=tmp_path / "journal",
        )

    assert not Preparation(NoMemory(), engine).run(plan, ())
    assert ran == ["run-started", "step-started", "step-done", "run-done"]


def test_a_failure_is_the_engines_and_counts() -> None:
    memory = Counts()

    def engine(plan: Plan, observers: object) -> None:
        raise NodeError("no such slot")

    plan = look(talk_of(SetUpController("3")), layers(), DISKLESS, for_show=True).plan
    with pytest.raises(NodeError, match="no such slot"):
        Preparation(memory, engine).run(plan, ())
    assert list(memory.counts.values()) == [1]


def test_the_firmware_keeps_counts(tmp_path: Path) -> None:
    counts = FirmwareCounts(tmp_path)
    assert counts.read() == {}
    assert counts.write({"a": 1, "b": 2})
    assert counts.write({"a": 2})
    assert FirmwareCounts(tmp_path).read() == {"a": 2}
    (variable,) = tmp_path.iterdir()
    assert variable.read_bytes()[:4] == b"\x07\0\0\0"
    variable.write_bytes(b"\x07\0\0\0{half")
    assert counts.read() == {}
    assert counts.write({})
    assert not list(tmp_path.iterdir())
    assert not FirmwareCounts(tmp_path / "no-uefi").write({"a": 1})


def test_one_that_fails_leads_back_to_the_screens() -> None:
    typed = Layer(Precedence.SCREEN, {"network": {"hostname": "typed"}}, "the screen")
    shown: list[int] = []

    def screens(gathered, inventory) -> int | Layer:
        shown.append(len(gathered.layers))
        return typed if len(shown) == 1 else 0

    node, screen = Machine([DISKLESS], screens=screens), Screen([""])
    failing = talk_of(SetUpController("3"))

    class Dead(list):
        def append(self, _) -> None:
            raise NodeError("no such slot", mend="Look at the slot")

    node.done = Dead()
    assert node.boot(failing, screen, mode="interactive") == 0
    assert len(shown) == 2
    assert "Not prepared: no such slot" in screen.text
