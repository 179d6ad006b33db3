"""docs/writing-plugins.md, followed block by block: what it says to run runs, and what it shows works."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/writing-plugins.md"
_BLOCK = re.compile(r"^```(\w+) (run|file=\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The commands as the page writes them, and as they are here, where nothing need be installed.
PROGRAMS = {
    "nodectl": [sys.executable, "-c", "from node.cli.main import main; main()"],
    "python": [sys.executable],
}


def run(line: str, folder: Path) -> str:
    words = shlex.split(line)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NODECRUST_PLUGINS": ""}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        [*PROGRAMS[words[0]], *words[1:]],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"$ {line}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_page_leads_from_nothing_to_a_tested_plugin(tmp_path: Path) -> None:
    folder, printed = tmp_path, ""
    blocks = _BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert {what for _, what, _ in blocks} >= {"run", "file=fan_watch/plugin.py", "file=tests/test_plugin.py"}
    for _, what, text in blocks:
        if what.startswith("file="):
            path = folder / what.removeprefix("file=")
            assert path.exists(), "the skeleton has no such file to be replaced"
            path.write_text(text, encoding="utf-8")
            continue
        for line in text.splitlines():
            if line.startswith("cd "):
                folder /= line.removeprefix("cd ")
            else:
                printed += run(line, folder)
    assert "fan-watch 0.1.0: all is well" in printed
    assert "kill -9              done again after each of" in printed


def test_every_block_of_code_is_run() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(re.findall(r"^```\w", text, re.MULTILINE)) == len(_BLOCK.findall(text))


def test_it_names_every_fixture_and_every_check() -> None:
    from node.testing import pytest_plugin

    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in pytest_plugin.__all__ if f"`{name}" not in text] == []
