"""Saves kept files a moment after they changed, for as long as the node runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from node.errors import NodeError
from node.model.kept import is_within
from node.persist.kept_blobs import digest_of
from node.persist.kept_index import INDEX_FILE, read_index
from node.persist.kept_places import KeptPlaces
from node.persist.kept_record import read_record
from node.persist.kept_saving import Saved
from node.persist.kept_set import all_paths, save
from node.system.entries import Facts
from node.system.inotify import Watches

# Several files change together: wait until all is quiet, but not for ever.
QUIET_S = 1.0
AT_MOST_S = 10.0
# A file that changes all the time must not wear the disk out.
LONGEST_PAUSE_S = 60.0
# A file that is held open and written tells nobody; and whatever else was missed.
LOOK_S = 300.0
_FRESH_NS = 1_000_000_000


class KnownContents:
    """Remembers what files contained, so that one that didn't change isn't read again."""

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._now_ns = now_ns
        self._known: dict[tuple[int, ...], str] = {}

    def __call__(self, number: int, facts: Facts) -> str:
        """Give the SHA-256 of an open file."""
        key = (facts.device, facts.inode, *facts.changed)
        if key not in self._known:
            digest = digest_of(number)
            # One that was just written may be written again within the same tick of the clock.
            if self._now_ns() - facts.ctime_ns < _FRESH_NS:
                return digest
            self._known[key] = digest
        return self._known[key]


class KeptWatch:
    """Watches what is kept and saves it. `tell` gets lines for the journal, `alarm` what must be seen."""

    def __init__(
        self,
        places: KeptPlaces,
        watches: Watches,
        *,
        tell: Callable[[str], None],
        alarm: Callable[[str], None],
    ) -> None:
        self._places = places
        self._watches = watches
        self._tell = tell
        self._alarm = alarm
        self._known = KnownContents()
        self._said: set[str] = set()
        self._pause_s = QUIET_S

    def run(self, *, rounds: int | None = None) -> None:
        """Watch and save until nothing is kept any more, or for so many savings."""
        while rounds is None or rounds > 0:
            tops = self._tops()
            if not tops:
                return
            self._arm(tops)
            wrote = self._save()
            # A folder that came meanwhile was not watched from its first moment on.
            if self._arm(tops):
                continue
            if rounds is not None:
                rounds -= 1
            self._rest(tops, wrote=wrote)

    def _tops(self) -> list[str]:
        record = read_record(self._places.record)
        try:
            index = read_index(self._places.kept).index
        except NodeError as error:
            self._complain(error.brief)
            return []
        return [kept.path for kept in all_paths(index, record) if kept.path in record.live] if record else []

    def _arm(self, tops: list[str]) -> bool:
        """Watch all folders of what is kept, and whether there was one to add."""
        added = [self._watches.add(self._places.kept)]
        root = self._places.root
        for top in tops:
            where = root / top.lstrip("/")
            parent = where.parent
            while not parent.is_dir() and parent != root:
                parent = parent.parent
            added.append(self._watches.add(parent))
            if where.is_dir() and not where.is_symlink():
                added += [self._watches.add(Path(folder)) for folder, _, _ in os.walk(where)]
        return any(added)

    def _save(self) -> bool:
        try:
            saved = save(self._places, digest=self._known)
        except NodeError as error:
            self._complain("; ".join(part for part in (error.brief, error.details) if part))
            return True
        self._report(saved)
        return bool(saved.changed)

    def _report(self, saved: Saved) -> None:
        if saved.changed:
            self._tell(f"saved: {' '.join(saved.changed)}")
        for path, why in saved.not_saved.items():
            self._complain(f"{path} is kept, but its last changes could not be saved: {why}")

    def _complain(self, words: str) -> None:
        if words not in self._said:
            self._said.add(words)
            self._alarm(words)

    def _rest(self, tops: list[str], *, wrote: bool) -> None:
        """Wait until there is something to save: a change and then quiet, or a long time."""
        self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S) if wrote else QUIET_S
        begun = time.monotonic()
        while time.monotonic() - begun < LOOK_S:
            changed = self._watches.wait(LOOK_S - (time.monotonic() - begun))
            if changed is None or any(self._concerns(path, tops) for path in changed):
                break
        first = time.monotonic()
        while (changed := self._watches.wait(QUIET_S)) != set() and time.monotonic() - first < AT_MOST_S:
            continue
        if time.monotonic() - begun < self._pause_s:
            time.sleep(self._pause_s - (time.monotonic() - begun))

    def _concerns(self, path: Path, tops: list[str]) -> bool:
        if path == self._places.kept / INDEX_FILE:
            return True
        root = self._places.root
        inside = "/" + str(path.relative_to(root)) if path.is_relative_to(root) else ""
        return bool(inside) and any(is_within(inside, top) or is_within(top, inside) for top in tops)
