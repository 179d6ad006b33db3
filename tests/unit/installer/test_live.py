"""The installer of a booted image, with the machine, the network and the consoles replaced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from node.errors import InputError, NodeError, StepFailedError, TryAgainError
from node.installer.document import read_document
from node.installer.flow import load_plugins
from node.installer.live import Effects, LiveInstaller
from node.installer.sources.gather import Gathered, local_layers
from node.model.event import Event, EventKind
from node.model.install import Afterwards
from node.model.inventory import Inventory
from node.model.plan import Plan
from node.model.problem import Problem
from node.testing.machines import machine
from tests.unit.installer.test_plans import BASE

pytestmark = pytest.mark.effects("processes")


class FinishedAskingError(Exception):
    """The test's script has no more to type."""


@dataclass
class Screen:
    """Consoles that remember what was said, and type what `typed` holds; None is a time-out."""

    typed: list[str | None] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def say(self, *lines: str) -> None:
        self.lines += lines

    def ask(self, prompt: str, *, timeout_s: float | None = None) -> str | None:
        del timeout_s
        self.lines.append(prompt)
        if not self.typed:
            raise FinishedAskingError
        return self.typed.pop(0)

    def pump(self) -> None:
        pass

    def flush(self) -> None:
        pass

    @property
    def can_ask(self) -> bool:
        return True

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.lines).split())


@dataclass
class Machine:
    """What the live installer does is remembered; `answers` is a document or an error to be raised."""

    inventory: Inventory
    answers: list[str | Exception] = field(default_factory=lambda: [""])
    command_line: str = ""
    install_error: NodeError | None = None
    boot_error: NodeError | None = None
    installed: list[Plan] = field(default_factory=list)
    booted: list[str] = field(default_factory=list)
    left: list[Afterwards] = field(default_factory=list)
    leave_error: NodeError | None = None

    def effects(self) -> Effects:
        talk = load_plugins()
        return Effects(
            inventory=lambda: self.inventory,
            local=lambda: local_layers(
                talk.models(), image_answers=Path("/nonexistent"), command_line=self.command_line
            ),
            with_answers=self._with_answers,
            install=self._install,
            boot_existing=lambda found, inventory: self._boot(found.disk),
            leave=self._leave,
        )

    def run(self, screen: Screen) -> int | None:
        try:
            return LiveInstaller(screen, load_plugins(), self.effects()).run()  # type: ignore[arg-type]
        except FinishedAskingError:
            return None

    def _with_answers(self, gathered: Gathered) -> Gathered:
        text = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(text, InputError):
            return replace(gathered, problems=(*gathered.problems, Problem("a", "node.answers", "b", "c")))
        if isinstance(text, Exception):
            raise text
        layer, problems = read_document(text.encode(), name="answers.yaml")
        return replace(gathered, layers=(*gathered.layers, layer), problems=(*gathered.problems, *problems))

    def _install(self, plan: Plan, observers: Sequence[Callable[[Event], None]]) -> None:
        for observer in observers:
            observer(Event(EventKind.STEP_STARTED, 0.0, 1, 2, "Write things", "storage"))
        if self.install_error:
            raise self.install_error
        self.installed.append(plan)

    def _leave(self, afterwards: Afterwards) -> None:
        if self.leave_error:
            raise self.leave_error
        self.left.append(afterwards)

    def _boot(self, disk: str) -> None:
        if self.boot_error:
            raise self.boot_error
        self.booted.append(disk)


@pytest.fixture(autouse=True)
def _no_outside_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODECRUST_PLUGINS", "")


def blank(**named: object) -> Machine:
    return Machine(machine("vm-virtio-blank"), **named)  # type: ignore[arg-type]


LVM = machine("server-foreign-lvm")


def test_unattended_it_installs_and_restarts():
    screen, here = Screen(), blank(answers=[BASE])
    assert here.run(screen) == 0
    assert len(here.installed) == 1
    assert here.left == [Afterwards.REBOOT]
    assert "[ 1/2] Write things" in screen.text


def test_what_the_machine_does_afterwards_is_an_answer():
    here = blank(answers=[BASE], command_line="node.install.afterwards=poweroff")
    here.run(Screen())
    assert here.left == [Afterwards.POWEROFF]


