"""Registration: what a backend gets, what it does when the agent calls it, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from node.model.inventory import Inventory
from node.model.state import State
from node.model.system import Commands, Files

# So that a node knows it for what it is: one use, bound, an hour at most.
KERNEL_TOKEN = "nck_"  # noqa: S105 - how one begins


class Standing(StrEnum):
    """Where a node stands with one server. `done` is for a backend that has nothing more to do."""

    WAITING = "waiting"
    PENDING = "pending"
    ACTIVE = "active"
    REFUSED = "refused"
    DONE = "done"


WELL = frozenset({Standing.ACTIVE, Standing.DONE})


class Result(StrEnum):
    """What became of a desired configuration."""

    APPLIED = "applied"
    ROLLED_BACK = "rolled-back"
    REFUSED = "refused"


@dataclass(frozen=True)
class Happening:
    """Something that a server may want to hear of, numbered from 1 in the order of coming. `at` is UTC."""

    number: int
    at: str
    kind: str
    words: str


@dataclass(frozen=True)
class Desired:
    """A configuration that a server wants; its backend has checked where it comes from.

    `document` is YAML of sections, laid over those of the node. With `resumed` it was begun before and
    nobody knows how that ended.
    """

    generation: int
    document: str
    source: str
    resumed: bool = False


@dataclass(frozen=True)
class Outcome:
    """How applying one ended, in words without secrets."""

    result: Result
    words: str = ""


@dataclass(frozen=True)
class Report:
    """What a visit came to. `words` say it in a sentence's part, `mend` what an operator must do.

    `next_s` is when to come again: None leaves that to the agent, which waits longer with each failure.
    `terms` are more lines for the status, such as fingerprints. `used` names dotted keys of secrets that are
    of no more use and shall leave the state. `heard` is the number of the last happening that arrived, None
    where the backend sends none.
    """

    standing: Standing
    words: str
    mend: str = ""
    next_s: float | None = None
    terms: tuple[tuple[str, str], ...] = ()
    used: tuple[str, ...] = ()
    heard: int | None = None
    desired: Desired | None = None


@dataclass(frozen=True)
class Around:
    """The node as a backend has it. `folder` is the backend's own, on CONFIG, and need not be there yet.

    `inventory` is quick to read and wakes no disk; `facts` makes the whole dictionary of facts and takes its
    time. `happenings` are all that are kept, oldest first. `condition` is the node now, in a few values.
    `boot_id` is the kernel's. `new_key` says that an operator gives up who the node was to this server.
    """

    state: State
    inventory: Inventory
    folder: Path
    commands: Commands
    files: Files
    facts: Callable[[], Mapping[str, Any]]
    happenings: Sequence[Happening] = ()
    condition: Mapping[str, Any] = field(default_factory=dict)
    boot_id: str = ""
    uptime_s: float = 0.0
    new_key: bool = False


class Backend(Protocol):
    """One way to register, made by a plugin's `node_register`; a frozen value of settings.

    Only the agent calls it, one visit at a time, within a time limit. A NodeError of it is told in its words:
    TryAgainError as a server that is away, others as a refusal.
    """

    @property
    def name(self) -> str:
        """Its name, which names its folder and its file in /etc/nodecrust/registration.d."""
        ...

    def visit(self, around: Around) -> Report:
        """Do what is to be done now and come back; never wait for a server's decision."""

    def reaches(self, around: Around) -> bool:
        """Tell whether its server can be reached as the node is now: asked after a change."""

    def settle(self, around: Around, desired: Desired, outcome: Outcome | None) -> None:
        """Hear what became of a desired configuration; None where it could not be tried yet."""
