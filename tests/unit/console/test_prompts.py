"""Before the log-in prompts: drop-ins that come and go, and a prompt that follows whatever happens."""

from __future__ import annotations

import configparser
import shlex
import subprocess
from pathlib import Path

import pytest

import node
from node.console.prompts import SCRIPT, drop_in, put, take_away

UNIT = Path(node.__file__).parent / "boot/units/nodecrust-console.service"


def test_drop_ins_come_and_go(tmp_path: Path) -> None:
    put(tmp_path)
    found = {path.parent.name for path in tmp_path.rglob("*.conf")}
    # Other terminals of the kernel keep their bare prompt.
    assert found == {"getty@tty1.service.d", "serial-getty@.service.d"}
    take_away(tmp_path)
    assert not list(tmp_path.rglob("*.conf"))
    take_away(tmp_path)


def test_a_drop_in_replaces_the_command() -> None:
    lines = drop_in("--noclear - ${TERM}").splitlines()
    assert lines[:2] == ["[Service]", "ExecStart="]
    argv = shlex.split(lines[2].removeprefix("ExecStart=-"))
    assert argv == ["/bin/sh", str(SCRIPT), "-o", r"-- \\u", "--noclear", "-", "${TERM}"]
    assert SCRIPT.exists()


def test_the_unit_is_not_in_the_path_of_the_boot() -> None:
    # The package enables whatever says where it belongs.
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read(UNIT)
    assert "[Install]" not in UNIT.read_text()
    assert unit["Unit"]["Before"] == "getty-pre.target"


@pytest.mark.effects("processes")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("quiet", 0, ["console --prompt", "agetty --noclear - vt220"]),
        ("quiet node.console=login", 0, ["agetty --noclear - vt220"]),
        ("quiet", 1, ["console --prompt", "agetty --noclear - vt220"]),
        ("quiet", 139, ["console --prompt", "agetty --noclear - vt220"]),
        ("quiet", None, ["agetty --noclear - vt220"]),
    ],
)
def test_the_prompt_follows_whatever_happens(
    arguments: str, code: int | None, said: list[str], tmp_path: Path
) -> None:
    (tmp_path / "cmdline").write_text(f"{arguments}\n")
    programs = {"agetty": 'echo "agetty $*"'}
    if code is not None:
        programs["nodectl"] = f'echo "$*"; exit {code}'
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": str(tmp_path), "NODECRUST_CMDLINE": str(tmp_path / "cmdline")}
    ran = subprocess.run(
        ["/bin/sh", SCRIPT, "--noclear", "-", "vt220"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ran.stdout.splitlines() == said
