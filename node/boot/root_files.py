"""Writes rendered files into a root that is not running yet."""

from __future__ import annotations

import os
from pathlib import Path

from node.model.state import RenderedFile


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


def merged(image: str, lines: str) -> str:
    """Give the image's text with each of `lines` for the one of the same first field, else at the end."""
    result = {_key(line): line for line in image.splitlines() if line}
    for line in lines.splitlines():
        if line:
            result[_key(line)] = line
    return "".join(f"{line}\n" for line in result.values())


def _key(line: str) -> str:
    return line.partition(":")[0]


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
    if name.isdigit():
        return int(name)
    for line in _text_of(root / "etc" / database).splitlines():
        fields = line.split(":")
        if fields[0] == name and len(fields) > 2:
            return int(fields[2])
    if name == "root":
        return 0
    raise LookupError(f"the image has no '{name}' in /etc/{database}")
