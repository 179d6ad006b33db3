"""Single files of a running root: how one is now, and putting it back into just that form at once."""

from __future__ import annotations

import base64
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Snapshot:
    """A file as it is or shall be: contents, a symlink's target, or neither where there is none.

    `owner` and `group` are numbers; `mode` holds the permission bits.
    """

    contents: bytes | None = None
    target: str = ""
    mode: int = 0o644
    owner: int = 0
    group: int = 0

    @property
    def exists(self) -> bool:
        """Whether there is a file or a symlink."""
        return self.contents is not None or bool(self.target)

    @property
    def text(self) -> str:
        """The contents as text; "" where there are none."""
        return (self.contents or b"").decode("utf-8", errors="replace")

    def to_data(self) -> dict[str, Any]:
        """Give it as plain data, from which `from_data` makes it again."""
        contents = None if self.contents is None else base64.b64encode(self.contents).decode("ascii")
        return {
            "contents": contents,
            "target": self.target,
            "mode": self.mode,
            "owner": self.owner,
            "group": self.group,
        }

    @staticmethod
    def from_data(data: dict[str, Any]) -> Snapshot:
        """Make it from plain data."""
        contents = data["contents"]
        return Snapshot(
            None if contents is None else base64.b64decode(contents),
            data["target"],
            data["mode"],
            data["owner"],
            data["group"],
        )


def take(path: Path) -> Snapshot:
    """Look at a file without following a symlink; OSError where it is neither file, symlink nor absent."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return Snapshot()
    if stat.S_ISLNK(status.st_mode):
        return Snapshot(target=str(path.readlink()))
    contents = path.read_bytes()
    return Snapshot(contents, "", stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)


def put(path: Path, snapshot: Snapshot) -> None:
    """Make a file what the snapshot says, in one step for whoever reads it meanwhile.

    Nothing is flushed: the root of a node is in memory. Folders that are missing are made.
    """
    if not snapshot.exists:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        if snapshot.target:
            temporary.symlink_to(snapshot.target)
        else:
            _write(temporary, snapshot)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write(path: Path, snapshot: Snapshot) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(snapshot.contents or b"")
        os.fchown(descriptor, snapshot.owner, snapshot.group)
        os.fchmod(descriptor, snapshot.mode)
