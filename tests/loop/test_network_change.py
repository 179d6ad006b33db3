"""A device's parameters change on real devices, with the real networkd and netplan, and are taken back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("network_change.py")
NEEDED = ("netplan", "networkctl", "dbus-daemon", "/lib/systemd/systemd-networkd")


def test_a_bridge_s_parameters_change_and_a_bridge_goes_and_all_is_taken_back() -> None:
    if missing := [program for program in NEEDED if not shutil.which(program)]:
        pytest.skip(f"needs {', '.join(missing)}")
    done = subprocess.run(
        ["unshare", "--net", "--mount", sys.executable, SCRIPT],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(SCRIPT.parents[2])},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    stages = told["stages"]
    assert told["failures"] == []
    assert (told["gone"]["stp"], told["gone"]["members"]) == (None, [])
    for name, stp in (("before", "0"), ("changed", "1"), ("taken back", "0"), ("there again", "0")):
        stage = stages[name]
        assert (stage["stp"], stage["members"], stage["address"]) == (stp, ["m0", "m1"], True), stages
    # It is another device each time: networkd keeps the parameters of one that is there.
    assert len({stage["index"] for stage in stages.values()}) == len(stages)