def test_a_machine_that_does_not_restart_is_installed_all_the_same():
    screen, here = Screen(), blank(answers=[BASE], leave_error=NodeError("systemctl failed"))
    assert here.run(screen) == 0
    assert "Do it by hand: systemctl failed" in screen.text
    assert "Not installed" not in screen.text


def test_a_machine_that_can_not_be_read_is_told(monkeypatch: pytest.MonkeyPatch):
    screen, here = Screen(), blank(answers=[NodeError("no disk could be read")])
    assert here.run(screen) == 1
    assert "Not installed: no disk could be read" in screen.text


def test_unattended_problems_are_the_last_words_and_the_exit_code():
    screen, here = Screen(), blank(answers=[BASE + "storge: {}\n"])
    assert here.run(screen) == 2
    assert not here.installed
    assert "storge: is no section of the answers" in screen.text
    assert "answers.yaml, line 4" in screen.text
    assert "The log is /run/node/install.log" in screen.text
    assert Machine(machine("vm-no-disk"), answers=[BASE]).run(Screen()) == 69


def test_unattended_a_disk_that_holds_something_is_refused():
    here = Machine(LVM, answers=[BASE])
    screen = Screen()
    assert here.run(screen) == 69
    assert "add 'WD-WCC4N1234567' to storage.consent" in screen.text


def test_a_failed_step_stays_on_the_consoles():
    error = StepFailedError(
        "writing failed", step="Copy the root image", owner="payload", disk_state="cleared", details="EIO"
    )
    screen, here = Screen(), blank(answers=[BASE], install_error=error)
    assert here.run(screen) == 1
    assert not here.left
    for words in ("writing failed", "Copy the root image", "payload", "the disk: cleared", "EIO"):
        assert words in screen.text


def test_a_network_that_is_away_is_tried_again():
    away = TryAgainError("http://h/a can't be reached", mend="Is the link up?")
    screen, here = Screen(typed=[None, ""]), blank(answers=[away, away, BASE])
    assert here.run(screen) == 0
    assert len(here.installed) == 1
    assert screen.text.count("http://h/a can't be reached") == 2
    assert "Trying again in 5 s" in screen.text
    assert "Trying again in 10 s" in screen.text


def test_a_finished_installation_is_booted():
    screen, here = Screen(), Machine(machine("vm-installed"), answers=[BASE])
    assert here.run(screen) == 0
    assert here.booted == ["/dev/vda"]
    assert not here.installed


def test_it_is_booted_even_while_the_answers_are_away():
    away = TryAgainError("http://h/a can't be reached")
    here = Machine(machine("vm-installed"), answers=[away], command_line="node.install.mode=unattended")
    assert here.run(Screen()) == 0
    assert here.booted == ["/dev/vda"]


def test_without_word_of_the_mode_somebody_may_object():
    away = TryAgainError("http://h/a can't be reached")
    nobody, here = Screen(typed=[None]), Machine(machine("vm-installed"), answers=[away])
    assert here.run(nobody) == 0
    assert here.booted == ["/dev/vda"]
    assert "is booted in 30 s" in nobody.text
    somebody, here = Screen(typed=["", None]), Machine(machine("vm-installed"), answers=[away])
    assert here.run(somebody) is None
    assert not here.booted
    asked = Machine(machine("vm-installed"), answers=[away], command_line="node.install.mode=interactive")
    assert asked.run(Screen()) is None
    again = Machine(machine("vm-installed"), answers=[away], command_line="node.reinstall=anew")
    assert again.run(Screen()) is None
    assert not again.booted


def test_what_can_not_be_booted_says_what_to_do():
    screen = Screen()
    here = Machine(
        machine("vm-installed"), answers=[BASE], boot_error=NodeError("no kexec", mend="Boot the disk first")
    )
    assert here.run(screen) == 1
    assert "Boot the disk first" in screen.text


def test_somebody_types_the_serial_number():
    screen, here = Screen(typed=["node0001"]), blank()
    assert here.run(screen) == 0
    assert "Here: NODE0001" in screen.text
    assert len(here.installed) == 1


def test_typing_it_consents_to_the_loss():
    screen, here = Screen(typed=["WD-WCC4N1234567"]), Machine(LVM)
    assert here.run(screen) == 0
    assert here.installed[0].destroys


def test_enter_and_nonsense_look_again():
    screen, here = Screen(typed=["", "yes", "/dev/sda"]), Machine(LVM)
    assert here.run(screen) is None
    assert not here.installed
    assert "No disk is named 'yes'" in screen.text
    # A kernel name is no consent to lose anything.
    assert "No disk is named '/dev/sda'" in screen.text


