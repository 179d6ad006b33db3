"""/run/node/kept.json: which kept paths are in force on the root that runs, so that only those are saved.

Without it the image's own files, where a boot restored nothing, would be taken for changes of the kept ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from node.model.kept import is_within
from node.system.entries import read_facts
from node.system.files import LiveFiles

RECORD = Path("/run/node/kept.json")


@dataclass(frozen=True)
class NotRestored:
    """Why an entry isn't in force; `seen` is what stood there then (`Facts.changed`; () for nothing)."""

    why: str
    seen: tuple[int, ...] = ()


@dataclass(frozen=True)
class Record:
    """`live` are kept paths that are in force, `declared` those of plugins with the plugin's name.

    `failed` are entries of a live path that could not be put back, by path.
    """

    live: tuple[str, ...] = ()
    declared: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, NotRestored] = field(default_factory=dict)

    def still_failed(self, root: Path) -> dict[str, NotRestored]:
        """Give the failed ones where nobody has written since: what stands there now isn't to be saved."""
        return {path: each for path, each in self.failed.items() if seen_at(root, path) == each.seen}

    def with_live(self, path: str) -> Record:
        """Give it with one more path in force, and no failure there or below any more."""
        failed = {other: each for other, each in self.failed.items() if not is_within(other, path)}
        return replace(self, live=tuple(dict.fromkeys((*self.live, path))), failed=failed)

    def without(self, path: str) -> Record:
        """Give it without a path."""
        return replace(self, live=tuple(other for other in self.live if other != path))


def seen_at(root: Path, path: str) -> tuple[int, ...]:
    """Give what tells whether somebody wrote to a path since; () where there is nothing."""
    try:
        facts = read_facts(root / path.lstrip("/"), with_xattrs=False)
    except OSError:
        return ()
    return facts.changed if facts else ()


def read_record(path: Path = RECORD) -> Record | None:
    """Read the record; None where there is none, since nothing was restored at this boot."""
    try:
        data = json.loads(path.read_text(encoding="utf-8", errors="surrogatepass"))
        return Record(
            tuple(str(each) for each in data["live"]),
            {str(key): str(value) for key, value in data["declared"].items()},
            {str(key): _not_restored(value) for key, value in data["failed"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_record(record: Record, path: Path = RECORD) -> None:
    """Replace the record."""
    data = {
        "live": list(record.live),
        "declared": dict(record.declared),
        "failed": {key: {"why": each.why, "seen": list(each.seen)} for key, each in record.failed.items()},
    }
    LiveFiles().write(path, json.dumps(data).encode("ascii"), mode=0o644)


def _not_restored(data: Mapping[str, Any]) -> NotRestored:
    return NotRestored(str(data["why"]), tuple(int(each) for each in data["seen"]))
