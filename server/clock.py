"""Times: always aware, always UTC, written as RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Give the present time."""
    return datetime.now(UTC)


def to_text(moment: datetime) -> str:
    """Give a time as RFC 3339 in whole seconds, as the protocol has it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