def test_an_empty_disk_may_go_by_its_kernel_name():
    here = blank()
    assert here.run(Screen(typed=["/dev/vda"])) == 0


def test_a_problem_stops_even_who_consents():
    screen, here = Screen(typed=["NODE0001"]), blank(answers=["access: {admin: {password_hash: abc}}"])
    assert here.run(screen) is None
    assert not here.installed
    assert "Nothing was written." in screen.text


def test_a_failure_at_the_screen_looks_again():
    error = StepFailedError("writing failed", step="x", owner="y", disk_state="cleared")
    screen, here = Screen(typed=["NODE0001", "", "NODE0001"]), blank(install_error=error)
    assert here.run(screen) is None
    assert screen.text.count("writing failed") == 2


def test_lines_fit_eighty_columns():
    screen, here = Screen(typed=[""]), Machine(machine("server-vmfs-lun"))
    here.run(screen)
    assert max(map(len, screen.lines)) <= 80


ONLY_CONFIG = "storage: {roles: [SWAP, CONFIG]}\n"


def network_node() -> Machine:
    """A node that boots over the network, with CONFIG and SWAP on its disk."""
    inventory = machine("vm-installed")
    disk = inventory.disks[0]
    kept = tuple(part for part in disk.partitions if part.label in ("SWAP", "CONFIG"))
    return Machine(replace(inventory, disks=(replace(disk, partitions=kept),)))


@pytest.mark.parametrize("answers", ["version: 1\n", BASE, TryAgainError("no server"), InputError("bad")])
def test_a_node_that_runs_from_the_network_is_left_running(answers: str | Exception):
    screen, here = Screen(), replace(network_node(), answers=[answers])
    assert here.run(screen) == 0
    assert "runs from the network" in screen.text
    assert "Serial number" not in screen.text
    assert (here.installed, here.booted, here.left) == ([], [], [])


def test_it_is_installed_anew_where_that_is_asked_for():
    serial = machine("vm-installed").disks[0].serial
    more = f"storage: {{consent: [{serial}], roles: [CONFIG]}}\n"
    again = replace(network_node(), answers=[BASE + more], command_line="node.reinstall=again")
    assert again.run(Screen()) == 0
    assert len(again.installed) == 1


def test_only_the_roles_that_are_asked_for_are_laid_out_and_the_words_say_where_it_boots_from():
    screen, here = Screen(), blank(answers=[BASE + ONLY_CONFIG])
    assert here.run(screen) == 0
    (plan,) = here.installed
    assert plan.layout
    assert [partition.label for partition in plan.layout.partitions] == ["SWAP", "CONFIG"]
    assert "booted over the network again" in screen.text
    assert "from its own disk" not in screen.text


@pytest.mark.parametrize(("command_line", "shown"), [("node.lang=cs", 1), ("node.screens=no", 0)])
def test_the_screens_ask_unless_single_lines_are_wanted(command_line: str, shown: int):
    here, seen = blank(command_line=command_line), []
    effects = replace(here.effects(), screens=lambda gathered, inventory: seen.append(gathered) or 0)
    try:
        code = LiveInstaller(Screen(), load_plugins(), effects).run()  # type: ignore[arg-type]
    except FinishedAskingError:
        code = None
    assert len(seen) == shown
    assert code == (0 if shown else None)
    assert not here.installed


def test_the_screens_leave_an_unattended_run_alone():
    here, seen = blank(answers=[BASE]), []
    effects = replace(here.effects(), screens=lambda gathered, inventory: seen.append(gathered) or 0)
    assert LiveInstaller(Screen(), load_plugins(), effects).run() == 0  # type: ignore[arg-type]
    assert not seen
    assert len(here.installed) == 1


def test_screens_that_fail_leave_the_single_lines():
    def broken(_gathered: object, _inventory: object) -> int:
        raise RuntimeError("no such widget")

    screen, here = Screen(typed=[machine("vm-virtio-blank").disks[0].serial]), blank()
    effects = replace(here.effects(), screens=broken)
    assert LiveInstaller(screen, load_plugins(), effects).run() == 0  # type: ignore[arg-type]
    assert "The screens failed" in screen.text
    assert len(here.installed) == 1
