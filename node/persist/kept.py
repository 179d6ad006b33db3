"""Puts kept files back into the root of a boot, before systemd starts there."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from node.errors import NodeError
from node.model.kept import Entry, Index, Kind, is_within
from node.persist.kept_blobs import Blobs
from node.persist.kept_index import KEPT, BrokenIndexError, read_index
from node.persist.kept_owners import Accounts, acl_from_text, owner_here, read_accounts
from node.persist.kept_record import RECORD, NotRestored, Record, seen_at, write_record
from node.persist.kept_refusals import refusal
from node.system.entries import ACL, DEFAULT_ACL, set_facts, set_mtime

# A start waits for it, so it has an end: big files go last, and what there is no time for stays kept.
TIME_S = 12.0
_BIG = 4 << 20
_TEMPORARY = ".nodecrust-kept"
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_WORDS_AT_MOST = 10


class NotRestorableError(NodeError):
    """An entry that can't be put back into this root; the brief says why."""


def restore(
    config: Path,
    root: Path,
    *,
    rendered: Collection[str] = (),
    declared: Mapping[str, Sequence[str]] | None = None,
    record: Path = RECORD,
    time_s: float = TIME_S,
) -> tuple[str, ...]:
    """Put everything that is kept on CONFIG into a root that isn't running yet; give warnings, one an alarm.

    What can't be put back is named, costs nothing but itself and stays kept. A path in `rendered` is the
    state's, whatever is kept of it. `declared` are the paths of plugins, by the plugin's name; from now on
    they are kept. Owners are looked up by name in the root's own /etc/passwd and /etc/group. It takes no
    longer than `time_s`, about.
    """
    owners, said = _declared_paths(declared or {}, frozenset(rendered))
    try:
        stored = read_index(config / KEPT)
    except BrokenIndexError as error:
        mend = f" {error.mend}." if error.mend else ""
        return (f"No kept file was put back: {error.brief}.{mend}",)
    index = stored.index
    if not index.paths and not owners:
        return ()
    work = _Restoration(root, Blobs(config / KEPT), frozenset(rendered), time.monotonic() + time_s)
    work.run(index)
    live = (*(kept.path for kept in index.paths), *owners)
    failed = {path: NotRestored(why, seen_at(root, path)) for path, why in work.failed.items()}
    said += [stored.warning] if stored.warning else []
    try:
        write_record(Record(tuple(dict.fromkeys(live)), owners, failed), record)
    except OSError as error:
        said.append(f"Kept files will not be saved while this node runs: {record} can't be written ({error})")
    words = [f"{path} was not put back: {why}" for path, why in work.failed.items()]
    return (*said, *_few([*words, *work.said]))


def _declared_paths(
    declared: Mapping[str, Sequence[str]], rendered: frozenset[str]
) -> tuple[dict[str, str], list[str]]:
    """Give the paths that plugins may have kept, with their plugin, and words on those that they may not."""
    owners, said = {}, []
    for plugin, paths in declared.items():
        for path in paths:
            if why := refusal(path, rendered=rendered):
                said.append(f"plugin {plugin}: {path} can't be kept: {why}")
            else:
                owners[path] = plugin
    return owners, said


def _few(words: Sequence[str]) -> list[str]:
    if len(words) <= _WORDS_AT_MOST:
        return list(words)
    rest = len(words) - _WORDS_AT_MOST
    return [*words[:_WORDS_AT_MOST], f"and {rest} more kept files (nodectl persist list names them)"]


