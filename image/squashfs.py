"""The root as squashfs, the same bytes for the same tree."""

from __future__ import annotations

import re
from pathlib import Path

from image.process import run

# Level of zstd: quick for daily work. 19 saves a sixth and takes minutes: 135 MB in 427 s, not 164 MB in 5 s.
DEFAULT_LEVEL = 3


def make(tree: Path, target: Path, *, epoch: int, level: int = DEFAULT_LEVEL) -> None:
    """Squash a tree. Times after `epoch` become `epoch`; file capabilities are kept."""
    argv: list[str | Path] = [
        "mksquashfs",
        tree,
        target,
        "-noappend",
        "-no-progress",
        "-comp",
        "zstd",
        "-Xcompression-level",
        str(level),
        # Twice the default: a twentieth smaller, and still quick to read from at random.
        "-b",
        "256K",
    ]
    run(argv, env={"SOURCE_DATE_EPOCH": str(epoch)}, brief="the root can't be squashed")


def level_of(image: Path) -> int:
    """The level of zstd that an image was squashed with."""
    told = re.search(r"compression-level (\d+)", run(["unsquashfs", "-stat", image]))
    return int(told[1]) if told else DEFAULT_LEVEL
