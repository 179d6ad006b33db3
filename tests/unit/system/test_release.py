"""What is taken down, in which order, and what is refused before that."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from node.errors import NodeError
from node.model.system import Completed
from node.system import release
from node.system.release import release_disk
from tests.unit.system.machine import Machine


class Recorder:
    """Records the commands and lets them have their effect on the made-up machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.done: list[str] = []

    def run(self, argv: Sequence[str | Path], **_: Any) -> Completed:
        words = [str(word) for word in argv]
        self.done.append(" ".join(words))
        if words[0] == "dmsetup":
            self._gone(
                next(
                    f.parent.parent for f in self.machine.root.rglob("dm/name") if f.read_text() == words[-1]
                )
            )
        if words[0] == "swapoff":
            (self.machine.root / "proc/swaps").unlink()
        return Completed(tuple(words), 0, "", "")

    def unmount(self, where: Path) -> None:
        self.done.append(f"umount {where}")
        file = self.machine.root / "proc/self/mountinfo"
        file.write_text(
            "".join(line for line in file.read_text().splitlines(True) if f" {where} " not in line)
        )

    def _gone(self, folder: Path) -> None:
        for link in self.machine.root.rglob(f"holders/{folder.name}"):
            link.unlink()
        shutil.rmtree(folder)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").touch()
    found = Machine(tmp_path)
    found.device("sda", number="8:0")
    for number in (1, 2, 3):
        found.partition("sda", number)
    monkeypatch.setattr(release, "exclusive", lambda _node: nullcontext(0))
    monkeypatch.setattr(release, "_PAUSE_S", 0.0)
    monkeypatch.setattr(release, "settle", lambda _commands: None)
    return found


def go(machine: Machine) -> list[str]:
    recorder = Recorder(machine)
    release_disk("/dev/sda", commands=recorder, mounts=recorder, block=machine.block)
    return recorder.done


def test_stale_volumes_go_from_the_top(machine: Machine) -> None:
    machine.device("dm-0", number="253:0", dm__name="crypt", dm__uuid="CRYPT-LUKS2-a")
    machine.device("dm-1", number="253:1", dm__name="vg-root", dm__uuid="LVM-b")
    machine.hold("dm-0", "sda1")
    machine.hold("dm-1", "dm-0")
    machine.swap("sda2")
    assert go(machine) == [
        "dmsetup remove --retry vg-root",
        "dmsetup remove --retry crypt",
        "swapoff /dev/sda2",
    ]


def test_array_is_stopped_through_the_kernel(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = machine.device("md0", number="9:0", md__array_state="clean")
    machine.hold("md0", "sda1")
    written: list[str] = []

    def write(path: Path, text: str) -> None:
        written.append(f"{path.relative_to(machine.root / 'sys/block')} {text}")
        (machine.root / "sys/class/block/sda1/holders/md0").unlink()

    monkeypatch.setattr(release, "_write", write)
    assert (go(machine), written) == ([], ["md0/md/array_state clear"])
    assert folder.exists()


def test_what_a_live_system_of_ours_mounted_is_unmounted(machine: Machine) -> None:
    machine.mount("sda1", "/config")
    machine.mount("sda2", "/var/log")
    machine.mount("sda3", "/run/node/target/boot")
    assert go(machine) == [
        "umount /config",
        "journalctl --relinquish-var",
        "umount /var/log",
        "umount /run/node/target/boot",
    ]


@pytest.mark.parametrize("where", ["/", "/mnt", "/configuration", "/run/node/medium"])
def test_mounted_disk_is_refused_before_anything_is_taken_down(machine: Machine, where: str) -> None:
    machine.swap("sda2")
    machine.mount("sda1", where)
    recorder = Recorder(machine)
    with pytest.raises(NodeError, match=rf"/dev/sda is in use: {where} \(sda1\)"):
        release_disk("/dev/sda", commands=recorder, mounts=recorder, block=machine.block)
    assert recorder.done == []


def test_path_of_a_multipath_disk_is_refused(machine: Machine) -> None:
    machine.device("dm-0", number="253:0", dm__name="mpatha", dm__uuid="mpath-36")
    machine.hold("dm-0", "sda")
    with pytest.raises(NodeError, match="mpatha"):
        go(machine)


def test_what_does_not_go_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.device("md0", number="9:0")
    machine.hold("md0", "sda1")
    monkeypatch.setattr(release, "_write", lambda *_: None)
    with pytest.raises(NodeError, match=r"still in use after all was taken down: md0 \(RAID on sda1\)"):
        go(machine)
