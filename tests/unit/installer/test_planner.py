from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest

from node.hookspecs import LayoutProposal
from node.installer.flow import refusal
from node.installer.planner import Contributions, make_plan
from node.model.answers import Answers
from node.model.install import InstallAnswers, Mode
from node.model.inventory import Disk, Inventory, Unknown
from node.model.layout import DiskIdentity, Layout, PlannedPartition, Role
from node.model.plan import Plan
from node.model.problem import Blame, Problem, Severity
from node.model.size import GIB, MIB
from node.model.step import PlannedStep, Step
from node.model.system import System
from node.testing.machines import machine
from tests.unit.installer.sections import Storage

ID = UUID("00000000-0000-4000-8000-000000000001")
PROBLEM = Problem("x", "network.netplan", "is wrong", "Mend it")


@dataclass(frozen=True)
class DoNothing(Step):
    name: str

    def summary(self) -> str:
        return f"Do {self.name}"

    def apply(self, system: System) -> None:
        del system


def layout_of(disk: Disk, *partitions: PlannedPartition) -> Layout:
    identity = DiskIdentity(disk.node, disk.size, disk.sector_size, disk.serial, disk.wwn, disk.model)
    return Layout(identity, ID, partitions or (partition(7),))


def partition(number: int = 1, start: int = MIB, size: int = GIB, **named: Any) -> PlannedPartition:
    return PlannedPartition(list(Role)[number - 1], number, start, size, ID, **named)


def contributions(layout: Layout | None, **named: Any) -> Contributions:
    values: dict[str, Sequence[Any]] = {
        "validate": (),
        "veto": (),
        "prepare": (),
        "steps": (),
        "problems": (),
        **named,
    }
    return Contributions(
        validate=lambda answers, inventory: values["validate"],
        veto=lambda disk: values["veto"],
        prepare=lambda answers, inventory: values["prepare"],
        lay_out=lambda inventory, answers, install_id: LayoutProposal(
            layout, tuple(named.get("refusals", ()))
        ),
        kernel_args=lambda answers, inventory: ["quiet"],
        steps=lambda answers, inventory, target: values["steps"],
        problems=lambda: values["problems"],
    )


def planned(
    inventory: Inventory, found: Contributions, *sections: Any, problems: Sequence[Problem] = ()
) -> Plan:
    answers = Answers({section.key: section for section in sections})
    return make_plan(answers, inventory, found, problems=problems, install_id=ID, started_at="now")


BLANK = machine("vm-virtio-blank")
INSTALLED = machine("vm-installed")
DISK = BLANK.disks[0]
UNATTENDED = InstallAnswers(mode=Mode.UNATTENDED)


def codes(plan: Plan) -> list[str]:
    return [problem.code for problem in plan.problems if problem.severity is Severity.ERROR]


def test_steps_are_ordered_by_phase_and_within_one_as_given():
    steps = [
        PlannedStep(phase, DoNothing(name), "p")
        for phase, name in [("boot", "d"), ("check", "a"), ("payload", "b"), ("payload", "c")]
    ]
    plan = planned(BLANK, contributions(layout_of(DISK), steps=steps))
    assert [step.step.summary()[-1] for step in plan.steps] == list("abcd")
    assert not plan.refused


def test_a_phase_that_there_is_not_refuses_the_plan():
    steps = [PlannedStep("later", DoNothing("x"), "vendor")]
    plan = planned(BLANK, contributions(layout_of(DISK), steps=steps))
    assert codes(plan) == ["plugin-failed"]
    assert plan.problems[0].owner == "vendor"
    assert not plan.steps


def test_every_problem_is_there_and_there_are_no_steps():
    more = replace(PROBLEM, code="y", blame=Blame.MACHINE)
    steps = [PlannedStep("check", DoNothing("x"))]
    plan = planned(
        BLANK,
        contributions(layout_of(DISK), validate=[PROBLEM], veto=[more], problems=[PROBLEM], steps=steps),
    )
    assert codes(plan) == ["x", "y"]
    assert plan.refused
    assert not plan.steps


