"""What of a kept path there is now: entries as they would be saved. Of a folder, what differs from the image.

A file of the image that nobody changed is not stored with its folder, so that a new image's version of it
comes through. A path that is named itself is stored whatever it is.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from node.model.kept import Entry, Kind
from node.persist.kept_blobs import digest_of
from node.persist.kept_owners import Accounts, acl_to_text
from node.persist.kept_refusals import left_out
from node.system.entries import ACL, DEFAULT_ACL, Facts, facts_of, read_facts

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
# Gives the SHA-256 of an open file's contents.
Digest = Callable[[int, Facts], str]


@dataclass
class Scan:
    """What was found: entries by path, what they take on a disk, what is left out and what can't be read."""

    entries: dict[str, Entry] = field(default_factory=dict)
    data_bytes: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Tree:
    """A root to be looked into. `image` is what it was before anything changed, None where nobody knows.

    `changes` is the upper folder of its overlay: what isn't there is as it is in the image.
    """

    root: Path
    accounts: Accounts
    image: Path | None = None
    changes: Path | None = None
    rendered: frozenset[str] = frozenset()
    mounts: frozenset[str] = frozenset()

    def in_image(self, path: str) -> Facts | None:
        """Give what the image has there, None for nothing."""
        return read_facts(self.image / path.lstrip("/")) if self.image else None

    def is_touched(self, path: str) -> bool:
        """Whether a path may differ from the image; False only where it surely doesn't."""
        return self.changes is None or os.path.lexists(self.changes / path.lstrip("/"))


def scan_paths(tree: Tree, tops: Iterable[str], *, digest: Digest | None = None) -> Scan:
    """Look at kept paths and all below them. Symlinks are never followed, not even in the way there."""
    work = _Scanning(tree, digest or (lambda number, _facts: digest_of(number)))
    for top in tops:
        work.start(top)
    return work.found


