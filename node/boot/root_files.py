"""Writes rendered files into a root that is not running yet."""

from __future__ import annotations

import os
from pathlib import Path

from node.model.state import RenderedFile
from node.system.account_lines import merged, owner_number

__all__ = ["merged", "write_file"]


def write_file(root: Path, file: RenderedFile) -> None:
    """Write a file below `root`; LookupError where the root's own passwd and group don't have its owner.

    The root is a tmpfs overlay made anew at every boot, so nothing is flushed.
    """
    path = root / file.path.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    if file.target:
        path.unlink(missing_ok=True)
        path.symlink_to(file.target)
        return
    owner, group = _number(root, "passwd", file.owner), _number(root, "group", file.group)
    text = merged(_text_of(path), file.contents) if file.append else file.contents
    _replace(path, text.encode(), mode=file.mode, owner=owner, group=group)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _replace(path: Path, contents: bytes, *, mode: int, owner: int, group: int) -> None:
    # A new file rather than the old one opened: the image may have a symlink there that leads elsewhere.
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(contents)
        os.fchown(descriptor, owner, group)
        os.fchmod(descriptor, mode)


def _number(root: Path, database: str, name: str) -> int:
    """Look a user or group up in the root's own file; LookupError where it has none of that name."""
    return owner_number(_text_of(root / "etc" / database), name, database=database)
