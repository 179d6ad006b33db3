"""Something a user can mend before we act."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from node.model.origin import Origin


class Severity(StrEnum):
    """An error stops before anything is written; a warning is shown and goes on."""

    ERROR = "error"
    WARNING = "warning"


class Blame(StrEnum):
    """What must change: it decides between exit codes 2, 69 and 75."""

    ANSWERS = "answers"
    MACHINE = "machine"
    LATER = "later"


@dataclass(frozen=True)
class Problem:
    """One problem: `where` is a dotted key of the answers or a disk, `mend` an imperative sentence.

    `code` is a stable slug (`disk-too-small`) for scripts and tests, `owner` the plugin that found it.
    """

    code: str
    where: str
    what: str
    mend: str
    origin: Origin | None = None
    owner: str = ""
    severity: Severity = Severity.ERROR
    blame: Blame = Blame.ANSWERS

    def __str__(self) -> str:
        """One line: where, what, the origin and how to mend it."""
        origin = f" (from {self.origin})" if self.origin else ""
        line = f"{self.where}: {self.what}{origin}"
        return f"{line}{'' if line.endswith(('.', '?')) else '.'} {self.mend}"


def errors(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Only those that stop the work."""
    return tuple(p for p in problems if p.severity is Severity.ERROR)
