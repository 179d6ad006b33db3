"""Says what a build is doing: a live line on a terminal, a plain line a stage elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console


@dataclass
class Progress:
    """Prints stages as they begin and end, and remembers how long each took."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    def begin(self, name: str) -> None:
        """A stage begins: shown only where a line can be overwritten."""
        if self.console.is_terminal:
            self.console.print(f"  [dim]{name} ...[/dim]", end="\r", highlight=False)

    def end(self, name: str, seconds: float, *, cached: bool) -> None:
        """A stage ended well."""
        self.seconds[name] = round(seconds, 1)
        state = "cached" if cached else f"{seconds:.1f} s"
        self.console.print(f"  {name:<28} {state:>9}", highlight=False, markup=False)

    def note(self, text: str) -> None:
        """Something that the user should know and that stops nothing."""
        self.console.print(f"  note: {text}", highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def stage(self, name: str) -> Iterator[set[str]]:
        """A stage as a block; put "cached" into the set that it gives where nothing was to do."""
        start = time.monotonic()
        self.begin(name)
        state: set[str] = set()
        yield state
        self.end(name, time.monotonic() - start, cached="cached" in state)
