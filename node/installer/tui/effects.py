"""What the screens do to the machine and the network, as functions, so that a demonstration does nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from subprocess import Popen
from typing import Protocol

from node.installer.flow import Look
from node.model.event import Event
from node.model.install import Afterwards
from node.model.plan import Plan


@dataclass(frozen=True)
class Ended:
    """How a run ended: `code` is the exit code, 0 for done; the others are words."""

    code: int
    brief: str = ""
    step: str = ""
    owner: str = ""
    disk_state: str = ""
    details: str = ""
    mend: str = ""


class Runner(Protocol):
    """A run in a process of its own. `fd` can be read whenever `poll` has something to give."""

    @property
    def fd(self) -> int:
        """The descriptor to watch."""
        ...

    def poll(self) -> Sequence[Event | Ended]:
        """Give what came since, without waiting; `Ended` is the last."""

    def stop(self) -> None:
        """Ask it to stop: what was begun is undone."""

    def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True)
class Tested:
    """One thing that was tried on the network, in words, and whether it went well."""

    what: str
    good: bool
    words: str = ""


@dataclass(frozen=True)
class Outcome:
    """What the last page says of the installed node; what isn't known is empty."""

    addresses: tuple[str, ...] = ()
    fingerprint: str = ""
    url: str = ""


@dataclass(frozen=True)
class Effects:
    """All run in a thread but `start`, `shell` and `leave`; NodeError where one fails. `demo`: it isn't real.

    `shell` starts one on the terminal with this descriptor; None where there is none to be had.
    `save` gets the text and one of `targets` (value, words) and says where it wrote it.
    """

    start: Callable[[Plan], Runner]
    hash_password: Callable[[str], str]
    fetch_keys: Callable[[str], Sequence[str]]
    test_network: Callable[[Look], Sequence[Tested]]
    targets: Callable[[], Sequence[tuple[str, str]]]
    save: Callable[[str, str], str]
    shell: Callable[[int], Popen[bytes]] | None
    leave: Callable[[Afterwards], None]
    outcome: Callable[[Look], Outcome]
    log_lines: Callable[[], Sequence[str]]
    set_keyboard: Callable[[str], None]
    demo: bool = False
