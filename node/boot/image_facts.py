"""What runs here: the image's own description and the initrd's word of where it came from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class RunningImage:
    """`source` is url, medium, slot or "" where no initrd of ours ran; `slot` is a, b or none."""

    name: str = ""
    version: str = ""
    source: str = ""
    slot: str = "none"


def running_image(root: Path = Path("/")) -> RunningImage:
    """Read what there is; anything missing or broken is left empty."""
    built = _json(root / "usr/lib/nodecrust/image.json")
    booted = _json(root / "run/node/image.json")
    source = str(booted.get("source", ""))
    slot = _slot(root, str(booted.get("device") or "")) if source == "slot" else "none"
    return RunningImage(str(built.get("name", "")), str(built.get("version", "")), source, slot)


def runs_from_slot(run: Path) -> bool:
    """Whether the initrd took the root from a disk; `run` is /run/node."""
    return _json(run / "image.json").get("source") == "slot"


def is_stateless(root: Path = Path("/")) -> bool:
    """Whether this start was made of no stored configuration, so that nothing outlives it."""
    return _json(root / "run/node/rendered.json").get("source") == "none"


def _slot(root: Path, device: str) -> str:
    """Give a, b ... by the partition's name, which the kernel tells in its uevent."""
    try:
        lines = (root / "sys/class/block" / Path(device).name / "uevent").read_text(encoding="utf-8")
    except OSError:
        return "none"
    for line in lines.splitlines():
        if line.startswith("PARTNAME=ROOT-"):
            return line.removeprefix("PARTNAME=ROOT-").lower()
    return "none"


def _json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
