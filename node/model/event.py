"""What the engine tells its observers: the screen, the consoles, the journal, plugins."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """The moments of a run, in the order in which they can come."""

    RUN_STARTED = "run-started"
    STEP_STARTED = "step-started"
    STEP_PROGRESS = "step-progress"
    STEP_DONE = "step-done"
    STEP_FAILED = "step-failed"
    UNDO_STARTED = "undo-started"
    UNDO_FAILED = "undo-failed"
    RUN_DONE = "run-done"
    RUN_FAILED = "run-failed"


@dataclass(frozen=True)
class Event:
    """One moment. `done` and `total` are bytes where `total` is not 0; `at_s` counts from the run's start."""

    kind: EventKind
    at_s: float
    number: int = 0
    of: int = 0
    step: str = ""
    owner: str = ""
    message: str = ""
    done: int = 0
    total: int = 0
