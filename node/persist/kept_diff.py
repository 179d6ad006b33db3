"""What is kept and how it is, what the next restart would lose, and what differs from the image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from node.model.kept import Entry, Index, KeptPath, Kind, is_within
from node.persist.kept_changes import Change, What, against_image, read_changes
from node.persist.kept_index import StoredIndex, read_index
from node.persist.kept_places import KeptPlaces
from node.persist.kept_record import NotRestored, Record, read_record
from node.persist.kept_saving import Looked, changed_paths
from node.persist.kept_set import all_paths, look
from node.persist.kept_start import kept_or_rendered, reasons
from node.system.entries import read_facts

NO_NODE = "no Nodecrust image runs here, so nobody knows what it was before"
BY_HAND = "made from the configuration and changed by hand; nodectl config keeps such a change"


@dataclass(frozen=True)
class KeptState:
    """How one kept path is. `kind` is a Kind's value, or "" where there was never anything.

    `files` and `size` (bytes) count what is stored; `unsaved` are paths that changed since they were saved,
    `failed` those that could not be put back, with the reason. With `waits` it isn't in force on this root:
    nothing of it was put back.
    """

    path: str
    by: str
    kind: str
    files: int
    size: int
    unsaved: tuple[str, ...] = ()
    failed: Mapping[str, str] | None = None
    waits: bool = False
    left_out: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Diff:
    """All three parts. `expected` are changes that nobody misses; `unknown` says why the rest isn't known."""

    kept: tuple[KeptState, ...]
    lost: tuple[Change, ...] = ()
    expected: tuple[Change, ...] = ()
    image: tuple[Change, ...] = ()
    rendered: int = 0
    warnings: tuple[str, ...] = ()
    unknown: str = ""


def read_kept(places: KeptPlaces) -> tuple[tuple[KeptState, ...], tuple[str, ...]]:
    """Give how every kept path is, and warnings. BrokenIndexError where the list of them can't be read."""
    stored, record = read_index(places.kept), read_record(places.record) or Record()
    looked = look(places, stored.index, record)
    return _states(places, stored.index, record, looked), _warnings(stored)


def read_lost(places: KeptPlaces) -> tuple[Change, ...]:
    """Give what a restart would lose. Quick: nothing of what is kept is read."""
    lost, _, _ = _changes(places)
    return lost


def read_diff(places: KeptPlaces) -> Diff:
    """Give it all. BrokenIndexError where the list of kept paths can't be read."""
    stored, record = read_index(places.kept), read_record(places.record) or Record()
    looked = look(places, stored.index, record)
    lost, expected, unknown = _changes(places)
    tree = places.tree()
    image = against_image(tree, looked.entries.values()) if tree.image else []
    return Diff(
        _states(places, stored.index, record, looked),
        lost,
        expected,
        tuple(sorted(image, key=lambda change: change.path)),
        len(tree.rendered),
        _warnings(stored),
        unknown,
    )


def _changes(places: KeptPlaces) -> tuple[tuple[Change, ...], tuple[Change, ...], str]:
    tree = places.tree()
    if tree.image is None or tree.changes is None:
        return (), (), NO_NODE
    found = read_changes(tree, explained=kept_or_rendered(places), reason=reasons(places))
    lost = [change for change in found if not change.why]
    for path in _edited(places):
        lost.append(Change(path, What.CHANGED, why=BY_HAND))
    lost.sort(key=lambda change: change.path)
    return tuple(lost), tuple(change for change in found if change.why), ""


def _edited(places: KeptPlaces) -> list[str]:
    """Give the rendered files that were written after the list of them was."""
    try:
        noted = places.rendered.stat().st_mtime_ns
    except OSError:
        return []
    found = []
    for path in places.rendered_paths():
        # What passwd changes in it is taken over into the configuration (nodecrust-passwords).
        if path == "/etc/shadow":
            continue
        facts = read_facts(places.root / path.lstrip("/"), with_xattrs=False)
        if facts and facts.is_file and facts.mtime_ns > noted:
            found.append(path)
    return found


def _states(places: KeptPlaces, index: Index, record: Record, looked: Looked) -> tuple[KeptState, ...]:
    before = {entry.path: entry for entry in index.entries}
    failed = record.still_failed(places.root)
    unsaved = changed_paths(before, looked.entries)
    return tuple(
        _state(kept, before, unsaved, failed, looked, waits=kept.path not in record.live)
        for kept in sorted(all_paths(index, record), key=lambda each: each.path)
    )


def _state(
    kept: KeptPath,
    before: Mapping[str, Entry],
    unsaved: tuple[str, ...],
    failed: Mapping[str, NotRestored],
    looked: Looked,
    *,
    waits: bool,
) -> KeptState:
    inside = [entry for path, entry in before.items() if is_within(path, kept.path) and not entry.implied]
    own = before.get(kept.path) or looked.entries.get(kept.path)
    return KeptState(
        kept.path,
        kept.by,
        own.kind.value if own else "",
        sum(entry.kind is not Kind.FOLDER for entry in inside),
        sum(entry.size for entry in inside if not entry.link),
        () if waits else tuple(path for path in unsaved if is_within(path, kept.path)),
        {path: each.why for path, each in failed.items() if is_within(path, kept.path)},
        waits,
        {path: why for path, why in looked.scan.left_out.items() if is_within(path, kept.path)},
    )


def _warnings(stored: StoredIndex) -> tuple[str, ...]:
    return (stored.warning,) if stored.warning else ()
