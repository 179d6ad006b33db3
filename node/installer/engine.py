"""Runs a plan: step by step in processes of their own, and backwards when one fails."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from node.errors import InputError, StepFailedError
from node.installer.journal import Journal, Mask
from node.installer.only_run import only_run
from node.model.event import Event, EventKind
from node.model.plan import Plan, steps_to_data
from node.model.problem import errors
from node.model.step import PlannedStep, step_name
from node.model.system import System
from node.system.child import Failure, Kind, Report, SystemFactory, run_child

_log = logging.getLogger(__name__)

Observer = Callable[[Event], None]

# Undo and finish unmount and clear; a slow stick may have to write out all that memory holds of it.
RELEASE_TIMEOUT_S = 300.0
_PROGRESS_EVERY_S = 0.1


def run_plan(
    plan: Plan, *, system_factory: SystemFactory, observers: Sequence[Observer], journal: Path
) -> None:
    """Apply every step in order, then finish all in reverse order; call it from the main thread.

    InputError where the plan is refused, TryAgainError where another run with this journal goes on: nothing
    was done. When a step fails, or SIGTERM, SIGINT or SIGHUP comes, every step that was begun is undone in
    reverse order and StepFailedError says which step, whose, the last words and what the disk is now. The run
    is done only when every `finish` is: a write that can't be flushed is a failure like any other.
    """
    if plan.refused:
        raise InputError("the plan is refused; nothing was written", problems=errors(plan.problems))
    with only_run(journal.with_suffix(".lock")), Journal(journal) as book, _stop_requests() as stop_fd:
        _Run(plan, system_factory, observers, book, stop_fd).run()


class _Run:
    def __init__(
        self,
        plan: Plan,
        system_factory: SystemFactory,
        observers: Sequence[Observer],
        journal: Journal,
        stop_fd: int | None,
    ) -> None:
        self._plan = plan
        self._factory = system_factory
        self._observers = observers
        self._journal = journal
        self._stop_fd = stop_fd
        self._began_s = time.monotonic()
        self._mask = Mask(planned.step for planned in plan.steps)
        # Asked for now, so that a step that can't even say what it does fails before anything is written.
        self._summaries = {id(planned): self._mask(planned.step.summary()) for planned in plan.steps}
        self._aftermaths = {id(planned): planned.step.aftermath() for planned in plan.steps}
        self._progress_s = 0.0

    def run(self) -> None:
        steps = self._plan.steps
        self._tell(
            EventKind.RUN_STARTED,
            journal={
                "install_id": str(self._plan.install_id),
                "steps": [
                    {**data, "summary": self._mask(data["summary"])} for data in steps_to_data(self._plan)
                ],
            },
        )
        begun: list[tuple[int, PlannedStep]] = []
        for number, planned in enumerate(steps, 1):
            begun.append((number, planned))
            # The line is on stable storage before the step's first write.
            self._tell(EventKind.STEP_STARTED, number, planned)
            failure = self._work(number, planned, planned.step.apply, planned.step.timeout_s)
            if failure:
                raise self._fail(begun, number, planned, failure)
            self._tell(EventKind.STEP_DONE, number, planned)
        for number, planned in reversed(begun):
            if planned.step.has_finish:
                failure = self._work(number, planned, planned.step.finish, RELEASE_TIMEOUT_S)
                if failure:
                    raise self._fail(begun, number, planned, failure)
        self._tell(EventKind.RUN_DONE)

    def _work(
        self, number: int, planned: PlannedStep, work: Callable[[System], None], timeout_s: float
    ) -> Failure | None:
        def on_report(report: Report) -> None:
            now = time.monotonic()
            if report.kind is Kind.PROGRESS and report.done < report.total:
                if now - self._progress_s < _PROGRESS_EVERY_S:
                    return
                self._progress_s = now
            self._tell(
                EventKind.STEP_PROGRESS,
                number,
                planned,
                message=report.message,
                done=report.done,
                total=report.total,
            )

        try:
            failure = run_child(
                work,
                system_factory=self._factory,
                timeout_s=timeout_s,
                on_report=on_report,
                stop_fd=self._stop_fd,
                private_fds=[self._journal.fileno()],
            )
        except OSError as error:  # no memory for a process, no descriptor: what was begun is still undone
            failure = Failure(f"no process could be started for it: {error}")
        if failure is None:
            return None
        return Failure(self._mask(failure.brief), self._mask(failure.details), self._mask(failure.mend))

    def _fail(
        self, begun: Sequence[tuple[int, PlannedStep]], number: int, failed: PlannedStep, failure: Failure
    ) -> StepFailedError:
        self._tell(
            EventKind.STEP_FAILED,
            number,
            failed,
            message=failure.brief,
            journal={"details": failure.details},
        )
        self._stop_fd = None  # what is undone now is undone to the end, whatever signal comes
        disk_state = self._undo(begun)
        summary = self._summaries[id(failed)]
        self._tell(
            EventKind.RUN_FAILED, message=f"{summary}: {failure.brief}", journal={"disk_state": disk_state}
        )
        return StepFailedError(
            f"{summary}: {failure.brief}",
            step=step_name(failed.step),
            owner=failed.owner,
            disk_state=disk_state,
            details=failure.details,
            mend=failure.mend or "Mend what the last words and the log name, and start again",
        )

    def _undo(self, begun: Sequence[tuple[int, PlannedStep]]) -> str:
        """Undo in reverse order, each whatever the others do; say what the disk is now."""
        states = []
        for number, planned in reversed(begun):
            if planned.step.has_undo:
                self._tell(EventKind.UNDO_STARTED, number, planned)
                failure = self._work(number, planned, planned.step.undo, RELEASE_TIMEOUT_S)
                if failure:
                    self._tell(
                        EventKind.UNDO_FAILED,
                        number,
                        planned,
                        message=failure.brief,
                        journal={"details": failure.details},
                    )
                    states.append(f"not taken back: {self._summaries[id(planned)]} ({failure.brief})")
                    continue
            if after := self._aftermaths[id(planned)]:
                states.append(after)
        return "; ".join(states) or "nothing was written to any disk"

    def _tell(
        self,
        kind: EventKind,
        number: int = 0,
        planned: PlannedStep | None = None,
        *,
        message: str = "",
        done: int = 0,
        total: int = 0,
        journal: dict[str, Any] | None = None,
    ) -> None:
        """Write an event to the journal, then show it to everyone who watches."""
        event = Event(
            kind=kind,
            at_s=time.monotonic() - self._began_s,
            number=number,
            of=len(self._plan.steps),
            step=self._summaries[id(planned)] if planned else "",
            owner=planned.owner if planned else "",
            message=self._mask(message),
            done=done,
            total=total,
        )
        if kind is not EventKind.STEP_PROGRESS or message:
            try:
                self._journal.write(event, **(journal or {}))
            except OSError:  # /run is full: no reason to leave a disk half written
                _log.exception("the journal can't be written")
        for observer in self._observers:
            try:
                observer(event)
            except Exception:  # a screen that fails must not cost a disk
                _log.exception("an observer failed at %s", kind)


@contextmanager
def _stop_requests() -> Iterator[int | None]:
    """Turn SIGTERM, SIGINT and SIGHUP into a readable descriptor; None outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield None
        return
    stop_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def note(number: int, _frame: object) -> None:
        _log.warning("%s came", signal.Signals(number).name)
        os.eventfd_write(stop_fd, 1)

    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield stop_fd
    finally:
        for number, old in before.items():
            signal.signal(number, old)
        os.close(stop_fd)
