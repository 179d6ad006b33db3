"""Pages that are only read: terms and values, scrolled by the arrows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import urwid

from node.console.views import Overview
from node.console.words import Line, plain
from node.locale import _

TERM_COLUMNS = 15


class LinesPage:
    """A page of terms and values; `lines` makes them of the overview."""

    takes_keys = False

    def __init__(
        self,
        key: str,
        title: str,
        lines: Callable[[Overview], Sequence[Line]],
        *,
        events: bool = False,
        help_text: str = "",
    ) -> None:
        self.key = key
        self.title = title
        self.help = help_text
        self._lines = lines
        self._events = events
        self._walker = urwid.SimpleFocusListWalker([urwid.Text(_("Reading ..."))])
        self.widget = urwid.ListBox(self._walker)

    def update(self, overview: Overview) -> None:
        """Show how it is now."""
        rows = [_line(term, value) for term, value in self._lines(overview)]
        if self._events and overview.events:
            rows += [urwid.Divider(), urwid.Text(("title", _("Last events")))]
            rows += [urwid.Text(plain(event), wrap="ellipsis") for event in reversed(overview.events)]
        place = self._walker.focus if len(self._walker) else 0
        self._walker[:] = rows or [urwid.Text(_("There is nothing to show."))]
        self._walker.set_focus(min(place, len(self._walker) - 1))

    def has_lines(self, overview: Overview) -> bool:
        """Whether there would be anything on it."""
        return bool(self._lines(overview))

    def say(self, lines: Sequence[Any]) -> None:
        """Show other lines in its place."""
        self._walker[:] = [urwid.Text(line) for line in lines]


class LogPage:
    """The journal of this start, the newest last."""

    takes_keys = False

    def __init__(self) -> None:
        self.key = "log"
        self.title = _("Log")
        self.help = _("The journal since the start, the newest last. Page Up and Page Down scroll.")
        self._walker = urwid.SimpleFocusListWalker([urwid.Text(_("Reading ..."))])
        self.widget = urwid.ListBox(self._walker)

    def show(self, lines: Sequence[str]) -> None:
        """Show these lines; who looks at the end stays there."""
        at_end = self._walker.focus >= len(self._walker) - 1
        place = self._walker.focus
        self._walker[:] = [urwid.Text(plain(line), wrap="any") for line in lines or (_("Nothing yet."),)]
        self._walker.set_focus(len(self._walker) - 1 if at_end else min(place, len(self._walker) - 1))

    def say(self, lines: Sequence[Any]) -> None:
        """Show other lines in its place."""
        self._walker[:] = [urwid.Text(line) for line in lines]

    def update(self, overview: Overview) -> None:
        """It is read by itself."""


def _line(term: str, value: Any) -> Any:
    return urwid.Columns(
        [
            (TERM_COLUMNS, urwid.Text(("dim", term), wrap="ellipsis")),
            ("weight", 1, urwid.Text(value)),
        ],
        dividechars=1,
    )
