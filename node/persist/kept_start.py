"""What the start of a node changes by itself: the next start does so again, and nobody misses it.

Programs number their files, make homes and folders of their own. Which ones they are differs from image to
image, so they are noted when the start is over, by what they were then: a later change of one of them counts.
"""

from __future__ import annotations

import filecmp
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from node.model.kept import is_within
from node.persist.kept_changes import What, read_changes
from node.persist.kept_index import BrokenIndexError, read_index
from node.persist.kept_noise import noise_reason
from node.persist.kept_places import KeptPlaces
from node.persist.kept_record import Record, read_record
from node.persist.kept_set import all_paths
from node.system.entries import read_facts
from node.system.files import LiveFiles

AS_SKEL = "as /etc/skel has it; it is made anew with the account's home"
BY_THE_START = "the start itself makes it so, as the next one will"
# Of services that say that they are up before they have read all that is theirs.
LATE = ("/etc/libvirt", "/var/lib", "/var/spool")

Mark = tuple[int, ...]


def note_start(places: KeptPlaces, *, only_late: bool = False) -> bool:
    """Note what differs from the image now, and whether that is more than was noted.

    With `only_late` what is known stays, and only what lies in LATE is added.
    """
    before = _read(places) if only_late else {}
    found = dict(before)
    for path in _changed(places):
        if not only_late or any(is_within(path, top) for top in LATE):
            found.setdefault(path, _mark(places.root, path))
    if only_late and found == before:
        return False
    text = json.dumps({path: list(mark) for path, mark in found.items()})
    LiveFiles().write(places.started, text.encode("ascii"), mode=0o600)
    return found != before


def reasons(places: KeptPlaces) -> Callable[[str], str]:
    """Give what says why a change of a path is no loss, "" where it may be one."""
    started = _read(places)

    def reason(path: str) -> str:
        if why := noise_reason(path):
            return why
        if _is_of_skel(places.root, path):
            return AS_SKEL
        is_same = path in started and _mark(places.root, path) == started[path]
        return BY_THE_START if is_same else ""

    return reason


def kept_or_rendered(places: KeptPlaces) -> list[str]:
    """Give the paths whose changes are no loss, since they come back."""
    try:
        index = read_index(places.kept).index
    except BrokenIndexError:
        return places.rendered_paths()
    paths = all_paths(index, read_record(places.record) or Record())
    return [*(kept.path for kept in paths), *places.rendered_paths()]


def _changed(places: KeptPlaces) -> Iterator[str]:
    tree = places.tree()
    if tree.image is None or tree.changes is None:
        return
    for change in read_changes(tree, explained=kept_or_rendered(places), reason=noise_reason):
        if change.why:
            continue
        if change.is_folder and change.what is What.NEW:
            for folder, _, names in os.walk(places.root / change.path.lstrip("/")):
                inside = "/" + str(Path(folder).relative_to(places.root))
                yield from (f"{inside}/{name}" for name in names)
        else:
            yield change.path


def _is_of_skel(root: Path, path: str) -> bool:
    """Tell whether a file is what every new home gets, such as that of an admin who was renamed."""
    parts = path.split("/")
    if parts[:2] != ["", "home"] or len(parts) < 4:
        return False
    here, there = root / path.lstrip("/"), root.joinpath("etc/skel", *parts[3:])
    try:
        return (
            here.is_file()
            and not here.is_symlink()
            and there.is_file()
            and filecmp.cmp(here, there, shallow=False)
        )
    except OSError:
        return False


def _mark(root: Path, path: str) -> Mark:
    """Give what tells whether a path was changed again."""
    try:
        facts = read_facts(root / path.lstrip("/"), with_xattrs=False)
    except OSError:
        return ()
    if facts is None:
        return ()
    # A folder's own time changes with all that is put into it.
    return (facts.mode, facts.uid, facts.gid) if facts.is_folder else facts.changed


def _read(places: KeptPlaces) -> Mapping[str, Mark]:
    try:
        data = json.loads(places.started.read_text(encoding="ascii"))
        return {str(path): tuple(int(each) for each in mark) for path, mark in data.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
