"""The journal of a run: what was about to be done and what became of it, on stable storage line by line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from node.model.event import Event
from node.model.mask import MASK, mask_hashes
from node.model.step import Step, step_to_data


class Mask:
    """Replaces every secret of a plan's steps by stars, in whatever is shown or kept."""

    def __init__(self, steps: Iterable[Step]) -> None:
        found: set[str] = set()
        for step in steps:
            data = step_to_data(step, reveal=True)
            for name in step.secret_fields:
                found.update(_texts(data.get(name)))
        # A short text would be replaced all over the place; the longest goes first, so that none is cut.
        self._secrets = sorted((text for text in found if len(text) >= 6), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Give the text without any secret."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return mask_hashes(text)


class Journal:
    """JSON lines, appended and flushed one by one: what a line says had happened before the next began."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        os.fchmod(self._file.fileno(), 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def fileno(self) -> int:
        """Give the open file's descriptor."""
        return self._file.fileno()

    def write(self, event: Event, **more: Any) -> None:
        """Append what an event says, without what it leaves empty, and flush it."""
        record: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "event": event.kind.value,
            "at_s": round(event.at_s, 3),
        }
        if event.of:
            record |= {"number": event.number, "of": event.of}
        record |= {key: value for key in ("step", "owner", "message") if (value := getattr(event, key))}
        record |= more
        self._file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        os.fsync(self._file.fileno())


def read_journal(path: Path) -> list[dict[str, Any]]:
    """Give the records of a journal; a line that a power cut tore is left out."""
    records = []
    for line in path.read_bytes().splitlines():
        with suppress(ValueError):
            records.append(json.loads(line))
    return records


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
