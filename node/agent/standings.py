"""Where the node stands with its servers, left in /run for everybody, and when each is asked again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import uniform
from typing import Any

from node.model.registration import Backend, Report, Standing
from node.system.files import LiveFiles

PUBLIC = "registration.json"
_DUE = "registration-due.json"
# From the first failure on, twice as long each time, up to a quarter of an hour.
_FIRST_S, _MOST_S = 10.0, 900.0
_JITTER = 0.25
# A backend that said no may be let in later, by somebody who mends it on the server.
_REFUSED_LEAST_S = 60.0


@dataclass(frozen=True)
class Due:
    """When a backend is asked again, in seconds since the start, None for never. `settings` is their hash."""

    settings: str = ""
    at_s: float | None = 0.0
    failures: int = 0


def due_of(backend: Backend, known: Mapping[str, Due]) -> Due:
    """Give when it is asked: at once where it is new, or its settings are."""
    found = known.get(backend.name)
    return found if found and found.settings == settings_of(backend) else Due(settings_of(backend))


def next_due(backend: Backend, before: Due, report: Report, now_s: float) -> Due:
    """Give when it is asked again: as its report wants, else after a time that grows with each failure.

    Spread at random, so that a rack that starts at once does not come at once.
    """
    failed = report.standing in (Standing.WAITING, Standing.REFUSED)
    failures = before.failures + 1 if failed else 0
    if report.standing is Standing.DONE and report.next_s is None:
        return Due(settings_of(backend), None)
    wait = report.next_s
    if wait is None:
        wait = min(_FIRST_S * 2.0 ** min(max(failures - 1, 0), 10), _MOST_S)
    if report.standing is Standing.REFUSED:
        wait = max(wait, _REFUSED_LEAST_S)
    return Due(settings_of(backend), now_s + wait * uniform(1 - _JITTER, 1 + _JITTER), failures)  # noqa: S311


def settings_of(backend: Backend) -> str:
    """Give a hash of a backend's settings."""
    return hashlib.sha256(repr(backend).encode()).hexdigest()


def read_due(run: Path) -> dict[str, Due]:
    """Give what was left of the last round; nothing where there was none since the start."""
    try:
        data = json.loads((run / _DUE).read_bytes())
        return {str(name): Due(**one) for name, one in data.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def write_due(run: Path, due: Mapping[str, Due]) -> None:
    """Leave it for the next round."""
    data = {name: vars(one) for name, one in due.items()}
    LiveFiles().write(run / _DUE, json.dumps(data).encode(), mode=0o600)


def read_standings(run: Path) -> dict[str, Any]:
    """Give each backend's last word, by name."""
    try:
        found = json.loads((run / PUBLIC).read_bytes())["backends"]
    except (OSError, ValueError, TypeError, KeyError):
        return {}
    return found if isinstance(found, dict) else {}


def write_standings(run: Path, standings: Mapping[str, Any]) -> None:
    """Leave them for everybody to read: nothing in them is secret."""
    text = json.dumps({"backends": dict(standings)}, indent=1) + "\n"
    LiveFiles().write(run / PUBLIC, text.encode(), mode=0o644)


def standing_to_data(report: Report, before: Any, *, plugin: str, at: str) -> dict[str, Any]:
    """Give a report as the status has it; `before` is the last one."""
    known = before.get("heard") if isinstance(before, dict) else None
    return {
        "heard": known if report.heard is None else report.heard,
        "standing": report.standing.value,
        "words": report.words,
        "mend": report.mend,
        "terms": [list(pair) for pair in report.terms],
        "plugin": plugin,
        "at": at,
    }
