"""A run as the screens show it: stages, how far, how fast, how long still."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from node.model.event import Event, EventKind
from node.model.plan import Plan
from node.model.step import PHASES
from node.plugins.access.host_key import FINGERPRINT

# The rate is that of the last seconds: a slow disk shows at once.
_WINDOW_S = 10.0
_LOG_LINES = 2000
# What a step without bytes counts like, so that the whole moves on.
_STEP_WEIGHT = 4 << 20


@dataclass
class Run:
    """What is known of a run so far. Bytes are those of the steps' weights and of the current step."""

    plan: Plan
    at_s: float = 0.0
    number: int = 0
    step: str = ""
    done: int = 0
    total: int = 0
    failed: str = ""
    undoing: bool = False
    host_key: str = ""
    log: deque[str] = field(default_factory=lambda: deque(maxlen=_LOG_LINES))
    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    def take(self, event: Event) -> None:
        """Take one event."""
        self.at_s = event.at_s
        if event.kind is EventKind.STEP_STARTED:
            self.number, self.step, self.done, self.total = event.number, event.step, 0, 0
            self._marks.clear()
            self._note(event, f"[{event.number}/{event.of}] {event.step}")
        elif event.kind is EventKind.STEP_PROGRESS:
            if event.total:
                self.done, self.total = event.done, event.total
                self._marks.append((event.at_s, event.done))
                while len(self._marks) > 2 and event.at_s - self._marks[0][0] > _WINDOW_S:
                    self._marks.popleft()
            if event.message:
                self._note(event, event.message)
            if event.message.startswith(FINGERPRINT):
                self.host_key = event.message.removeprefix(FINGERPRINT)
        elif event.kind is EventKind.STEP_FAILED:
            self.failed = event.message
            self._note(event, f"FAILED: {event.message}")
        elif event.kind is EventKind.UNDO_STARTED:
            self.undoing, self.step = True, event.step
            self._note(event, f"taking back: {event.step}")
        elif event.kind is EventKind.UNDO_FAILED:
            self._note(event, f"could not be taken back: {event.message}")
        elif event.kind is EventKind.RUN_DONE:
            self.number = len(self.plan.steps) + 1
            self._note(event, "everything is done")

    @property
    def rate(self) -> int:
        """Bytes a second of the current step; 0 while that is not known."""
        if len(self._marks) < 2:
            return 0
        (first_s, first), (last_s, last) = self._marks[0], self._marks[-1]
        return int((last - first) / (last_s - first_s)) if last_s > first_s else 0

    @property
    def overall(self) -> tuple[int, int]:
        """How far the whole is: done and total, in bytes of the steps' weights."""
        weights = [_weight(planned.step.weight()) for planned in self.plan.steps]
        total = sum(weights)
        before = sum(weights[: max(0, self.number - 1)])
        if 0 < self.number <= len(weights) and self.total:
            before += weights[self.number - 1] * min(self.done, self.total) // self.total
        return min(before, total), total

    @property
    def left_s(self) -> float | None:
        """Seconds that are left, None while nobody can tell."""
        done, total = self.overall
        if self.undoing or self.at_s < 1.0 or done < total // 100 or not done:
            return None
        return self.at_s * (total - done) / done

    def stages(self) -> list[tuple[str, int]]:
        """Give the phases that the plan has, each -1 to come, 0 running, 1 done."""
        found = []
        for phase in PHASES:
            numbers = [n for n, planned in enumerate(self.plan.steps, 1) if planned.phase == phase]
            if numbers:
                state = 1 if self.number > numbers[-1] else 0 if self.number >= numbers[0] else -1
                found.append((phase, state))
        return found

    def _note(self, event: Event, words: str) -> None:
        minutes, seconds = divmod(int(event.at_s), 60)
        self.log.append(f"{minutes:02}:{seconds:02} {words}")


def _weight(given: int) -> int:
    return max(given, _STEP_WEIGHT)
