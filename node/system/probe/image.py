"""The image that runs now: where the initrd found it, and what the image says of itself."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from node.model.inventory import BootImage, Unknown

_WHERE = "image"
_KERNEL, _INITRD = Path("usr/lib/nodecrust/boot/vmlinuz"), Path("usr/lib/nodecrust/boot/initrd")


def find_image(root: Path = Path("/")) -> tuple[BootImage, tuple[Unknown, ...]]:
    """Give it from /run/node/image.json and /usr/lib/nodecrust/image.json; all empty on another Linux."""
    unknown: list[Unknown] = []
    booted = _document(root / "run/node/image.json", unknown)
    own = _document(root / "usr/lib/nodecrust/image.json", unknown)

    def text(document: dict[str, Any], key: str) -> str:
        value = document.get(key)
        return "" if value is None else str(value)

    found = BootImage(
        source=text(booted, "source"),
        location=text(booted, "location"),
        sha256=text(booted, "sha256"),
        size=_number(booted.get("size")),
        path=text(booted, "path"),
        device=text(booted, "device"),
        name=text(own, "name"),
        version=text(own, "version"),
        kernel=text(booted, "kernel") or (platform.release() if own else ""),
        kernel_size=_size(root / _KERNEL),
        initrd_size=_size(root / _INITRD),
        append=text(own, "append"),
    )
    return found, tuple(unknown)


def _document(path: Path, unknown: list[Unknown]) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        unknown.append(Unknown(_WHERE, f"{path}: {error}"))
        return {}
    if isinstance(found, dict):
        return found
    unknown.append(Unknown(_WHERE, f"{path} is no JSON object"))
    return {}


def _number(value: Any) -> int:
    as_int: Callable[[Any], int] = int
    try:
        return as_int(value or 0)
    except (TypeError, ValueError):
        return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
