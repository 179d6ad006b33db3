"""The two processes: the screens have no rights, and neither half outlives the other or hangs for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from node.console.apart import CRASHED

pytestmark = pytest.mark.effects("processes")

_PROGRAM = """
import os, sys, time
from node.console.apart import run_apart

def screens(reading, acting):
    what = sys.argv[1]
    if what == "raise":
        raise RuntimeError("broken")
    if what == "kill":
        os.kill(os.getpid(), 9)
    if what == "hang":
        # What the loop does with each beat; nobody hears it.
        import signal
        signal.alarm(1)
        time.sleep(60)
    if what == "who":
        with open("/proc/self/status") as status:
            wanted = ("Uid", "Groups", "CapEff", "NoNewPrivs")
            print("".join(line for line in status if line.startswith(wanted)))
        sys.stdout.flush()
    if what == "wait":
        print(os.getpid(), flush=True)
        time.sleep(60)
    return 10

print("code", run_apart(None, screens))
"""


def ran(what: str) -> str:
    argv = [sys.executable, "-c", _PROGRAM, what]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.parametrize(
    ("what", "code"), [("well", 10), ("raise", CRASHED), ("kill", CRASHED), ("hang", CRASHED)]
)
def test_how_the_screens_ended_is_told(what: str, code: int) -> None:
    assert ran(what).splitlines()[-1] == f"code {code}"


def test_the_screens_can_get_no_rights() -> None:
    said = dict(line.split(":\t", 1) for line in ran("who").splitlines() if ":" in line)
    assert said["NoNewPrivs"] == "1"
    if os.getuid() == 0:
        assert "0" not in said["Uid"].split("\t")
        assert said["Groups"].strip() == ""
        assert int(said["CapEff"], 16) == 0


@pytest.mark.parametrize("started_by", [(), ("nohup",)])
def test_the_screens_end_with_the_other_half(started_by: tuple[str, ...]) -> None:
    argv = [*started_by, sys.executable, "-c", _PROGRAM, "wait"]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        screens = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        until = time.monotonic() + 30
        while _lives(screens):
            assert time.monotonic() < until
            time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        # Somebody's zombie has ended, too.
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
