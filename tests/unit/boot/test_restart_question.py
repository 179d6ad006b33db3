"""An operator's shell asks before a restart that loses changes; a script's doesn't."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "node/boot/profile.d/nodecrust-restart.sh"
pytestmark = [
    pytest.mark.effects("processes"),
    pytest.mark.skipif(not shutil.which("bash"), reason="needs bash"),
]


@pytest.fixture
def bin(tmp_path: Path) -> Path:
    """Programs that only say what they were called with."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("reboot", "poweroff", "halt", "shutdown", "systemctl"):
        make(folder / name, f'echo "RAN {name} $*"')
    make(folder / "sudo", '"$@"')
    make(folder / "nodectl", 'echo "new            /etc/own"')
    return folder


def make(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def typed(bin: Path, command: str, answer: str) -> str:
    """Give what a person sees who types a command into a shell at a terminal and then answers."""
    leader, follower = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"],
        stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
        env={"PATH": f"{bin}:/usr/bin:/bin", "PS1": "", "HISTFILE": "", "TERM": "dumb"},
    )  # fmt: skip
    os.close(follower)
    seen = ""
    try:
        os.write(leader, f". {SCRIPT}; {command}\n".encode())
        seen = until(leader, seen, ("[y/N] ", "RAN "))
        if "[y/N]" in seen:
            os.write(leader, f"{answer}\n".encode())
        os.write(leader, b"echo the-end-$((1+1))\n")
        return until(leader, seen, ("the-end-2",))
    finally:
        shell.kill()
        shell.wait()
        os.close(leader)


def until(leader: int, seen: str, words: tuple[str, ...]) -> str:
    deadline = time.monotonic() + 20
    while not any(word in seen for word in words):
        assert time.monotonic() < deadline, seen
        if select.select([leader], [], [], 0.5)[0]:
            seen += os.read(leader, 4096).decode()
    return seen


@pytest.mark.parametrize(
    ("command", "ran"),
    [
        ("reboot", "RAN reboot"),
        ("sudo reboot", "RAN reboot"),
        ("sudo systemctl reboot -i", "RAN systemctl reboot -i"),
        ("systemctl --no-wall poweroff", "RAN systemctl --no-wall poweroff"),
        ("shutdown -r now", "RAN shutdown -r now"),
    ],
)
def test_a_restart_waits_for_an_answer(bin: Path, command: str, ran: str) -> None:
    seen = typed(bin, command, "n")
    assert "/etc/own" in seen
    assert "Nothing was done." in seen
    assert ran not in seen
    assert ran in typed(bin, command, "y")


@pytest.mark.parametrize(
    "command", ["systemctl status reboot", "shutdown -c", "reboot --help", "systemctl restart ssh"]
)
def test_other_commands_are_not_asked_about(bin: Path, command: str) -> None:
    seen = typed(bin, command, "n")
    assert f"RAN {command}" in seen
    assert "[y/N]" not in seen


def test_nothing_lost_is_not_asked_about(bin: Path) -> None:
    make(bin / "nodectl", "exit 0")
    assert "[y/N]" not in typed(bin, "reboot", "n")


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_script_is_never_asked(bin: Path, shell: str) -> None:
    done = subprocess.run(
        [shell, "-c", f". {SCRIPT}; reboot"],
        env={"PATH": f"{bin}:/usr/bin:/bin"}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=20, check=True,
    )  # fmt: skip
    assert done.stdout == "RAN reboot \n"
