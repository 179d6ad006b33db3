"""Power cuts while the configuration is written: QEMU killed, and the disk's writes cut and reordered.

The node must come up with the old or the new configuration each time, and say nothing of it.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from node.persist.store import read_state
from node.testing.vm import Machine, MachineSpec, Nic, UserNetwork
from tests.vm.checks import BOOT_LIMIT_S
from tests.vm.config_disk import copy_config, cuts_of
from tests.vm.installed import Installed
from tests.vm.site import ALPHA, Site

#: A kill before the first change is done tells nothing; a change takes some seconds without KVM.
CHANGES_S = (0.0, 15.0)
BEGUN, DONE = re.compile(r"begin (\d+)\s"), re.compile(r"done (\d+)\s")
LOOP = (
    "n={first}; while :; do echo begin $n; nodectl config set network.hostname n$n || echo change-failed; "
    "echo done $n; n=$((n + 1)); done >/dev/ttyS0 2>&1 &"
)


def machine_of(site: Site, installed: Installed, *, write_log: bool = False) -> Machine:
    spec = MachineSpec(
        boot=(),
        disks=(replace(installed.disk, write_log=write_log),),
        nics=(Nic(network=UserNetwork()),),
        extra_arguments=site.start_directly(installed.fact("arguments")),
    )
    return site.machine("power-cut", spec)


def number_of(name: str) -> int:
    """The number of the change that gave a node its name; 0 before the first."""
    return 0 if name == "node-under-test" else int(name.removeprefix("n"))


def number_after_start(machine: Machine) -> int:
    """Wait until the state is rendered; it is the same as is stored, and nothing was wrong with it."""
    shell = machine.shell
    shell.wait_until_ready(timeout_s=BOOT_LIMIT_S)
    name = shell.run("cat /etc/hostname", check=True).output.strip()
    stored = shell.run("nodectl config get network.hostname", timeout_s=60, check=True).output
    assert stored.strip() == name
    assert shell.run("cat /run/node/alarms").output.startswith("cat: ")
    return number_of(name)


def change_until_killed(machine: Machine, choose: random.Random) -> set[int]:
    """Kill the machine amid changes that never end; give what it may come up with, the old or the new."""
    first = number_after_start(machine) + 1
    machine.console.forget()
    machine.shell.run(LOOP.format(first=first), check=True)
    machine.expect(DONE, timeout_s=200, unless=("change-failed",))
    time.sleep(choose.uniform(*CHANGES_S))
    machine.kill()
    said = machine.log.read_text(errors="replace")
    assert "change-failed" not in said
    return {int(words.findall(said)[-1]) for words in (BEGUN, DONE)}


def stored_number(folder: Path) -> int:
    """What a node would come up with that finds this in its CONFIG."""
    found = read_state(folder, keep_broken=False)
    assert found is not None
    assert (found.warnings, found.source) == ((), "current")
    return number_of(found.state.sections["network"]["hostname"])


def cut_and_reorder(disk: Path, log: Path, folder: Path, *, seeds: int) -> None:
    config = copy_config(disk, folder)
    seen = []
    for cut in cuts_of(config, log, stored_number, seeds=seeds):
        assert cut.before <= cut.after <= cut.before + 1
        assert set(cut.amid) <= {cut.before, cut.after}
        seen.append(cut.after)
    # Each change became lasting at some flush of the log; else nothing was shown.
    assert len(set(seen)) > 1, seen


@pytest.fixture
def choose() -> random.Random:
    seed = int(os.environ.get("NODECRUST_SEED") or time.time())
    print(f"NODECRUST_SEED={seed}")
    return random.Random(seed)


@pytest.mark.timeout(1500)
def test_three_cuts_and_a_log_of_all_writes(
    site: Site, installed: Installed, choose: random.Random, tmp_path: Path
) -> None:
    machine = machine_of(site, installed)
    with machine:
        expected = change_until_killed(machine, choose)
    disk = machine.folder / f"{ALPHA.serial}.qcow2"
    before = tmp_path / "before.qcow2"
    shutil.copyfile(disk, before)
    with machine_of(site, installed, write_log=True) as logged:
        assert number_after_start(logged) in expected
        expected = change_until_killed(logged, choose)
    if os.geteuid() == 0:
        cut_and_reorder(before, logged.write_log(ALPHA), tmp_path, seeds=1)
    before.unlink()
    with machine_of(site, installed) as machine:
        assert number_after_start(machine) in expected
        expected = change_until_killed(machine, choose)
        machine.start()
        assert number_after_start(machine) in expected


@pytest.mark.soak
@pytest.mark.timeout(6000)
def test_thirty_cuts(site: Site, installed: Installed, choose: random.Random) -> None:
    with machine_of(site, installed) as machine:
        for _ in range(30):
            expected = change_until_killed(machine, choose)
            machine.start()
            assert number_after_start(machine) in expected


@pytest.mark.soak
@pytest.mark.timeout(3000)
def test_a_log_at_length(site: Site, installed: Installed, choose: random.Random, tmp_path: Path) -> None:
    disk = installed.folder / "ALPHA.qcow2"
    with machine_of(site, installed, write_log=True) as logged:
        # As in the cuts: a loop that begins sooner loses its line when the console takes it over.
        number_after_start(logged)
        logged.shell.run(LOOP.format(first=1), check=True)
        for _ in range(20):
            logged.expect(DONE, timeout_s=200, unless=("change-failed",))
        logged.kill()
    cut_and_reorder(disk, logged.write_log(ALPHA), tmp_path, seeds=20)