@pytest.mark.parametrize(
    ("blames", "code"),
    [([Blame.MACHINE, Blame.ANSWERS], 2), ([Blame.LATER, Blame.MACHINE], 69), ([Blame.LATER], 75), ([], 0)],
)
def test_the_exit_code_says_what_must_change(blames: list[Blame], code: int):
    error = refusal([replace(PROBLEM, blame=blame) for blame in blames])
    assert (error.exit_code if error else 0) == code


def test_no_disk_is_chosen_while_the_rule_itself_is_wrong():
    wrong = replace(PROBLEM, where="storage.disk.serail")
    plan = planned(BLANK, contributions(None, refusals=[PROBLEM]), problems=[wrong])
    assert [problem.where for problem in plan.problems] == ["storage.disk.serail"]


def test_a_machine_without_any_word_from_plugins_is_a_problem():
    assert codes(planned(machine("vm-no-disk"), contributions(None))) == ["no-layout"]


def test_consent_lifts_a_veto_for_that_very_disk_alone():
    veto = Problem("vmfs", "/dev/vda", "holds VMFS", "Consent", blame=Blame.MACHINE)
    found = contributions(layout_of(DISK), veto=[veto])
    assert codes(planned(BLANK, found)) == ["vmfs"]
    assert codes(planned(BLANK, found, Storage(consent=("/dev/vda", "vda", "OTHER")))) == ["vmfs"]
    assert not codes(planned(BLANK, found, Storage(consent=("NODE0001",))))
    assert not codes(planned(BLANK, found, Storage(consent=("/dev/disk/by-id/virtio-NODE0001",))))
    twins = replace(BLANK, disks=(DISK, replace(DISK, node="/dev/vdb", name="vdb")))
    assert codes(planned(twins, found, Storage(consent=("NODE0001",)))) == ["vmfs"]


@pytest.mark.parametrize(
    "layout",
    [
        replace(layout_of(DISK), disk=replace(layout_of(DISK).disk, node="/dev/vdz")),
        replace(layout_of(DISK), disk=replace(layout_of(DISK).disk, serial="OTHER")),
        layout_of(DISK, partition(start=0)),
        layout_of(DISK, partition(size=0)),
        layout_of(DISK, partition(start=MIB + 1)),
        layout_of(DISK, partition(size=DISK.size)),
        layout_of(DISK, partition(), partition(number=2, start=2 * MIB)),
        layout_of(DISK, partition(), partition(start=2 * GIB)),
        layout_of(DISK, partition(keep=True)),
    ],
)
def test_nonsense_from_a_plugin_never_becomes_a_step(layout: Layout):
    plan = planned(BLANK, contributions(layout, steps=[PlannedStep("check", DoNothing("x"))]))
    assert set(codes(plan)) == {"layout-nonsense"}
    assert plan.layout is None
    assert not plan.steps


def test_the_boot_medium_is_never_laid_out():
    inventory = replace(BLANK, disks=(replace(DISK, boot_medium=True),))
    assert codes(planned(inventory, contributions(layout_of(DISK)))) == ["layout-nonsense"]


def test_a_plugin_that_says_why_it_can_not_be_is_not_blamed():
    stick = replace(BLANK, disks=(replace(DISK, boot_medium=True),))
    own = contributions(layout_of(DISK), refusals=[PROBLEM])
    assert codes(planned(stick, own, InstallAnswers())) == [PROBLEM.code]


def test_a_finished_installation_is_booted_and_not_overwritten():
    plan = planned(INSTALLED, contributions(layout_of(DISK)), UNATTENDED, problems=[PROBLEM])
    assert plan.boots_existing == "/dev/vda"
    assert (plan.steps, plan.layout, plan.destroys) == ((), None, ())
    # A typing error in the answers is no reason for an installed node to stay down.
    assert not plan.refused
    assert PROBLEM.what in plan.problems[0].what


def test_somebody_at_the_screen_may_install_over_it():
    assert not planned(INSTALLED, contributions(layout_of(DISK)), InstallAnswers()).boots_existing


