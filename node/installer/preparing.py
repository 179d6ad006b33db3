"""What comes before disks are chosen: run, counted, and stopped where it leads nowhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from node.errors import UnfitMachineError
from node.model.event import Event
from node.model.plan import Plan
from node.model.problem import Blame, Problem
from node.model.step import PlannedStep, restarts

# How often one step is done before it counts as one that can't be satisfied, and how many are done in all.
MOST, MOST_IN_ALL = 3, 30

Install = Callable[[Plan, Sequence[Callable[[Event], None]]], None]


class Memory(Protocol):
    """Counts that outlive a restart, by a step's name."""

    def read(self) -> Mapping[str, int]:
        """Give what was written, nothing where that is nothing."""

    def write(self, counts: Mapping[str, int]) -> bool:
        """Keep counts in the place of all before; false where this machine can't keep any."""


class NoMemory:
    """A machine that keeps nothing over a restart."""

    def read(self) -> Mapping[str, int]:
        """Give nothing."""
        return {}

    def write(self, counts: Mapping[str, int]) -> bool:
        """Keep nothing."""
        del counts
        return False


class Preparation:
    """The steps before disks are chosen, over all looks at the machine. Each is done at most `MOST` times."""

    def __init__(self, memory: Memory, install: Install) -> None:
        self._memory = memory
        self._install = install
        self._counts = dict(memory.read())

    def run(self, plan: Plan, observers: Sequence[Callable[[Event], None]]) -> bool:
        """Do the steps of `plan.prepare`, up to one that restarts; tell whether it is to restart now.

        UnfitMachineError where a step was done `MOST` times and is asked for again: nothing is done then.
        StepFailedError as the engine raises it.
        """
        steps = _up_to_restart(plan.prepare)
        self._refuse_endless(steps)
        for planned in steps:
            self._counts[_name(planned)] = self._counts.get(_name(planned), 0) + 1
        # Kept before the first of them is done: one that resets the machine by itself counts as well.
        self._memory.write(self._counts)
        self._install(replace(plan, steps=steps, prepare=()), observers)
        return restarts(steps[-1].step)

    def keeps_counts(self) -> bool:
        """Tell whether counts outlive a restart here; where not, only a person may restart the machine."""
        return self._memory.write(self._counts)

    def finish(self) -> None:
        """Forget the counts: nothing is left to be done."""
        if self._counts:
            self._counts.clear()
            self._memory.write({})

    def _refuse_endless(self, steps: Sequence[PlannedStep]) -> None:
        endless = [planned for planned in steps if self._counts.get(_name(planned), 0) >= MOST]
        if not endless and sum(self._counts.values()) >= MOST_IN_ALL:
            endless = list(steps)
        if not endless:
            return
        problems = [
            Problem(
                "not-prepared",
                f"plugin {planned.owner}",
                f"was done {self._counts.get(_name(planned), 0)} times and is asked for again: "
                f"{planned.step.summary()}",
                "Look at the log and at the device itself, or leave the plugin out with NODECRUST_PLUGINS",
                owner=planned.owner,
                blame=Blame.MACHINE,
            )
            for planned in endless
        ]
        # The next start is a new try: somebody was here, or power was off.
        self.finish()
        raise UnfitMachineError("this machine can't be prepared; nothing was installed", problems=problems)


def _up_to_restart(steps: Sequence[PlannedStep]) -> tuple[PlannedStep, ...]:
    for number, planned in enumerate(steps, 1):
        if restarts(planned.step):
            return tuple(steps[:number])
    return tuple(steps)


def _name(planned: PlannedStep) -> str:
    """Name a step by what it does and to what: two controllers are two steps."""
    text = json.dumps([planned.owner, planned.step.to_data()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
