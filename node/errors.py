"""What can go wrong, in the few kinds that a caller tells apart by exit code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from node.model.problem import Problem


class NodeError(Exception):
    """An error with words for a user: what happened, details, and how to mend it.

    `exit_code` is what the process ends with when nobody handles it (README).
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, brief: str, *, details: str = "", mend: str = "") -> None:
        super().__init__(brief)
        self.brief = brief
        self.details = details
        self.mend = mend


class InputError(NodeError):
    """Wrong usage or answers: every problem is listed and nothing was written."""

    exit_code = 2

    def __init__(
        self, brief: str, *, problems: Sequence[Problem] = (), details: str = "", mend: str = ""
    ) -> None:
        super().__init__(brief, details=details, mend=mend)
        self.problems = tuple(problems)


class UnfitMachineError(InputError):
    """The machine can't do what was asked: no disk, too small, two that match."""

    exit_code = 69


class TryAgainError(NodeError):
    """A network or a server is not there now and may be later."""

    exit_code = 75


class StepFailedError(NodeError):
    """A step of a plan failed: `step` names it, `owner` its plugin, `disk_state` what the disk is now."""

    exit_code = 1

    def __init__(
        self, brief: str, *, step: str, owner: str, disk_state: str, details: str = "", mend: str = ""
    ) -> None:
        super().__init__(brief, details=details, mend=mend)
        self.step = step
        self.owner = owner
        self.disk_state = disk_state


class CommandFailedError(NodeError):
    """A command of the system ended with a failure, or could not be started, or took too long.

    `details` holds its last words; secrets are masked.
    """

    exit_code = 1

    def __init__(self, brief: str, *, argv: Sequence[str], status: int | None, details: str = "") -> None:
        super().__init__(brief, details=details)
        self.argv = tuple(argv)
        self.status = status
