"""A step of a plugin from outside: described in the host, an opaque value in the plan, itself again at work.

Its words are asked for while planning, in the host. `apply`, `undo` and `finish` run in the engine's process
for that one step, the only place but the host where the plugin is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from node.model.inventory import Inventory
from node.model.mask import MASK
from node.model.step import PHASES, PREPARE, PlannedStep, PrepareStep, Step, restarts, step_from_data
from node.model.system import System
from node.plugin_host.words import shown

_MOST_TIMEOUT_S = 24 * 3600.0


@dataclass(frozen=True)
class StepWords:
    """What a step says of itself, asked for in the host."""

    summary: str
    aftermath: str = ""
    weight: int = 0
    timeout_s: float = Step.timeout_s
    secret: frozenset[str] = frozenset()
    has_undo: bool = False
    has_finish: bool = False
    reboots: bool = False


@dataclass(frozen=True)
class OutsideStep(Step):
    """A stand-in. `data` is what `step_to_data` gives of the step itself, its secrets revealed."""

    data: Mapping[str, Any]
    words: StepWords

    if not TYPE_CHECKING:  # of their classes in other steps, of each stand-in here

        @property
        def timeout_s(self) -> float:
            """How long `apply` may take."""
            return self.words.timeout_s

        @property
        def secret_fields(self) -> frozenset[str]:
            """Fields that hold a hash or a key."""
            return self.words.secret

    def to_data(self) -> dict[str, Any]:
        """Give the plugin's own step as data."""
        return dict(self.data)

    def summary(self) -> str:
        """Say what it does, in the plugin's words."""
        return self.words.summary

    def aftermath(self) -> str:
        """Say what the disk is once it is undone."""
        return self.words.aftermath

    def weight(self) -> int:
        """Give the bytes that it moves."""
        return self.words.weight

    @property
    def has_undo(self) -> bool:
        """Whether the plugin's step takes anything back."""
        return self.words.has_undo

    @property
    def has_finish(self) -> bool:
        """Whether the plugin's step releases anything in the end."""
        return self.words.has_finish

    def apply(self, system: System) -> None:
        """Import the plugin and let its step work; only in a process of its own."""
        step_from_data(dict(self.data)).apply(system)

    def undo(self, system: System) -> None:
        """Let it take back what it did."""
        step_from_data(dict(self.data)).undo(system)

    def finish(self, system: System) -> None:
        """Let it release what it holds."""
        step_from_data(dict(self.data)).finish(system)

    def __repr__(self) -> str:
        """Show its kind and its words: its data may hold secrets."""
        return f"OutsideStep({self.data.get('step')!r}, {self.words.summary!r})"


@dataclass(frozen=True, repr=False)
class OutsidePrepareStep(OutsideStep, PrepareStep):
    """A stand-in for a step before disks are chosen. One that is done is left out in the host already."""

    if not TYPE_CHECKING:

        @property
        def reboots(self) -> bool:
            """Whether the machine is restarted after it."""
            return self.words.reboots

    def done(self, inventory: Inventory) -> bool:
        """Tell that it is still to be done: the host was asked with this inventory."""
        del inventory
        return False


def describe_step(planned: PlannedStep) -> dict[str, Any]:
    """Give a planned step as plain data; ValueError where it could not be made again elsewhere."""
    step = planned.step
    kind = type(step)
    if not isinstance(step, Step):
        raise ValueError(f"its step is a {kind.__name__}, which is no Step")  # noqa: TRY004
    data = step.to_data()
    try:
        again = step_from_data(data)
    except Exception as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"its step {kind.__name__} can't be made again from its fields: {why}") from None
    if type(again) is not kind or again != step:
        raise ValueError(f"its step {kind.__name__} is another one when it is made again from its fields")
    return {
        "phase": planned.phase,
        "data": data,
        "timeout_s": kind.timeout_s,
        "summary": step.summary(),
        "aftermath": step.aftermath(),
        "weight": step.weight(),
        "secret": sorted(kind.secret_fields),
        "has_undo": step.has_undo,
        "has_finish": step.has_finish,
        "reboots": restarts(step),
    }


def planned_step(described: Mapping[str, Any], plugin: str) -> PlannedStep:
    """Make the stand-in of what `describe_step` gave; ValueError, in words, where that is none."""
    try:
        data, timeout_s = dict(described["data"]), float(described["timeout_s"])
        summary, phase = described["summary"], described["phase"]
        kind = str(data["step"])
        if phase not in (*PHASES, PREPARE):
            raise ValueError(
                f"gave a step in the phase '{shown(str(phase), 60)}', which there is not; "
                f"the phases are: {', '.join(PHASES)}"
            )
        if not (isinstance(summary, str) and summary.strip()):
            raise ValueError(f"its step {shown(kind, 100)} doesn't say what it does")
        if not 0 < timeout_s <= _MOST_TIMEOUT_S:
            raise ValueError(f"its step {shown(kind, 100)} has a time limit of {timeout_s:g} s")
        secret = frozenset(map(str, described["secret"]))
        words = StepWords(
            _masked(str(summary), data, secret),
            _masked(str(described["aftermath"]), data, secret),
            max(0, int(described["weight"])),
            timeout_s,
            secret,
            bool(described["has_undo"]),
            bool(described["has_finish"]),
            bool(described["reboots"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"its step can't be described: {type(error).__name__}: {error}") from None
    kind_here = OutsidePrepareStep if phase == PREPARE else OutsideStep
    return PlannedStep(phase, kind_here(data, words), plugin)


def _masked(text: str, data: Mapping[str, Any], secret: frozenset[str]) -> str:
    for name in secret:
        value = data.get(name)
        if isinstance(value, str) and len(value) >= 6:
            text = text.replace(value, MASK)
    return shown(text)
