"""Problems as an operator reads them: numbered, at most 80 columns, each with its place and its mend."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from node.model.problem import Problem, Severity

COLUMNS = 80


def problem_lines(problems: Sequence[Problem]) -> list[str]:
    """Give the lines of a numbered list: errors first, then warnings, in the order given."""
    ordered = sorted(problems, key=lambda problem: problem.severity is Severity.WARNING)
    lines: list[str] = []
    for number, problem in enumerate(ordered, 1):
        warning = "warning: " if problem.severity is Severity.WARNING else ""
        lines += wrapped(f"  {number}. ", f"{warning}{problem.where}: {problem.what}")
        if problem.origin and problem.origin.precedence and str(problem.origin) not in problem.where:
            lines += wrapped("     from ", str(problem.origin))
        if problem.mend:
            lines += wrapped("     -> ", problem.mend)
    return lines


def problem_to_data(problem: Problem) -> dict[str, Any]:
    """Give a problem as plain data."""
    return {
        "code": problem.code,
        "where": problem.where,
        "what": problem.what,
        "mend": problem.mend,
        "origin": str(problem.origin) if problem.origin else "",
        "owner": problem.owner,
        "severity": problem.severity.value,
        "blame": problem.blame.value,
    }


def wrapped(lead: str, text: str) -> list[str]:
    """Give a text as lines of at most 80 columns, indented behind their lead."""
    return textwrap.wrap(
        " ".join(text.split()),
        COLUMNS,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_on_hyphens=False,
    )