class _Restoration:
    """One run over the entries. `failed` says why by path, `said` what else is worth a word."""

    def __init__(self, root: Path, blobs: Blobs, rendered: frozenset[str], deadline: float) -> None:
        self.failed: dict[str, str] = {}
        self.said: list[str] = []
        self._root = root
        self._blobs = blobs
        self._rendered = rendered
        self._deadline = deadline
        self._accounts: Accounts = read_accounts(root)
        self._folders: list[Entry] = []
        self._sound: set[Path] = {root}

    def run(self, index: Index) -> None:
        for entry in sorted(index.entries, key=lambda each: each.size >= _BIG):
            try:
                self._put(entry)
            except NodeError as error:
                self.failed[entry.path] = error.brief
            except OSError as error:
                self.failed[entry.path] = error.strerror or str(error)
        # A folder's own mode and time last, deepest first: what is put into it changes its time.
        for entry in reversed(self._folders):
            with contextlib.suppress(OSError):
                self._set_facts(self._at(entry.path), entry)

    def _put(self, entry: Entry) -> None:
        if entry.path in self._rendered:
            raise NotRestorableError("it is made from the node's configuration now (nodectl config)")
        path = self._at(entry.path)
        self._check_way(path)
        if entry.kind is Kind.ABSENT:
            self._remove(entry, path)
            return
        # What lies in it says for itself when the way there is no folder any more.
        if entry.implied and os.path.lexists(path):
            return
        self._clear(entry, path)
        if entry.kind is Kind.FOLDER:
            if not path.is_dir():
                path.mkdir(0o700)
            self._folders.append(entry)
        elif entry.kind is Kind.SYMLINK:
            path.symlink_to(entry.target)
            owner = self._owner(entry)
            os.chown(path, *owner[:2], follow_symlinks=False)
            set_mtime(path, entry.mtime_ns)
        elif not self._link(entry, path):
            self._put_file(entry, path)

    def _put_file(self, entry: Entry, path: Path) -> None:
        """Write it beside its place and move it there, so that a damaged one leaves the image's as it is."""
        temporary = path.with_name(_TEMPORARY)
        temporary.unlink(missing_ok=True)
        try:
            number = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
            try:
                self._blobs.copy_to(entry.sha256, number, write=self._write)
            finally:
                os.close(number)
            self._set_facts(temporary, entry)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _write(self, number: int, contents: memoryview) -> int:
        if time.monotonic() > self._deadline:
            raise NotRestorableError("there was no time for it at this start")
        return os.write(number, contents)

    def _link(self, entry: Entry, path: Path) -> bool:
        """Make it a hard link again; False where it is none, or what it is a link to isn't there."""
        if not entry.link or entry.link in self.failed:
            return False
        try:
            path.unlink(missing_ok=True)
            os.link(self._at(entry.link), path, follow_symlinks=False)
        except OSError:
            return False
        return True

    def _remove(self, entry: Entry, path: Path) -> None:
        if any(is_within(made, entry.path) for made in self._rendered):
            raise NotRestorableError(
                "files in it are made from the node's configuration now (nodectl config)"
            )
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def _clear(self, entry: Entry, path: Path) -> None:
        """Take away what stands in the place of an entry and would not give way to it by itself."""
        if not os.path.lexists(path):
            return
        found = Kind.SYMLINK if path.is_symlink() else Kind.FOLDER if path.is_dir() else Kind.FILE
        if (found is Kind.FOLDER) == (entry.kind is Kind.FOLDER):
            if entry.kind is Kind.SYMLINK:
                path.unlink()
            return
        # The image that it was saved on had the same there, and somebody replaced that.
        was_so = bool(entry.replaced) and (entry.replaced == Kind.FOLDER) == (found is Kind.FOLDER)
        if not was_so:
            raise NotRestorableError(
                f"this image has a {found.value} there, and a {entry.kind.value} is kept"
            )
        self._remove(entry, path)

    def _check_way(self, path: Path) -> None:
        """Refuse a path that leads through a symlink or a file: this image has put something else there."""
        missing = []
        parent = path.parent
        while parent not in self._sound:
            missing.append(parent)
            parent = parent.parent
        for folder in reversed(missing):
            try:
                mode = folder.lstat().st_mode
            except FileNotFoundError:
                folder.mkdir(0o755)
            else:
                if not stat.S_ISDIR(mode):
                    where = f"/{folder.relative_to(self._root)}"
                    what = "symlink" if stat.S_ISLNK(mode) else "file"
                    raise NotRestorableError(f"{where} is a {what} in this image")
            self._sound.add(folder)

    def _set_facts(self, path: Path, entry: Entry) -> None:
        uid, gid, mode = self._owner(entry)
        xattrs = list(entry.xattrs)
        for name, text in ((ACL, entry.acl), (DEFAULT_ACL, entry.default_acl)):
            if text:
                with contextlib.suppress(ValueError):
                    xattrs.append((name, acl_from_text(text, self._accounts)))
        refused = set_facts(path, mode=mode, uid=uid, gid=gid, mtime_ns=entry.mtime_ns, xattrs=tuple(xattrs))
        if refused:
            self.said.append(
                f"{entry.path} is back without {', '.join(refused)}, which the root doesn't take"
            )

    def _owner(self, entry: Entry) -> tuple[int, int, int]:
        owner = owner_here(entry, self._accounts)
        if owner.lost:
            self.said.append(f"{entry.path} belongs to root now: this image doesn't know {owner.lost}")
        return owner.uid, owner.gid, owner.mode

    def _at(self, path: str) -> Path:
        return self._root / path.lstrip("/")
