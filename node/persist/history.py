"""How CONFIG holds states: node.yaml, numbered files beside it, and the lines that head a version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from node.model.system import Files
from node.persist.document import END, HEADER

STATE_FILE = "node.yaml"
HISTORY = "history"
BROKEN = "broken"
KEPT_VERSIONS = 10
KEPT_BROKEN = 5
FOUND = "found as it was: changed by hand"

_PREPARED = "next.yaml"
_NAME = re.compile(r"([0-9]{6,})\.yaml")
_REASON_LENGTH = 200
# It holds password hashes.
MODE = 0o600


@dataclass(frozen=True)
class Version:
    """A version of the state. `at` is None where its head doesn't say it.

    `broken` says in words why it can't be used, "" where it can; `current` marks the one in force.
    """

    number: int
    at: datetime | None = None
    reason: str = ""
    broken: str = ""
    current: bool = False


@dataclass(frozen=True)
class NumberedFiles:
    """The files NNNNNN.yaml of a folder, which need not be there."""

    files: Files
    folder: Path

    def numbers(self) -> list[int]:
        """Give the numbers, oldest first."""
        names = (_NAME.fullmatch(name) for name in self.files.names(self.folder))
        return sorted(int(match[1]) for match in names if match)

    def path(self, number: int) -> Path:
        """Give the file of a number."""
        return self.folder / f"{number:06}.yaml"

    def next_number(self) -> int:
        """Give the number after the highest."""
        return max(self.numbers(), default=0) + 1

    def add(self, contents: bytes) -> int:
        """Write a file of the next number, which is given."""
        number = self.next_number()
        self.files.write(self.path(number), contents, mode=MODE)
        return number

    def prepare(self, contents: bytes) -> None:
        """Write what will be the next file, which takes its room but isn't one of the numbered ones yet."""
        self.files.write(self.folder / _PREPARED, contents, mode=MODE)

    def add_prepared(self) -> None:
        """Give the prepared file the next number."""
        self.files.move(self.folder / _PREPARED, self.path(self.next_number()))

    def drop_prepared(self) -> None:
        """Remove what was prepared, quiet where nothing was."""
        self.files.remove(self.folder / _PREPARED)

    def prune(self, kept: int) -> None:
        """Remove the oldest, so that `kept` stay."""
        for number in self.numbers()[:-kept]:
            self.files.remove(self.path(number))


def with_head(body: str, *, number: int, at: datetime, reason: str) -> str:
    """Give a state's text under comment lines (which version, since when, by what), with END at its end."""
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{HEADER} {number}\n# at: {moment}\n# by: {reason_line(reason)}\n{without_head(body)}\n{END}\n"


def reason_line(reason: str) -> str:
    """Give a reason as the head of a version has it: one line, not too long, printable."""
    words = " ".join(reason.split())[:_REASON_LENGTH] or "unknown"
    return "".join(letter if letter.isprintable() else "?" for letter in words)


def without_head(text: str) -> str:
    """Give a state's text without the comment lines above it and the mark of its end."""
    lines = text.rstrip().split("\n")
    while lines and lines[0].startswith("#"):
        del lines[0]
    if lines and lines[-1] == END:
        del lines[-1]
    return "\n".join(lines)


def head_number(text: str) -> int:
    """Give the number that a version's head says it has, 0 where it says none."""
    first = text.partition("\n")[0]
    number = first.removeprefix(HEADER).strip()
    return int(number) if first.startswith(HEADER) and number.isdecimal() else 0


def read_head(text: str) -> tuple[datetime | None, str]:
    """Give when and by what a version came about, as far as its head can be read."""
    if not text.startswith(HEADER):
        return None, ""
    fields = dict(line[2:].partition(": ")[::2] for line in text.split("\n", 3)[1:3])
    try:
        at = datetime.fromisoformat(fields.get("at", ""))
    except ValueError:
        at = None
    return at, fields.get("by", "")
