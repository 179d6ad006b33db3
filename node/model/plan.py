"""A plan: what will be done, and every problem that keeps it from being done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from node.model.layout import Layout
from node.model.problem import Problem, Severity
from node.model.step import PlannedStep, step_to_data


@dataclass(frozen=True)
class Chosen:
    """Who does what only one plugin can do here, such as `disk-layout`, and why, in words."""

    capability: str
    plugin: str
    why: str


@dataclass(frozen=True)
class Plan:
    """The ordered work for one machine. While `refused`, nothing may be written.

    `destroys` and `keeps` say disk by disk, in words, what is lost and what stays; `boots_existing` is the
    node of a disk whose finished installation is to be booted instead, "" where there is none. While there
    are steps in `prepare`, there is no layout and no other step: the machine is looked at anew after them.
    """

    install_id: UUID
    layout: Layout | None
    steps: tuple[PlannedStep, ...]
    problems: tuple[Problem, ...] = ()
    destroys: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    boots_existing: str = ""
    prepare: tuple[PlannedStep, ...] = ()
    chosen: tuple[Chosen, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether a problem stands that must be mended first."""
        return any(p.severity is Severity.ERROR for p in self.problems)


def steps_to_data(plan: Plan) -> list[dict[str, Any]]:
    """Give the steps of the installation as plain data, in order."""
    return planned_to_data(plan.steps)


def planned_to_data(steps: Sequence[PlannedStep]) -> list[dict[str, Any]]:
    """Give steps as plain data, secrets masked."""
    return [
        {
            "phase": planned.phase,
            "owner": planned.owner,
            "summary": planned.step.summary(),
            **step_to_data(planned.step),
        }
        for planned in steps
    ]