@pytest.mark.parametrize(("reinstall", "boots"), [("first", True), ("second", False), ("", True)])
def test_an_id_asks_for_one_more_installation_once(reinstall: str, boots: bool):
    install = InstallAnswers(mode=Mode.UNATTENDED, reinstall=reinstall)
    plan = planned(INSTALLED, contributions(layout_of(INSTALLED.disks[0])), install)
    assert bool(plan.boots_existing) is boots


def test_a_wrong_word_about_the_installation_itself_stops():
    wrong = replace(PROBLEM, where="install.reinstall")
    plan = planned(INSTALLED, contributions(None), UNATTENDED, problems=[wrong])
    assert not plan.boots_existing
    assert plan.refused


def test_two_finished_installations_are_listed():
    plan = planned(machine("vm-installed-twice"), contributions(layout_of(DISK)), UNATTENDED)
    assert codes(plan) == ["two-installations"]
    assert "/dev/vda" in plan.problems[0].what
    assert "/dev/vdb" in plan.problems[0].what
    assert refusal(plan.problems).exit_code == 69


def test_a_damaged_installation_is_not_overwritten_unasked():
    (found,) = machine("vm-half-installed").installations
    damaged = replace(INSTALLED, installations=(found,))
    assert codes(planned(damaged, contributions(layout_of(DISK)), UNATTENDED)) == ["installation-damaged"]
    again = InstallAnswers(mode=Mode.UNATTENDED, reinstall="again")
    assert not codes(planned(damaged, contributions(layout_of(DISK)), again))
    # One that never got as far as to be recorded is no installation.
    begun = replace(INSTALLED, installations=(replace(found, install_id=""),))
    assert not codes(planned(begun, contributions(layout_of(DISK)), UNATTENDED))


def test_what_can_not_be_read_may_be_an_installation():
    unread = replace(BLANK, unknown=(Unknown("installations.vda", "I/O error"),))
    assert codes(planned(unread, contributions(layout_of(DISK)), UNATTENDED)) == ["installation-unknown"]
    assert not codes(planned(unread, contributions(layout_of(DISK)), InstallAnswers()))


def test_a_node_that_runs_from_the_network_is_left_alone():
    disk = INSTALLED.disks[0]
    config = tuple(part for part in disk.partitions if part.label in ("SWAP", "CONFIG"))
    diskless = replace(INSTALLED, disks=(replace(disk, partitions=config),))
    assert planned(diskless, contributions(layout_of(DISK)), UNATTENDED).boots_existing == "/dev/vda"
    # Cut while it was made anew: what it kept is no leftover of nobody.
    (found,) = INSTALLED.installations
    cut = replace(diskless, installations=(replace(found, complete=False),))
    assert codes(planned(cut, contributions(layout_of(DISK)), UNATTENDED)) == ["installation-damaged"]


def test_an_unattended_run_that_could_not_tell_that_it_was_here_is_refused():
    nothing_records = contributions(layout_of(DISK, partition(4)))
    assert codes(planned(BLANK, nothing_records, UNATTENDED)) == ["no-record"]
    assert not codes(planned(BLANK, nothing_records, InstallAnswers()))


def test_what_is_lost_and_what_stays_disk_by_disk():
    inventory = machine("server-sata-data")
    plan = planned(inventory, contributions(layout_of(inventory.disks[1])))
    (lost,) = plan.destroys
    assert lost.startswith("/dev/sdb (ATA ST4000NM0035-1V4, 3.6 TiB, serial ZDH1ABCD): partition table gpt")
    assert 'sdb1 "archive", xfs, 3.6 TiB' in lost
    (kept,) = plan.keeps
    assert kept.startswith("/dev/sda")


def test_what_can_not_be_read_counts_as_lost():
    inventory = machine("server-unreadable-disk")
    plan = planned(inventory, contributions(layout_of(inventory.disks[0])))
    assert "can't be read: reading sector 0 failed" in plan.destroys[0]


def test_the_same_input_gives_the_same_plan():
    found = contributions(layout_of(DISK), steps=[PlannedStep("check", DoNothing("x"))])
    assert planned(BLANK, found) == planned(BLANK, found)
