"""What is kept of the files that no plugin renders: the values of kept/index.json on CONFIG."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a path is. ABSENT: the image has it and the node shall not."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symlink"
    ABSENT = "absent"


@dataclass(frozen=True)
class KeptPath:
    """A path that is kept, with all below it where it is a folder; `by` names a plugin, "" the operator."""

    path: str
    by: str = ""


@dataclass(frozen=True)
class Entry:
    """One file, folder or symlink as it was saved, or the absence of one.

    `user` and `group` are names of the node that saved it, "" where the number had none: names go before
    numbers when it comes back, since another image may number its accounts otherwise. For the same reason
    `acl` and `default_acl` are texts with names (acl(5), short form), "" without. `sha256` and `size` are a
    file's, holes counted; `link` is the path of the entry that a file is a hard link to. `implied` marks a
    folder that only leads to what is kept: it is made where it is missing, and left alone where not.
    `replaced` is what the image had there where that was a folder and this is none, or the other way round.
    """

    path: str
    kind: Kind
    mode: int = 0
    uid: int = 0
    gid: int = 0
    user: str = ""
    group: str = ""
    mtime_ns: int = 0
    xattrs: tuple[tuple[str, bytes], ...] = ()
    acl: str = ""
    default_acl: str = ""
    sha256: str = ""
    size: int = 0
    target: str = ""
    link: str = ""
    implied: bool = False
    replaced: str = ""


@dataclass(frozen=True)
class Index:
    """The whole set: what is kept, and the entries that make it, by path in order; parents first."""

    paths: tuple[KeptPath, ...] = ()
    entries: tuple[Entry, ...] = ()


def is_within(path: str, top: str) -> bool:
    """Whether `path` is `top` or lies below it; both absolute and free of `..`."""
    return path == top or path.startswith(top.rstrip("/") + "/")
