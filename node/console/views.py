"""What the console shows and asks, as values that travel between its two processes as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from node.hookspecs import StatusLine
from node.model.problem import Problem
from node.model.status import NodeStatus

REBOOT, POWER_OFF = "reboot", "poweroff"


@dataclass(frozen=True)
class TrialView:
    """A change that waits for its confirmation; `failed` where it could not be taken back whole."""

    reason: str
    remaining_s: int
    failed: bool = False


@dataclass(frozen=True)
class Overview:
    """The node now. `clock` is its time in words; `last_end` says how the last trial ended.

    `events` are the newest last, a line each.
    """

    status: NodeStatus
    panels: tuple[StatusLine, ...] = ()
    faults: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    clock: str = ""
    trial: TrialView | None = None
    last_end: str = ""

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


@dataclass(frozen=True)
class Standing:
    """Who stands at this console. `user` is who logged in, "" for nobody; `admin` is whom to ask for.

    Without `reading` nothing of the node is told to somebody who did not log in.
    """

    user: str = ""
    admin: str = "admin"
    reading: bool = True

    @property
    def may_read(self) -> bool:
        """Whether the node may be shown."""
        return self.reading or bool(self.user)


@dataclass(frozen=True)
class Change:
    """One dotted key of the configuration and its new value; None takes it back to its default."""

    key: str
    value: Any


@dataclass(frozen=True)
class Proposed:
    """What changes would do. `difference` is a unified one, secrets masked; `number` is for carrying it out.

    `by` are the commands that bring it into force; an empty one changes nothing.
    """

    number: int
    difference: str = ""
    at_restart: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    needs_trial: bool = False
    is_empty: bool = False
    warnings: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
