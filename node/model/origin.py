"""Where a value came from, so that a problem can say where to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Precedence(IntEnum):
    """The layers of the answers; a higher one overrules a lower one."""

    DEFAULT = 0
    IMAGE = 1
    FILE = 2
    KERNEL = 3
    SCREEN = 4


@dataclass(frozen=True, order=True)
class Origin:
    """A layer and the place within it: a file with its line, a kernel argument, a field of a screen."""

    precedence: Precedence
    place: str = ""

    def __str__(self) -> str:
        """Words such as `answers.yaml, line 7` or `kernel argument node.storage.keep`."""
        return self.place or {Precedence.DEFAULT: "default", Precedence.IMAGE: "the image"}.get(
            self.precedence, self.precedence.name.lower()
        )


DEFAULT = Origin(Precedence.DEFAULT)
