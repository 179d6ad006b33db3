"""Steps: the small frozen values that a plan is made of, as data."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, cast

from pydantic import TypeAdapter

from node.model.inventory import Inventory
from node.model.mask import MASK
from node.model.system import System


@dataclass(frozen=True)
class Step:
    """One piece of work. Subclasses are frozen dataclasses of serializable fields, named verb and noun.

    A step does what `summary` says when the engine calls `apply`, and takes it back in `undo`, which runs
    for every step that was begun, in reverse order, when the run fails, and must work after half an `apply`.
    `finish` runs for every step in reverse order when the run succeeds (unmounting, for instance).
    """

    timeout_s: ClassVar[float] = 120.0
    secret_fields: ClassVar[frozenset[str]] = frozenset()
    """Fields that hold a hash or a key: shown as `MASK` to everyone but the engine."""

    def summary(self) -> str:
        """Say in one line of plain words what this step does, naming the disk or file."""
        raise NotImplementedError

    def apply(self, system: System) -> None:
        """Do it, through `system` alone."""
        raise NotImplementedError

    def undo(self, system: System) -> None:
        """Take it back, as far as it got; nothing to do by default."""

    def finish(self, system: System) -> None:
        """Release what later steps needed; nothing to do by default."""

    @property
    def has_undo(self) -> bool:
        """Whether `undo` does anything."""
        return type(self).undo is not Step.undo

    @property
    def has_finish(self) -> bool:
        """Whether `finish` does anything."""
        return type(self).finish is not Step.finish

    def to_data(self) -> dict[str, Any]:
        """Give it as plain data, `{"step": "module:Class", ...fields}`, secrets and all."""
        kind: Any = type(self)
        fields = cast("dict[str, Any]", _adapter(kind).dump_python(self, mode="json"))
        return {"step": f"{kind.__module__}:{kind.__qualname__}", **fields}

    def aftermath(self) -> str:
        """Say what the disk is once `undo` has run; "" where that is nothing worth a word."""
        return ""

    def weight(self) -> int:
        """Give the bytes that this step moves, for the progress of the whole; 0 where that is small."""
        return 0


@dataclass(frozen=True)
class PrepareStep(Step):
    """A step that runs before disks are chosen: a RAID controller, firmware.

    `done` is asked after every look at the machine, also after a restart: it alone says whether the step is
    still to be done, since a blank machine keeps no journal. With `reboots` the machine is restarted once
    `apply` is through.
    """

    reboots: ClassVar[bool] = False

    def done(self, inventory: Inventory) -> bool:
        """Tell from the inventory alone whether nothing is left to do."""
        raise NotImplementedError


def restarts(step: Step) -> bool:
    """Tell whether the machine is restarted after a step."""
    return isinstance(step, PrepareStep) and step.reboots


# The phase of what `node_prepare` gives; it is no part of an installation.
PREPARE = "prepare"

# Steps run in the order of these phases, and within one in the order in which a plugin gave them.
PHASE_WORDS: Mapping[str, str] = {
    "check": "read only: identity and contents of the disks, once more",
    "release": "take down stale LVM, MD, swap and mounts on the target",
    "partition": "the first write: old boot code goes, the table comes",
    "format": "filesystems are made",
    "mount": "they are mounted below `system.root`",
    "payload": "the root image and the kernel",
    "configure": "the state on CONFIG, files, logs",
    "vendor": "what plugins add to the finished tree",
    "verify": "read back what was written",
    "boot": "the boot area, last",
    "record": "the installation is marked as done",
}
PHASES = tuple(PHASE_WORDS)


@dataclass(frozen=True)
class PlannedStep:
    """A step with its place in the plan: its phase and the plugin that gave it."""

    phase: str
    step: Step
    owner: str = ""


def step_to_data(step: Step, *, reveal: bool = False) -> dict[str, Any]:
    """Give a step as plain data: `{"step": "module:Class", ...fields}`, secrets masked unless `reveal`."""
    data = step.to_data()
    if reveal:
        return data
    return {key: MASK if key in step.secret_fields else value for key, value in data.items()}


def step_name(step: Step) -> str:
    """Give the name of a step's class, as errors and scripts know it."""
    return str(step.to_data()["step"]).rpartition(":")[2]


def step_from_data(data: dict[str, Any]) -> Step:
    """Make the step again that `step_to_data` gave; ValueError where that names no step."""
    module, _, name = str(data.get("step", "")).partition(":")
    kind: Any = importlib.import_module(module) if module and name else None
    for part in name.split("."):
        kind = getattr(kind, part, None)
    if not (isinstance(kind, type) and issubclass(kind, Step)):
        raise ValueError(f"'{data.get('step')}' names no step")  # noqa: TRY004 - it is data that is wrong
    fields = {key: value for key, value in data.items() if key != "step"}
    return cast("Step", _adapter(cast("Any", kind)).validate_python(fields))


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    # Making one costs 2 ms, and a plan writes each of its steps down several times.
    return TypeAdapter(kind)
