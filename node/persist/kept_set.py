"""The set of kept files: paths are added and dropped, and what changed of them is saved."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from node.errors import InputError, NodeError, UnfitMachineError
from node.model.kept import Index, KeptPath, is_within
from node.persist.kept_blobs import make_folder
from node.persist.kept_index import read_index
from node.persist.kept_places import KeptPlaces
from node.persist.kept_record import Record, read_record, write_record
from node.persist.kept_refusals import refusal
from node.persist.kept_saving import Looked, Saved, Saving
from node.persist.kept_scan import Digest, Tree


def add(places: KeptPlaces, paths: Iterable[str]) -> Saved:
    """Keep paths from now on, and store what is there. All or, where one is refused (InputError), none.

    `paths` are absolute and lead through no symlink (`KeptPlaces.canonical`). A path that could not be put
    back at this boot is kept as it is now.
    """
    paths = tuple(dict.fromkeys(paths))
    _refuse(places, places.tree(), paths)
    with _locked(places):
        saving = _saving(places, strict=True)
        record = saving.record
        for path in paths:
            record = record.with_live(path)
        wanted = {kept.path: kept for kept in saving.index.paths} | {path: KeptPath(path) for path in paths}
        saved = replace(saving, record=record).store(tuple(wanted.values()))
        write_record(record, places.record)
    return saved


def drop(places: KeptPlaces, paths: Iterable[str]) -> Saved:
    """Keep paths no longer; what is on the running root stays there until the next boot.

    InputError, with nothing dropped, where one isn't kept.
    """
    paths = tuple(dict.fromkeys(paths))
    with _locked(places):
        saving = _saving(places)
        record, known = saving.record, [kept.path for kept in saving.index.paths]
        problems = [words for path in paths if (words := _not_droppable(path, known, record))]
        if problems:
            raise InputError("nothing was dropped", details="\n".join(problems))
        for path in paths:
            record = record.without(path)
        saved = saving.store(tuple(kept for kept in saving.index.paths if kept.path not in paths))
        write_record(record, places.record)
    return saved


def save(places: KeptPlaces, *, digest: Digest | None = None) -> Saved:
    """Store what changed of the kept paths that are in force on this root.

    NodeError where this boot put nothing back, so that what is here isn't what is kept. `digest` may
    remember what files contained.
    """
    with _locked(places):
        saving = _saving(places, digest=digest)
        if saving.index.paths and not saving.record.live:
            raise NodeError(
                "kept files were not put back at this boot, so nothing is saved",
                mend="nodectl status says why; nodectl persist add PATH keeps what is there now",
            )
        return saving.store(all_paths(saving.index, saving.record))


def look(places: KeptPlaces, index: Index, record: Record) -> Looked:
    """Give what there is now of all that is kept, and what saving would store. Writes nothing."""
    return Saving(places, places.tree(), index, record).look(all_paths(index, record))


def all_paths(index: Index, record: Record) -> tuple[KeptPath, ...]:
    """Give the kept paths, those among them that plugins declared at this boot."""
    known = {kept.path for kept in index.paths}
    declared = (KeptPath(path, plugin) for path, plugin in record.declared.items() if path not in known)
    return (*index.paths, *declared)


def _saving(places: KeptPlaces, *, digest: Digest | None = None, strict: bool = False) -> Saving:
    index = read_index(places.kept).index
    record = read_record(places.record) or Record()
    distrusted = frozenset(entry.sha256 for entry in index.entries if entry.path in record.failed)
    return Saving(places, places.tree(), index, record, digest, distrusted, strict)


def _refuse(places: KeptPlaces, tree: Tree, paths: Iterable[str]) -> None:
    problems = []
    for path in paths:
        words = refusal(path, rendered=tree.rendered, mounts=tree.mounts) or places.why_not_a_file(path)
        if words:
            problems.append(f"{path}: {words}")
    if problems:
        raise InputError("nothing was added", details="\n".join(problems))


def _not_droppable(path: str, known: Iterable[str], record: Record) -> str:
    if path in record.declared:
        return f"{path}: it is kept by the plugin {record.declared[path]}, which would add it again"
    if path in known:
        return ""
    top = next((each for each in known if is_within(path, each)), "")
    return f"{path}: it is kept as a part of {top}; drop that" if top else f"{path}: it isn't kept"


@contextmanager
def _locked(places: KeptPlaces) -> Iterator[None]:
    """Be the only one who changes the set. UnfitMachineError where there is no CONFIG to keep it on."""
    if not places.has_config:
        raise UnfitMachineError(
            "this node has no partition CONFIG, so it can't keep files",
            mend="nodectl status shows what it has; an installation lays one out",
        )
    try:
        make_folder(places.kept, places.calls)
        number = os.open(places.kept, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise NodeError(f"CONFIG can't be written: {error.strerror}") from error
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)
