"""Stores what there is now of the kept paths: blobs, then the index; then goes what that names no more."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from node.errors import InputError, NodeError
from node.model.kept import Entry, Index, KeptPath, is_within
from node.persist.kept_blobs import Blobs, ChangedMeanwhileError
from node.persist.kept_index import INDEX_FILE, read_index, write_index
from node.persist.kept_places import KeptPlaces
from node.persist.kept_record import Record
from node.persist.kept_refusals import refusal
from node.persist.kept_scan import Digest, Scan, Tree, open_folder, scan_paths
from node.system.files import LiveFiles, is_leftover

# The state and its versions must still fit, whatever else is kept.
RESERVED = 4 << 20
_TRIES = 3
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class TooBigError(InputError):
    """What shall be kept has no room on CONFIG."""


@dataclass(frozen=True)
class Saved:
    """What was done: entries that are stored anew or are gone, by path, and what was not stored, with why."""

    changed: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    not_saved: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Looked:
    """What there is now, and the entries that saving would store."""

    scan: Scan
    entries: Mapping[str, Entry]


@dataclass(frozen=True)
class Saving:
    """A saving of the set `index`, as far as `record` says that it is in force. The caller holds the lock.

    `distrusted` are blobs to be written anew though there is one of that name. With `strict` nothing is
    stored where something has no room; else that alone is left as it was.
    """

    places: KeptPlaces
    tree: Tree
    index: Index
    record: Record
    digest: Digest | None = None
    distrusted: frozenset[str] = frozenset()
    strict: bool = False

    def look(self, paths: Sequence[KeptPath]) -> Looked:
        """Give what saving `paths` would store. The old entries of what isn't in force stay as they are."""
        live = [
            kept.path
            for kept in paths
            if kept.path in self.record.live and not refusal(kept.path, rendered=self.tree.rendered)
        ]
        scan = scan_paths(self.tree, live, digest=self.digest)
        held = {*self.record.still_failed(self.places.root), *scan.unreadable}
        entries = {path: entry for path, entry in scan.entries.items() if path not in held}
        for entry in self.index.entries:
            if not any(_belongs(entry, kept.path) for kept in paths):
                continue
            is_held = any(is_within(entry.path, path) for path in held)
            in_force = any(is_within(entry.path, top) for top in live)
            if is_held or (not in_force and entry.path not in entries):
                entries[entry.path] = entry
        return Looked(scan, entries)

    def store(self, paths: Sequence[KeptPath]) -> Saved:
        """Store it: after a power cut the old set is there whole, or this one.

        TooBigError before anything is written; NodeError where CONFIG can't be written. The old set stands
        then.
        """
        looked = self.look(paths)
        entries, not_saved = dict(looked.entries), dict(looked.scan.unreadable)
        before = {entry.path: entry for entry in self.index.entries}
        new = self._with_room(self._new_blobs(looked), looked.scan, not_saved)
        try:
            not_saved |= {
                entry.path: "it is written all the time" for entry in new if not self._add_blob(entry)
            }
            for path in not_saved:
                entries.pop(path, None)
                if path in before:
                    entries[path] = before[path]
            changed = changed_paths(before, entries)
            kept = tuple(sorted(paths, key=lambda each: each.path))
            result = Index(kept, tuple(entries[path] for path in sorted(entries)))
            if changed or kept != self.index.paths or not (self.places.kept / INDEX_FILE).exists():
                self._blobs.flush()
                write_index(self.places.kept, result, self.places.calls)
        except OSError as error:
            raise NodeError(
                f"the kept files could not be written to CONFIG: {error.strerror}",
                mend="Everything that was kept before still is",
            ) from error
        finally:
            self._collect()
        return Saved(changed, looked.scan.left_out, not_saved)

    @property
    def _blobs(self) -> Blobs:
        return Blobs(self.places.kept, self.places.calls)

    def _new_blobs(self, looked: Looked) -> list[Entry]:
        found: dict[str, Entry] = {}
        for entry in looked.entries.values():
            is_stored = self._blobs.has(entry.sha256, entry.size) and entry.sha256 not in self.distrusted
            if entry.sha256 in looked.scan.data_bytes and not is_stored:
                found.setdefault(entry.sha256, entry)
        return list(found.values())

    def _with_room(self, new: Sequence[Entry], scan: Scan, not_saved: dict[str, str]) -> list[Entry]:
        """Give those that fit on CONFIG, smallest first, and note the others; or TooBigError, when strict."""
        if not new:
            return []
        total, free = self.places.room()
        room = max(0, free - RESERVED)
        needed = {entry.path: scan.data_bytes[entry.sha256] for entry in new}
        if self.strict and (sum(needed.values()) > room or any(entry.size > total for entry in new)):
            raise _too_big(new, needed, total, room)
        fitting, used = [], 0
        for entry in sorted(new, key=lambda each: needed[each.path]):
            if used + needed[entry.path] > room or entry.size > total:
                words = f"it needs {_words_of(needed[entry.path])}; CONFIG has {_words_of(room - used)} free"
                not_saved[entry.path] = words
            else:
                used += needed[entry.path]
                fitting.append(entry)
        return fitting

    def _add_blob(self, entry: Entry) -> bool:
        """Store a file's contents; False where it changes whenever it is read, or is gone."""
        parent, name = entry.path.rsplit("/", 1)
        for _ in range(_TRIES):
            try:
                with open_folder(self.tree.root, parent) as folder:
                    number = os.open(name, _READ, dir_fd=folder)
                try:
                    self._blobs.add(number, sha256=entry.sha256)
                finally:
                    os.close(number)
            except (ChangedMeanwhileError, FileNotFoundError):
                continue
            return True
        return False

    def _collect(self) -> None:
        try:
            entries = read_index(self.places.kept).index.entries
        except NodeError:
            return
        self._blobs.collect({entry.sha256 for entry in entries})
        files = LiveFiles(self.places.calls)
        for name in filter(is_leftover, files.names(self.places.kept)):
            with contextlib.suppress(OSError):
                files.remove(self.places.kept / name)


def _words_of(size: int) -> str:
    from node.model.size import format_size  # noqa: PLC0415 - a watch needn't hold pydantic in memory for it

    return format_size(size)


def _belongs(entry: Entry, top: str) -> bool:
    return is_within(entry.path, top) or (entry.implied and is_within(top, entry.path))


def changed_paths(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> tuple[str, ...]:
    """Give the paths whose entries differ."""
    paths = sorted({*before, *after})
    return tuple(path for path in paths if not _alike(before.get(path), after.get(path)))


def _alike(one: Entry | None, other: Entry | None) -> bool:
    # A folder has another time as soon as anything in it changes: no reason to write for that alone.
    if one and other and not one.sha256:
        return replace(one, mtime_ns=0) == replace(other, mtime_ns=0)
    return one == other


def _too_big(new: Collection[Entry], needed: Mapping[str, int], total: int, room: int) -> TooBigError:
    largest = max(new, key=lambda entry: max(needed[entry.path], entry.size if entry.size > total else 0))
    mend = "Everything that was kept before still is; nodectl persist drop PATH makes room"
    if largest.size > total:
        brief = f"{largest.path} is {_words_of(largest.size)} long; CONFIG has {_words_of(total)} in all"
        return TooBigError(brief, mend=mend)
    return TooBigError(
        f"{_words_of(sum(needed.values()))} would be needed; CONFIG has {_words_of(room)} for kept files",
        details=f"the largest of them is {largest.path}: {_words_of(needed[largest.path])}",
        mend=mend,
    )
