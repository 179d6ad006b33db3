"""What differs from the image on the root that runs, read from the upper folder of its overlay."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from node.model.kept import Entry, Kind, is_within
from node.persist.kept_blobs import digest_of
from node.persist.kept_noise import noise_reason
from node.persist.kept_scan import Tree
from node.system.entries import Facts, read_facts


class What(StrEnum):
    """How a path differs from the image."""

    NEW = "new"
    CHANGED = "changed"
    ATTRIBUTES = "owner or mode"
    REMOVED = "removed"
    SAME = "as in the image"


@dataclass(frozen=True)
class Change:
    """A path that differs. `files` and `size` (bytes) count what is in a new folder; `why` is its reason."""

    path: str
    what: What
    is_folder: bool = False
    files: int = 0
    size: int = 0
    why: str = ""


def read_changes(
    tree: Tree, *, explained: Collection[str], reason: Callable[[str], str] = noise_reason
) -> list[Change]:
    """Give what was changed since the boot, by path; what lies below a path of `explained` is left out.

    A change that nobody misses has what `reason` says of its path. A new folder stands for all in it, where
    that is all alike. The root must be a node's: `tree.image` and `tree.changes` are known.
    """
    found: list[Change] = []
    _Walk(tree, sorted(explained), reason, found.append).folder("")
    return found


def against_image(tree: Tree, entries: Iterable[Entry]) -> list[Change]:
    """Give how kept entries differ from the image, by path; without the folders that only lead to them."""
    found = []
    for entry in entries:
        if entry.implied:
            continue
        image = tree.in_image(entry.path)
        if entry.kind is Kind.ABSENT:
            what = What.REMOVED
        elif image is None:
            what = What.NEW
        else:
            what = _against(tree, entry, image)
        if entry.kind is Kind.FOLDER and what is What.SAME:
            continue
        found.append(Change(entry.path, what, entry.kind is Kind.FOLDER, size=entry.size))
    return found


def _against(tree: Tree, entry: Entry, image: Facts) -> What:
    same_kind = {
        Kind.FILE: image.is_file,
        Kind.FOLDER: image.is_folder,
        Kind.SYMLINK: image.is_symlink,
    }[entry.kind]
    where = _below(tree.image, entry.path)
    if not same_kind or where is None:
        return What.CHANGED
    if entry.kind is Kind.SYMLINK and str(where.readlink()) != entry.target:
        return What.CHANGED
    if entry.kind is Kind.FILE and (image.size != entry.size or _digest(where) != entry.sha256):
        return What.CHANGED
    if entry.kind is not Kind.SYMLINK and image.permissions != entry.mode:
        return What.ATTRIBUTES
    return What.SAME if (image.uid, image.gid) == (entry.uid, entry.gid) else What.ATTRIBUTES


class _Walk:
    def __init__(
        self,
        tree: Tree,
        explained: list[str],
        reason: Callable[[str], str],
        give: Callable[[Change], None],
    ) -> None:
        self._tree = tree
        self._explained = explained
        self._reason = reason
        self._give = give

    def folder(self, path: str) -> None:
        """Look at what the upper folder has of a folder that the image has too."""
        upper = _names(_below(self._tree.changes, path or "/"))
        live, image = (
            _names(_below(self._tree.root, path or "/")),
            _names(_below(self._tree.image, path or "/")),
        )
        # What is in neither is gone with a folder that was removed and made anew.
        for name in sorted(upper | (image - live)):
            self._look(f"{path}/{name}")

    def _look(self, path: str) -> None:
        if path in self._tree.mounts or any(is_within(path, top) for top in self._explained):
            return
        live, image = read_facts(self._tree.root / path.lstrip("/")), self._tree.in_image(path)
        leads = any(is_within(top, path) for top in self._explained)
        if live is None:
            if image is not None:
                self._note(path, What.REMOVED, image.is_folder)
        elif image is None and live.is_folder:
            self._new_folder(path, leads=leads)
        elif image is None:
            self._note(path, What.NEW, size=live.size if live.is_file else 0)
        elif live.is_folder and image.is_folder:
            if live.attributes != image.attributes and not leads:
                self._note(path, What.ATTRIBUTES, is_folder=True)
            self.folder(path)
        elif (what := self._compare(path, live, image)) is not What.SAME:
            self._note(path, what, live.is_folder, size=live.size if live.is_file else 0)

    def _compare(self, path: str, live: Facts, image: Facts) -> What:
        here, there = _below(self._tree.root, path), _below(self._tree.image, path)
        if (live.is_file, live.is_symlink) != (image.is_file, image.is_symlink) or not here or not there:
            return What.CHANGED
        if live.is_symlink and here.readlink() != there.readlink():
            return What.CHANGED
        if live.is_file and (live.size != image.size or _digest(here) != _digest(there)):
            return What.CHANGED
        return What.SAME if live.attributes == image.attributes else What.ATTRIBUTES

    def _new_folder(self, path: str, *, leads: bool) -> None:
        files, size, whys = self._count(path)
        own = self._reason(path)
        # One line for all of it where all of it is lost, or none.
        if leads or (not own and len(whys) > 1 and "" in whys):
            for name in sorted(_names(self._tree.root / path.lstrip("/"))):
                self._look(f"{path}/{name}")
        else:
            why = own or ("" if "" in whys else next(iter(sorted(whys)), "there is no file in it"))
            self._give(Change(path, What.NEW, is_folder=True, files=files, size=size, why=why))

    def _count(self, path: str) -> tuple[int, int, set[str]]:
        """Give the files of a new folder, their bytes, and all reasons that there are for them."""
        files, size, whys = 0, 0, set()
        for folder, folders, names in os.walk(self._tree.root / path.lstrip("/")):
            inside = "/" + str(Path(folder).relative_to(self._tree.root))
            folders[:] = [name for name in folders if f"{inside}/{name}" not in self._tree.mounts]
            for name in names:
                facts = read_facts(Path(folder) / name, with_xattrs=False)
                files += 1
                size += facts.size if facts and facts.is_file else 0
                whys.add(self._reason(f"{inside}/{name}"))
        return files, size, whys

    def _note(self, path: str, what: What, is_folder: bool = False, *, size: int = 0) -> None:
        self._give(Change(path, what, is_folder, size=size, why=self._reason(path)))


def _below(top: Path | None, path: str) -> Path | None:
    return top / path.lstrip("/") if top else None


def _names(folder: Path | None) -> set[str]:
    try:
        return set(os.listdir(folder)) if folder else set()  # noqa: PTH208 - names, not paths
    except OSError:
        return set()


def _digest(path: Path) -> str:
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return digest_of(number)
    finally:
        os.close(number)
