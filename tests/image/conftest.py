"""Real builds; each kickstart is built once, and kept by the builder's own cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from image import namespace
from image.cache import cache_root

ROOT = Path(__file__).parents[2]
KICKSTARTS = ROOT / "kickstarts"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder builds images."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.image)


@dataclass(frozen=True)
class Outcome:
    """How a run of node-image ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def result(self) -> dict[str, Any]:
        """What `--json` printed."""
        return json.loads(self.stdout)

    def stages(self) -> dict[str, str]:
        """Each stage's name and what the plain progress says of it: seconds, or `cached`."""
        lines = [line.rsplit(maxsplit=2) for line in self.stderr.splitlines() if line.startswith("  ")]
        return {words[0].strip(): words[1] for words in lines if len(words) >= 2} | {
            words[0].strip(): words[2] for words in lines if len(words) == 3 and words[2] == "cached"
        }


def node_image_argv(*words: str | Path) -> list[str]:
    """The command line of this checkout's node-image, whichever is installed."""
    return [sys.executable, "-m", "image.cli", *map(str, words)]


@pytest.fixture(scope="session", autouse=True)
def _this_checkout() -> None:
    os.environ["PYTHONPATH"] = str(ROOT)


def node_image(*words: str | Path, env: dict[str, str] | None = None) -> Outcome:
    """Run node-image to the end, whatever that is."""
    done = subprocess.run(
        node_image_argv(*words),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(env or {})},
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def built(name: str) -> Path:
    output = cache_root() / "tests" / name
    outcome = node_image("build", KICKSTARTS / f"{name}.ks", "--output", output)
    assert outcome.status == 0, outcome.stderr
    return output


@pytest.fixture(scope="session")
def aos() -> Path:
    """The output folder of kickstarts/aos.ks."""
    return built("aos")


@pytest.fixture(scope="session")
def node() -> Path:
    """The output folder of kickstarts/node.ks."""
    return built("node")


Inside = Callable[..., str]


@pytest.fixture(scope="session")
def in_root() -> Callable[[Path, str], str]:
    """Runs a shell script on an unpacked root: its folder is $1, and it is root of a namespace."""

    def run(output: Path, script: str) -> str:
        unpacked = (
            'root=$(mktemp -d); trap \'umount -l "$root/proc" "$root/dev/null"; rm -rf "$root"\' EXIT\n'
            'unsquashfs -q -n -f -d "$root" "$0"/root.squashfs >/dev/null\n'
            'mount -t proc proc "$root/proc"\n'
            ': >"$root/dev/null"; mount --bind /dev/null "$root/dev/null"\n'
        )
        argv = namespace.command(["sh", "-eu", "-c", unpacked + script, output])
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
