"""Measuring: pairs of runs in turn, so that a machine whose speed drifts still gives a fair ratio."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the report: what, our figure, the other's, their ratio and the aim, all as words."""

    what: str
    ours: str
    other: str
    ratio: str
    aim: str
    met: bool | None = None


@dataclass(frozen=True)
class Report:
    """One benchmark: a title, the command that repeats it, notes and rows."""

    title: str
    command: str
    notes: str
    rows: tuple[Row, ...]

    def to_markdown(self) -> str:
        """Give the report as a section of docs/benchmarks.md."""
        lines = [f"## {self.title}", "", self.notes, "", f"    {self.command}", ""]
        lines += ["| what | ours | against | ratio | aim | met |", "| --- | --- | --- | --- | --- | --- |"]
        for row in self.rows:
            met = {True: "yes", False: "**no**", None: ""}[row.met]
            lines.append(f"| {row.what} | {row.ours} | {row.other} | {row.ratio} | {row.aim} | {met} |")
        return "\n".join(lines) + "\n"


def seconds(work: Callable[[], object]) -> float:
    """Give the wall time of one run."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def pairs(
    ours: Callable[[], object],
    other: Callable[[], object],
    *,
    runs: int = 5,
    between: Callable[[], object] = lambda: None,
) -> tuple[float, float, float]:
    """Run both in turn after one warm-up; give the medians of ours, the other's and the pairwise ratio."""
    figures = []
    for run in range(runs + 1):
        between()
        a = seconds(ours)
        between()
        b = seconds(other)
        if run:
            figures.append((a, b))
    return (
        statistics.median(a for a, _ in figures),
        statistics.median(b for _, b in figures),
        statistics.median(a / b for a, b in figures),
    )


def quietly(argv: Sequence[str]) -> None:
    """Run a command whose output does not matter; CalledProcessError with its words when it fails."""
    subprocess.run(argv, check=True, capture_output=True, text=True)
