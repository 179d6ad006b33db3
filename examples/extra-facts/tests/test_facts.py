"""What is read of invented files and of what smartctl printed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from extra_facts import plugin, reading

from node.testing.inventories import a_disk

GOOD = json.dumps({"smart_status": {"passed": True}, "firmware_version": "F1", "power_on_time": {"hours": 9}})
BAD = json.dumps({"smart_status": {"passed": False}})
FAILING = json.dumps({"smartctl": {"exit_status": 8}})


def hwmon(folder: Path, **files: str) -> Path:
    (folder / "hwmon0").mkdir(parents=True)
    for name, text in files.items():
        (folder / "hwmon0" / name).write_text(f"{text}\n")
    return folder


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine below a temporary folder: `machine(disks={"sda": GOOD}, temp1_input="40000")`."""

    def make(disks=None, **sensors):
        hwmon(tmp_path / "hwmon", **sensors)
        for name in disks or {}:
            (tmp_path / "block" / name).mkdir(parents=True)
        monkeypatch.setattr(plugin, "BLOCK", tmp_path / "block")
        hot, ask = tmp_path / "hwmon", lambda node: disks[node.removeprefix("/dev/")]
        real_sensors, real_smart = reading.sensors, reading.smart
        monkeypatch.setattr(reading, "sensors", lambda: real_sensors(hot))
        monkeypatch.setattr(reading, "smart", lambda nodes: real_smart(nodes, ask))

    return make


def test_dmi(tmp_path):
    (tmp_path / "bios_version").write_text("1.2\n")
    (tmp_path / "board_name").write_text("\n")
    assert reading.dmi(tmp_path) == {"bios_version": "1.2"}


def test_sensors_have_their_names_and_limits(tmp_path):
    hwmon(tmp_path, name="coretemp", temp1_input="41000", temp1_crit="100000", temp1_label="Package",
          temp2_input="broken")  # fmt: skip
    assert reading.sensors(tmp_path) == {"coretemp Package": {"now": 41.0, "critical": 100.0}}


def test_smart_leaves_out_what_counts_up():
    assert reading.smart(["/dev/sda"], lambda _: GOOD) == {"/dev/sda": {"passed": True, "firmware": "F1"}}
    assert reading.smart(["/dev/sda"], lambda _: FAILING)["/dev/sda"]["passed"] is False


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(), "not installed"),
        (subprocess.TimeoutExpired("smartctl", 5), "within 5 s"),
        (PermissionError(), "nothing that can be understood"),
    ],
)
def test_what_smartctl_does_not_say_is_told(error, words):
    def ask(_node):
        raise error

    assert words in str(reading.smart(["/dev/sda"], ask))
    assert "nothing that can be understood" in str(reading.smart(["/dev/sda"], lambda _: "no such device"))


def test_one_that_is_slow_leaves_no_time_for_the_rest(monkeypatch):
    times = iter([0.0, 1.0, 99.0])
    monkeypatch.setattr(reading.time, "monotonic", lambda: next(times))
    found = reading.smart(["/dev/sda", "/dev/sdb"], lambda _: GOOD)
    assert found["/dev/sdb"] == {"fault": "no time was left for it"}


def test_the_facts_are_plain_and_stay_the_same(workbench, inventory, machine):
    machine(disks={"sda": GOOD}, name="chip", temp1_input="40000")
    bench = workbench(plugin, name="extra-facts")
    facts = bench.facts(inventory(disks=[a_disk("S1")]))
    assert facts["sensors"] == ["chip temp1"]
    assert facts["smart"] == {"/dev/sda": {"passed": True, "firmware": "F1"}}
    assert facts == bench.facts(inventory(disks=[a_disk("S1")]))


@pytest.mark.parametrize(
    ("disks", "sensors", "health"),
    [
        ({}, {}, {"temperatures": "skipped: no sensor tells of any", "SMART": "skipped: there is no disk"}),
        (
            {"sda": GOOD, "loop0": BAD},
            {"name": "c", "temp1_input": "40000"},
            {"temperatures": "passed: 1 sensors", "SMART": "passed: 1 disks"},
        ),
        (
            {"sda": BAD},
            {"name": "c", "temp1_input": "99000", "temp1_crit": "95000"},
            {
                "temperatures": "failed: too hot: c temp1",
                "SMART": "failed: about to fail, as they say: /dev/sda",
            },
        ),
        (
            {"sda": GOOD, "sdb": "{}"},
            {"name": "c", "temp1_input": "40000"},
            {"temperatures": "passed: 1 sensors", "SMART": "degraded: 1 of 2 disks tell nothing"},
        ),
    ],
)
def test_health(workbench, machine, disks, sensors, health):
    machine(disks=disks, **sensors)
    assert workbench(plugin, name="extra-facts").health() == health
