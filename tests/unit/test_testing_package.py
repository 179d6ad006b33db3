"""What plugin authors are given holds what it promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar
from uuid import UUID

import pytest
from pydantic import Field, field_validator

from node.errors import CommandFailedError, NodeError
from node.hookspecs import hookimpl
from node.model.answers import Section, SectionModel
from node.model.inventory import Inventory, from_json
from node.model.refusal import refuse
from node.model.step import Step
from node.model.system import Completed, System
from node.testing.fake_system import FakeSystem
from node.testing.workbench import Workbench, run_steps


def test_every_recorded_machine_reads_back_equal(any_machine: Inventory):
    assert from_json(any_machine.to_json()) == any_machine
    assert all(disk.partitions or not disk.table for disk in any_machine.disks)


def test_the_fake_fulfils_the_protocol(fake_system: FakeSystem):
    system: System = fake_system
    system.commands.run(["efibootmgr", "-v"])
    system.mounts.mount("/dev/vda3", Path("/run/node/target/boot"), kind="ext4")
    assert fake_system.names() == ["commands.run", "mounts.mount"]
    assert str(fake_system.calls[0]) == "commands.run(argv=('efibootmgr', '-v'))"
    assert system.mounts.is_mounted(Path("/run/node/target/boot"))


def test_the_fake_fails_where_it_is_told_to(fake_system: FakeSystem):
    fake_system.failing["disks.release"] = NodeError("in use")
    with pytest.raises(NodeError, match="in use"):
        fake_system.disks.release("/dev/nvme0n1")
    fake_system.outputs["sgdisk"] = Completed(("sgdisk",), 4, "", "no such disk")
    with pytest.raises(CommandFailedError) as caught:
        fake_system.commands.run(["sgdisk", "-p"])
    assert caught.value.details == "no such disk"


def test_the_fake_checks_the_image(fake_system: FakeSystem):
    fake_system.file_contents[Path("/image")] = b"x" * 100
    with pytest.raises(NodeError):
        fake_system.payload.copy_image(Path("/image"), "/dev/vda4", size=100, sha256="0" * 64)


def test_machines_are_found_by_name(recorded_machine: Callable[[str], Inventory]):
    installed = recorded_machine("vm-installed")
    assert UUID(installed.installations[0].install_id)
    with pytest.raises(FileNotFoundError):
        recorded_machine("no-such-machine")


@dataclass(frozen=True)
class Leave(Step):
    name: str

    def summary(self) -> str:
        return f"Leave {self.name}"

    def apply(self, system: System) -> None:
        system.files.write(Path(self.name), b"x")

    def undo(self, system: System) -> None:
        system.files.remove(Path(self.name))


@pytest.mark.parametrize("error", [NodeError("no"), OSError(28, "No space left on device"), KeyError("a")])
def test_steps_are_undone_whatever_fails(fake_system: FakeSystem, error: Exception):
    class Fails(Leave):
        def apply(self, system: System) -> None:
            super().apply(system)
            raise error

    with pytest.raises(type(error)):
        run_steps(Leave("/a"), Fails("/b"), system=fake_system)
    assert fake_system.file_contents == {}


class Rack(SectionModel):
    key: ClassVar[str] = "rack"

    place: str = Field("", description="Where it is: a letter and a number.")

    @field_validator("place")
    @classmethod
    def _one_word(cls, value: str) -> str:
        if " " in value:
            raise refuse("two-words", "is more than one word", "Write one word")
        return value


class RackPlugin:
    @hookimpl
    def node_sections(self) -> Sequence[Section]:
        return (Section(Rack, "Rack", "Where the machine is."),)


def test_the_bench_gives_the_problems_that_a_model_found():
    bench = Workbench(RackPlugin(), name="rack")
    (problem,) = bench.problems({"rack": {"place": "a 1"}, "no_such": {}})
    assert (problem.where, problem.what, problem.mend) == (
        "rack.place",
        "is more than one word",
        "Write one word",
    )
    (problem,) = bench.problems({"rack": {"plaice": "a1"}})
    assert "rack.place" in problem.mend
    assert Workbench(SimpleNamespace(), name="none").problems({"rack": {}}) == ()
