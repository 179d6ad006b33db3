"""Lines that are only read, above the fields of a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from node.console.views import Change, Overview
from node.console.words import Line, joined
from node.locale import _
from node.model.problem import Problem
from node.tui.rows import Row, Words


class StandingPart:
    """Terms and values of the node as it is now, which `lines` makes of the overview. Only to be read."""

    def __init__(self, lines: Callable[[Overview], Sequence[Line]]) -> None:
        self._lines = lines
        self._words = Words(_("Reading ..."))

    def look(self, overview: Overview) -> None:
        """Show how it is now."""
        shown = [[("dim", f"{term}  " if term else ""), value] for term, value in self._lines(overview)]
        self._words.text.set_text(joined(shown) or _("This node is told of no server to register with."))

    def rows(self) -> Sequence[Row]:
        """Give the lines and one that is empty."""
        return (self._words, Words(""))

    def show(self, values: Mapping[str, Any]) -> None:
        """What is stored changes nothing here."""

    def changes(self) -> Sequence[Change]:
        """None."""
        return ()

    def secrets(self) -> Mapping[str, str]:
        """None."""
        return {}

    def faults(self) -> Sequence[Problem]:
        """None."""
        return ()

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """None is about it."""
