"""What a person sees while the demo works: a line a stage with its time, and the last line that was said."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

#: Without a terminal the last line is repeated this often, so that a log doesn't look dead.
SIGN_OF_LIFE_S = 20.0


class Stage:
    """A piece of the demo that takes time. ``result`` says at its end what came of it."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.result = ""
        self.line = ""
        self._begun = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds since its beginning."""
        return time.monotonic() - self._begun

    @property
    def head(self) -> str:
        """The title, with what came of it."""
        return f"{self.title}: {self.result}" if self.result else self.title


class PlainProgress:
    """Lines that only ever grow: for logs and for CI."""

    def __init__(self, output: TextIO = sys.stdout) -> None:
        self._output = output
        self._stage: Stage | None = None

    def say(self, text: str = "") -> None:
        """Show a text that stays."""
        print(text, file=self._output, flush=True)

    def note(self, line: str) -> None:
        """Tell what goes on right now; the next note replaces it. Any thread may call it."""
        # What a boot menu leaves behind when it clears its screen says nothing.
        if self._stage and any(map(str.isalnum, line)):
            self._stage.line = line

    @contextmanager
    def stage(self, title: str) -> Iterator[Stage]:
        """Show a stage from its beginning to its end, or to its failure."""
        self._stage = stage = Stage(title)
        self.begin(stage)
        failed = True
        try:
            yield stage
            failed = False
        finally:
            self.end(stage, failed=failed)

    def begin(self, stage: Stage) -> None:
        """Show that a stage begins."""
        self.say(f"...     {stage.title}")
        self._over = threading.Event()
        threading.Thread(target=self._show_life, args=(stage, self._over), daemon=True).start()

    def end(self, stage: Stage, *, failed: bool) -> None:
        """Show that a stage is over."""
        self._over.set()
        self.say(f"{'FAILED' if failed else 'done':7} {stage.head} ({stage.elapsed_s:.1f} s)")

    def _show_life(self, stage: Stage, over: threading.Event) -> None:
        while not over.wait(SIGN_OF_LIFE_S):
            self.say(f"{stage.elapsed_s:5.0f} s   {stage.line[:100]}".rstrip())


class LiveProgress(PlainProgress):
    """For a terminal: a spinner with the last line below it; what is over scrolls up."""

    def __init__(self, output: TextIO = sys.stdout) -> None:
        super().__init__(output)
        self._console = Console(file=output, highlight=False)

    def say(self, text: str = "") -> None:
        """Show a text that stays."""
        self._console.print(Text(text))

    def begin(self, stage: Stage) -> None:
        """Show that a stage begins."""
        spinner = Spinner("dots", style="cyan")

        def render() -> Group:
            spinner.update(text=Text.assemble(f"{stage.title} ", (f"{stage.elapsed_s:.0f} s", "dim")))
            width = max(20, self._console.width - 4)
            return Group(spinner, Text(f"  {stage.line[:width]}", style="dim", no_wrap=True))

        self._live = Live(console=self._console, get_renderable=render, transient=True, refresh_per_second=8)
        self._live.start()

    def end(self, stage: Stage, *, failed: bool) -> None:
        """Show that a stage is over."""
        self._live.stop()
        mark, style = ("✗", "bold red") if failed else ("✓", "green")
        self._console.print(
            Text.assemble((mark, style), f" {stage.head} ", (f"{stage.elapsed_s:.1f} s", "dim"))
        )


def choose_progress(output: TextIO = sys.stdout) -> PlainProgress:
    """A live display on a terminal, plain lines everywhere else."""
    return LiveProgress(output) if output.isatty() else PlainProgress(output)
