from __future__ import annotations

import json
from pathlib import Path

import pytest

from node.errors import InputError
from node.installer.sources.medium import read_from_medium
from node.model.system import Completed
from node.testing.fake_system import FakeSystem


class Mounting:
    """Commands whose `mount` puts files into the folder; the plain way may fail, as on a busy stick."""

    def __init__(self, files: dict[str, bytes], *, busy: bool = False) -> None:
        self._files = files
        self._busy = busy
        self.ran: list[list[str]] = []

    def run(self, argv, **named: object) -> Completed:
        words = [str(word) for word in argv]
        self.ran.append(words)
        if words[0] == "mount":
            if self._busy and "ro,loop" not in words:
                return FakeSystemFailing().run(words)
            for name, contents in self._files.items():
                (Path(words[-1]) / name).write_bytes(contents)
        return Completed(tuple(words), 0, "", "")


class FakeSystemFailing:
    def run(self, words: list[str]) -> Completed:
        system = FakeSystem()
        system.outputs["mount"] = Completed(("mount",), 32, "", "already mounted")
        return system.commands.run(words)


@pytest.fixture
def stick(tmp_path: Path) -> dict[str, Path]:
    """A stick that we booted from by its first partition; its second one is the ESP."""
    devices = tmp_path / "devices" / "sdb"
    for name in ("sdb1", "sdb2"):
        (devices / name).mkdir(parents=True)
        (devices / name / "partition").write_text(name[-1])
    block = tmp_path / "block"
    block.mkdir()
    for name in ("sdb1", "sdb2"):
        (block / name).symlink_to(devices / name)
    (block / "sdb").symlink_to(devices)
    facts = tmp_path / "image.json"
    facts.write_text(json.dumps({"device": "/dev/sdb1"}))
    medium = tmp_path / "medium"
    medium.mkdir()
    return {"medium": medium, "image_facts": facts, "sys_block": block}


def test_the_medium_itself_comes_first(stick: dict[str, Path]):
    (stick["medium"] / "answers.yaml").write_text("version: 1\n")
    contents, name = read_from_medium("/answers.yaml", Mounting({}), **stick)
    assert (contents, name) == (b"version: 1\n", "answers.yaml on the boot medium")


@pytest.mark.parametrize("device", ["/dev/sdb1", "/dev/sdb"])
@pytest.mark.parametrize("busy", [False, True])
def test_the_fat_partition_comes_next(stick: dict[str, Path], device: str, busy: bool):
    stick["image_facts"].write_text(json.dumps({"device": device}))
    commands = Mounting({"answers.yaml": b"version: 1\n"}, busy=busy)
    contents, name = read_from_medium("/answers.yaml", commands, **stick)
    assert contents == b"version: 1\n"
    assert name == "answers.yaml on /dev/sdb1 of the boot medium"
    assert commands.ran[-1][0] == "umount"


def test_what_is_on_neither_is_named(stick: dict[str, Path]):
    with pytest.raises(InputError, match="nor on /dev/sdb1, /dev/sdb2"):
        read_from_medium("/answers.yaml", Mounting({}), **stick)
    stick["image_facts"].write_text("{}")
    with pytest.raises(InputError, match=r"is not on the boot medium$"):
        read_from_medium("/answers.yaml", Mounting({}), **stick)
