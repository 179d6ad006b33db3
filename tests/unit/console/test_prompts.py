"""Before the log-in prompts: drop-ins of systemd's units, and a prompt that follows whatever happens."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

import node

ROOT = Path(node.__file__).parent
SCRIPT = ROOT / "console/prompt.sh"
# Where image/deb.py puts the package.
INSTALLED = "/usr/lib/python3/dist-packages/node"
# The commands of Debian 13's own units, which the drop-ins take the place of.
SYSTEMD = {
    "getty@tty1.service.d": r"-o '-- \\u' --noreset --noclear - ${TERM}",
    "serial-getty@.service.d": r"-o '-- \\u' --noreset --noclear "
    "--keep-baud 115200,57600,38400,9600 - ${TERM}",
}


def test_tty1_and_serial_lines_have_it_and_other_terminals_keep_their_bare_prompt() -> None:
    found = {path.parent.name for path in (ROOT / "boot/units").rglob("*.conf")}
    assert found == set(SYSTEMD)


@pytest.mark.parametrize("folder", SYSTEMD)
def test_a_drop_in_replaces_the_command(folder: str) -> None:
    text = (ROOT / "boot/units" / folder / "50-nodecrust-console.conf").read_text()
    settings = [line for line in text.splitlines() if not line.startswith("#")]
    assert settings[:2] == ["[Service]", "ExecStart="]
    shell, script, *options = shlex.split(settings[2].removeprefix("ExecStart=-"))
    assert shell == "/bin/sh"
    assert script == f"{INSTALLED}/{SCRIPT.relative_to(ROOT)}"
    assert options == shlex.split(SYSTEMD[folder])
    assert len(settings) == 3


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
    (tmp_path / "slot").touch()
    assert before_agetty(tmp_path, arguments, code) == said


@pytest.mark.effects("processes")
@pytest.mark.parametrize(("there", "shown"), [("slot", True), ("let-run", True), ("image.json", False)])
def test_only_a_node_is_shown(there: str, shown: bool, tmp_path: Path) -> None:
    (tmp_path / there).touch()
    assert len(before_agetty(tmp_path, "quiet", 0)) == (2 if shown else 1)


def before_agetty(tmp_path: Path, arguments: str, code: int | None) -> list[str]:
    """What is called, agetty last."""
    (tmp_path / "cmdline").write_text(f"{arguments}\n")
    programs = {"agetty": 'echo "agetty $*"'}
    if code is not None:
        programs["nodectl"] = f'echo "$*"; exit {code}'
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    environment = {
        "PATH": str(tmp_path),
        "NODECRUST_CMDLINE": str(tmp_path / "cmdline"),
        "NODECRUST_RUN": str(tmp_path),
    }
    ran = subprocess.run(
        ["/bin/sh", SCRIPT, "--noclear", "-", "vt220"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return ran.stdout.splitlines()
