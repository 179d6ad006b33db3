"""Checks of a machine's health, as plugins report them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a check ended. What failed or is degraded makes a node unwell; what was skipped does not."""

    PASSED = "passed"
    FAILED = "failed"
    DEGRADED = "degraded"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class HealthCheck:
    """A check by its name (`burn-in memory`), how it ended, and in a few words why.

    What changes all the time, such as a temperature to the tenth, has no place in `words`: each change of
    them is news to the server.
    """

    name: str
    outcome: Outcome
    words: str = ""

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong, as far as it was looked at."""
        return self.outcome in (Outcome.PASSED, Outcome.SKIPPED)

    def __str__(self) -> str:
        """`degraded: one of two power supplies is off`."""
        return f"{self.outcome.value}: {self.words}" if self.words else self.outcome.value
