"""The tests of a machine, tested on one that does nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from burn_in import plugin
from burn_in.results import NOTES
from burn_in.steps import JudgeBurnIn, KeepResults, ReadDisk, StressProcessors, TryMemory

from node.errors import CommandFailedError, NodeError
from node.model.system import Completed
from node.testing.inventories import a_disk
from node.testing.workbench import run_steps

ASKED = {"burn_in": {"minutes": 2, "required": True}}
ALL = (StressProcessors(60), TryMemory(512), ReadDisk("/dev/sda", 60, 100))


def fio(speed_mib_s: int, error: int = 0) -> str:
    return json.dumps({"jobs": [{"error": error, "read": {"bw_bytes": speed_mib_s << 20}}]})


@pytest.fixture
def system(fake_system):
    for program in ("bin/stress-ng", "sbin/memtester", "bin/fio"):
        fake_system.file_contents[Path("/usr", program)] = b""
    fake_system.outputs["fio"] = fio(500)
    return fake_system


def results(system) -> dict[str, str]:
    run_steps(KeepResults(), system=system)
    kept = json.loads(system.file_contents[system.root / "config/burn-in/results.json"])
    return {one["name"]: f"{one['outcome']}: {one['words']}" for one in kept}


def test_nothing_is_tried_unasked(workbench, any_machine):
    assert workbench(plugin, name="burn-in").steps(on=any_machine) == ()


def test_everything_is_tried_before_the_first_write(workbench, inventory):
    seen = workbench(plugin, name="burn-in").look(ASKED, on=inventory(disks=[a_disk("S1")]))
    phases = [one.phase for one in seen.plan.steps if one.owner == "burn-in"]
    assert phases == ["check"] * 4 + ["configure"]
    disk = next(one.step for one in seen.plan.steps if isinstance(one.step, ReadDisk))
    assert (disk.node, disk.seconds) == (seen.plan.layout.disk.node, 120)


def test_all_pass(system):
    run_steps(*ALL, JudgeBurnIn(), system=system)
    assert results(system) == {"processors": "passed: ", "memory": "passed: ", "disk": "passed: 500 MiB/s"}


def test_fio_can_not_write():
    assert "--readonly" in ReadDisk("/dev/sda", 60).argv()


def test_a_program_that_is_not_there_is_skipped(fake_system):
    run_steps(*ALL, JudgeBurnIn(), system=fake_system)
    assert set(results(fake_system)) == {"processors", "memory", "disk"}
    assert "skipped: this image has no fio" in results(fake_system).values()
    assert not fake_system.called("commands.run")


def test_what_fails_stops_before_the_first_write_and_says_why(system):
    system.outputs["memtester"] = Completed(("memtester",), 4, "", "FAILURE: 0x1 != 0x0")
    with pytest.raises(NodeError, match="failed its burn-in: memory") as caught:
        run_steps(*ALL, JudgeBurnIn(), system=system)
    assert caught.value.details == "memory: memtester: FAILURE: 0x1 != 0x0"
    assert not [path for path in system.file_contents if NOTES in path.parents]


def test_without_a_must_it_is_only_told(system):
    system.outputs["stress-ng"] = Completed(("stress-ng",), 2, "", "")
    run_steps(*ALL, system=system)
    assert results(system)["processors"] == "failed: stress-ng: status 2"


def test_one_that_takes_too_long_failed(system):
    system.failing["commands.run"] = CommandFailedError(
        "memtester took longer than 360 s", argv=(), status=None
    )
    run_steps(TryMemory(512), system=system)
    system.failing.clear()
    assert results(system)["memory"] == "failed: memtester took longer than 360 s"


@pytest.mark.parametrize(
    ("output", "result"),
    [
        (fio(50), "degraded: 50 MiB/s; 100 were asked for"),
        (fio(500, error=5), "failed: error 5 while reading"),
        ("note: text first\n" + fio(200), "passed: 200 MiB/s"),
        ("no JSON", "skipped: fio printed nothing that can be understood"),
    ],
)
def test_the_disk_is_judged(system, output, result):
    system.outputs["fio"] = output
    run_steps(ALL[2], system=system)
    assert results(system)["disk"] == result


def test_status_and_facts_show_the_results(workbench, monkeypatch, tmp_path):
    monkeypatch.setattr(plugin, "CONFIG", tmp_path)
    bench = workbench(plugin, name="burn-in")
    assert bench.health() == {}
    (tmp_path / "burn-in").mkdir()
    kept = tmp_path / "burn-in/results.json"
    kept.write_text(json.dumps([{"name": "disk", "outcome": "degraded", "words": "50 MiB/s"}]))
    assert bench.health() == {"burn-in disk": "degraded: 50 MiB/s"}
    assert bench.facts() == {"burn-in disk": "degraded: 50 MiB/s"}
    assert "burn-in disk     degraded: 50 MiB/s" in bench.status()
    kept.write_text("[{")
    assert bench.health() == {"burn-in": "skipped: its results can't be read"}
