"""A run as plain lines: what goes on, and for what takes long how far and how fast."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from node.installer.problem_text import COLUMNS
from node.model.event import Event, EventKind
from node.model.size import format_size

# A serial line of 9600 baud shows twelve lines a second at best; people read fewer.
EVERY_S = 5.0
_TROUBLE = {
    EventKind.STEP_FAILED: "FAILED",
    EventKind.UNDO_STARTED: "taking back",
    EventKind.UNDO_FAILED: "could not be taken back",
}


class ProgressLines:
    """Observes a run and hands lines of at most 80 columns to `write`; of progress one every few seconds."""

    def __init__(self, write: Callable[[str], None], *, every_s: float = EVERY_S) -> None:
        self._write = write
        self._every_s = every_s
        self._step_began_s = 0.0
        self._said_s = 0.0
        self._said_bytes = 0

    def __call__(self, event: Event) -> None:
        """Take one event."""
        for line in self._lines(event):
            self._write(line)

    def _lines(self, event: Event) -> list[str]:
        kind, words = event.kind, event.message or event.step
        if kind is EventKind.STEP_STARTED:
            self._step_began_s = self._said_s = event.at_s
            self._said_bytes = 0
            return _wrap(f"[{event.number:2}/{event.of}] ", event.step)
        if kind is EventKind.STEP_PROGRESS:
            return self._progress(event)
        if kind is EventKind.STEP_DONE:
            took_s = event.at_s - self._step_began_s
            return [f"        done in {took_s:.0f} s"] if took_s >= self._every_s else []
        if kind is EventKind.RUN_DONE:
            return [f"Everything is done, in {_duration(event.at_s)}."]
        return _wrap(f"        {_TROUBLE[kind]}: ", words) if kind in _TROUBLE else []

    def _progress(self, event: Event) -> list[str]:
        since_s = event.at_s - self._said_s
        if event.message:
            return _wrap("        ", event.message)
        if since_s < self._every_s or not event.total:
            return []
        rate = int((event.done - self._said_bytes) / since_s)
        self._said_s, self._said_bytes = event.at_s, event.done
        share = 100 * event.done // event.total
        return [
            f"        {format_size(event.done)} of {format_size(event.total)} ({share}%), "
            f"{format_size(max(rate, 0))}/s"
        ]


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _wrap(lead: str, text: str) -> list[str]:
    return textwrap.wrap(
        text or "-", COLUMNS - 1, initial_indent=lead, subsequent_indent=" " * 8, break_on_hyphens=False
    )