class _Scanning:
    def __init__(self, tree: Tree, digest: Digest) -> None:
        self.found = Scan()
        self._tree = tree
        self._digest = digest
        self._links: dict[tuple[int, int], str] = {}

    def start(self, top: str) -> None:
        parent, name = top.rsplit("/", 1)
        try:
            with open_folder(self._tree.root, parent or "/") as number:
                for folder in reversed(PurePosixPath(top).parents[:-1]):
                    self._imply(str(folder))
                self._look(number, name, top, is_top=True)
        except (FileNotFoundError, NotADirectoryError):
            self._gone(top)
        except OSError as error:
            self.found.unreadable[top] = f"it can't be read: {error.strerror}"

    def _imply(self, path: str) -> None:
        """Note a folder on the way, for a root that has none."""
        image = self._tree.in_image(path)
        if image is not None and image.is_folder:
            return
        facts = read_facts(self._tree.root / path.lstrip("/"))
        if facts is not None:
            self._note(replace(self._entry(path, facts, Kind.FOLDER), implied=True))

    def _look(self, parent: int, name: str, path: str, *, is_top: bool = False) -> None:
        if not is_top and (why := left_out(path, rendered=self._tree.rendered, mounts=self._tree.mounts)):
            self.found.left_out[path] = why
            return
        try:
            mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode):
                self._symlink(parent, name, path, is_top=is_top)
            elif stat.S_ISDIR(mode):
                self._folder(parent, name, path, is_top=is_top)
            elif stat.S_ISREG(mode):
                self._file(parent, name, path, is_top=is_top)
            else:
                self.found.left_out[path] = f"it is {_kind_words(mode)}"
        except FileNotFoundError:
            self._gone(path)
        except OSError as error:
            self.found.unreadable[path] = f"it can't be read: {error.strerror}"

    def _gone(self, path: str) -> None:
        if self._tree.in_image(path) is not None:
            self._note(Entry(path, Kind.ABSENT))

    def _symlink(self, parent: int, name: str, path: str, *, is_top: bool) -> None:
        target = os.readlink(name, dir_fd=parent)
        facts = read_facts(self._tree.root / path.lstrip("/"))
        if facts is None:
            return
        entry = replace(self._entry(path, facts, Kind.SYMLINK), target=target)
        image = self._tree.in_image(path)
        if not is_top and image is not None and image.is_symlink and self._tree.image is not None:
            same = str((self._tree.image / path.lstrip("/")).readlink()) == target
            if same and (image.uid, image.gid) == (facts.uid, facts.gid):
                return
        self._note(entry)

    def _folder(self, parent: int, name: str, path: str, *, is_top: bool) -> None:
        number = os.open(name, _OPEN | os.O_DIRECTORY, dir_fd=parent)
        try:
            facts = facts_of(number)
            entry = self._entry(path, facts, Kind.FOLDER)
            image = self._tree.in_image(path)
            if is_top or image is None or not image.is_folder or image.attributes != facts.attributes:
                self._note(entry)
            # Neither this folder nor anything in it was ever touched.
            if self._tree.image is not None and not self._tree.is_touched(path):
                return
            names = set(os.listdir(number))  # noqa: PTH208 - of an open folder
            for each in sorted(names):
                self._look(number, each, f"{path}/{each}")
            if image is not None and image.is_folder and self._tree.image is not None:
                theirs = {each.name for each in (self._tree.image / path.lstrip("/")).iterdir()}
                for each in sorted(theirs - names):
                    if not left_out(f"{path}/{each}", rendered=self._tree.rendered, mounts=()):
                        self._gone(f"{path}/{each}")
        finally:
            os.close(number)

    def _file(self, parent: int, name: str, path: str, *, is_top: bool) -> None:
        untouched = self._tree.image is not None and not self._tree.is_touched(path)
        if untouched and not is_top:
            return
        number = os.open(name, _OPEN | os.O_NONBLOCK, dir_fd=parent)
        try:
            facts = facts_of(number)
            if not facts.is_file:
                self.found.left_out[path] = f"it is {_kind_words(facts.mode)}"
                return
            first = self._links.get((facts.device, facts.inode), "") if facts.links > 1 else ""
            entry = self._entry(path, facts, Kind.FILE)
            entry = replace(entry, sha256=self._digest(number, facts), size=facts.size, link=first)
            if not is_top and self._is_images(entry, facts):
                return
            if facts.links > 1:
                self._links.setdefault((facts.device, facts.inode), path)
            self._note(entry)
            self.found.data_bytes[entry.sha256] = min(facts.data_bytes, facts.size)
        finally:
            os.close(number)

    def _is_images(self, entry: Entry, facts: Facts) -> bool:
        image = self._tree.in_image(entry.path)
        if image is None or not image.is_file or self._tree.image is None:
            return False
        if image.size != facts.size or image.attributes != facts.attributes:
            return False
        # Another name of it is kept, which is to be the same file again.
        if image.links != facts.links:
            return False
        number = os.open(self._tree.image / entry.path.lstrip("/"), _OPEN)
        try:
            return digest_of(number) == entry.sha256
        finally:
            os.close(number)

    def _entry(self, path: str, facts: Facts, kind: Kind) -> Entry:
        accounts = self._tree.accounts
        image = self._tree.in_image(path)
        replaced = image is not None and image.is_folder != (kind is Kind.FOLDER)
        plain, acls = [], {ACL: "", DEFAULT_ACL: ""}
        for name, value in facts.xattrs:
            if name not in acls:
                plain.append((name, value))
                continue
            try:
                acls[name] = acl_to_text(value, accounts)
            except ValueError:
                plain.append((name, value))
        return Entry(
            path,
            kind,
            mode=facts.permissions,
            uid=facts.uid,
            gid=facts.gid,
            user=accounts.user_name(facts.uid),
            group=accounts.group_name(facts.gid),
            mtime_ns=facts.mtime_ns,
            xattrs=tuple(plain),
            acl=acls[ACL],
            default_acl=acls[DEFAULT_ACL],
            replaced=("folder" if image and image.is_folder else "file") if replaced else "",
        )

    def _note(self, entry: Entry) -> None:
        self.found.entries[entry.path] = entry


@contextmanager
def open_folder(root: Path, path: str) -> Iterator[int]:
    """Open a folder of a root without following any symlink; OSError where there is one in the way."""
    number = os.open(root, _OPEN | os.O_DIRECTORY)
    try:
        for part in path.strip("/").split("/"):
            if part:
                inner = os.open(part, _OPEN | os.O_DIRECTORY, dir_fd=number)
                os.close(number)
                number = inner
        yield number
    finally:
        os.close(number)


def _kind_words(mode: int) -> str:
    if stat.S_ISSOCK(mode):
        return "a socket, which has no contents to keep"
    if stat.S_ISFIFO(mode):
        return "a named pipe, which has no contents to keep"
    return "a device, which has no contents to keep"
