"""The step against the simulated controller, and the plan around it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from raid_controller import plugin
from raid_controller.raidsim import fresh, main
from raid_controller.steps import TOOL, VENDOR, MakeVolume, model

from node.errors import CommandFailedError, NodeError
from node.model.system import Completed
from node.testing.fake_system import FakeSystem
from node.testing.inventories import a_disk

ASKED = {"raid": {"level": "1", "drives": ["D1", "D2"]}}


class Controller(FakeSystem):
    """A machine whose `python3 raidsim.py` is the tool itself, on a file."""

    def __init__(self, state: Path) -> None:
        super().__init__()
        self.state = state
        fake = self.commands.run

        def run(argv, **options):
            fake(argv, **options)
            done = subprocess.run(
                [sys.executable, *map(str, argv[1:])],
                env={"RAIDSIM_STATE": str(state)},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode and options.get("check", True):
                raise CommandFailedError("raidsim failed", argv=argv, status=3, details=done.stderr)
            return Completed(tuple(map(str, argv)), done.returncode, done.stdout, done.stderr)

        self.commands.run = run

    @property
    def volumes(self) -> list[dict]:
        return json.loads(self.state.read_text())["volumes"] if self.state.exists() else []


@pytest.fixture
def controller(tmp_path: Path) -> Controller:
    return Controller(tmp_path / "raidsim.json")


def with_volume(level: str):
    return replace(a_disk("SIMVOL"), vendor=VENDOR, model=model(level))


def test_nothing_is_done_unasked(workbench, any_machine):
    assert workbench(plugin, name="raid-controller").steps(on=any_machine) == ()


def test_the_volume_comes_before_the_disks(workbench, inventory):
    bench = workbench(plugin, name="raid-controller")
    bare = inventory(disks=[])
    plan = bench.look(ASKED, on=bare).plan
    assert [one.step for one in plan.prepare] == [MakeVolume("1", ("D1", "D2"))]
    assert not plan.refused
    assert "Make a RAID 1 volume of drives D1, D2" in bench.plan_text(ASKED, on=bare)


def test_once_it_is_there_the_node_is_installed_onto_it(workbench, inventory):
    plan = workbench(plugin, name="raid-controller").look(ASKED, on=inventory(disks=[with_volume("1")])).plan
    assert plan.prepare == ()
    assert plan.layout.disk.node == "/dev/sda"


def test_the_tool_makes_it(controller):
    MakeVolume("1", ("D1", "D2")).apply(controller)
    assert controller.volumes == [{"name": "nodecrust", "level": "1", "drives": ["D1", "D2"]}]


def test_after_a_power_cut_it_is_done_again(controller):
    MakeVolume("5").apply(controller)
    MakeVolume("5").apply(controller)
    assert len(controller.volumes) == 1


def test_other_volumes_stay_without_consent(controller):
    main(["create", "theirs", "--level", "0", "--drives", "D1"], controller.state)
    with pytest.raises(NodeError, match="has volumes: theirs") as caught:
        MakeVolume("1").apply(controller)
    assert "consent: [SIM0001]" in caught.value.mend
    assert [one["name"] for one in controller.volumes] == ["theirs"]
    MakeVolume("1", consent=("SIM0001",)).apply(controller)
    assert [one["name"] for one in controller.volumes] == ["nodecrust"]


def test_undo_deletes_only_ours(controller):
    main(["create", "theirs", "--level", "0", "--drives", "D1"], controller.state)
    MakeVolume("1").undo(controller)
    assert [one["name"] for one in controller.volumes] == ["theirs"]


def test_a_controller_that_refuses_is_told_in_its_words(controller):
    with pytest.raises(CommandFailedError) as caught:
        MakeVolume("10", ("D1", "D2")).apply(controller)
    assert "level 10 needs 4 drives" in caught.value.details


def test_a_tool_that_prints_nonsense_is_an_error_in_words(fake_system):
    fake_system.outputs["python3"] = "segmentation fault"
    with pytest.raises(NodeError, match="nothing that can be understood"):
        MakeVolume("1").apply(fake_system)


def test_too_few_drives_are_refused_before_anything_is_done(workbench):
    bench = workbench(plugin, name="raid-controller")
    (problem,) = bench.problems({"raid": {"level": "5", "drives": ["D1"]}})
    assert problem.where == "raid.drives"
    assert bench.steps({"raid": {"level": "5", "drives": ["D1"]}}) == ()


def test_the_page_stands_before_the_disks(workbench, inventory):
    screens = workbench(plugin, name="raid-controller").screens(ASKED, on=inventory(disks=[]))
    keys = [page.key for page in screens.session.asked()]
    assert keys.index("raid") < keys.index("disk")
    screens.show("raid")
    assert "RAID 1: two drives hold the same" in screens.text()
    screens.show("summary")
    assert "Make a RAID 1 volume" in screens.text()


def test_the_tool_is_where_the_step_looks():
    assert TOOL.is_file()
    assert fresh()["volumes"] == []
