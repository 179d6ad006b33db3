"""What stands in the place of a page or dialog that failed: words, a reference, and the way on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import urwid

from node.locale import _
from node.model.page import Page


class Crashed:
    """A page that failed."""

    def __init__(self, page: Page, widget: Any) -> None:
        self.page = page
        self.widget = widget

    def refresh(self) -> None:
        """It stays as it is."""

    def relaid(self) -> None:
        """It has no rows."""

    def leave(self) -> None:
        """It has no values."""


class Calm(urwid.WidgetWrap):
    """Says a reference; `go_on` is what Enter does."""

    def __init__(self, reference: str, go_on: Callable[[], None]) -> None:
        self._go_on = go_on
        lines = [
            ("problem", _("This page failed; the fault is ours or a plugin's, not yours.")),
            "",
            _("Reference: {reference}. The log (F8) has more; please report it.").replace(
                "{reference}", reference
            ),
            _("Your answers are kept. Enter goes to the summary; what this page asks can come from a file."),
        ]
        rows = [urwid.Text(line) for line in lines]
        super().__init__(urwid.ListBox(urwid.SimpleListWalker(rows)))

    def selectable(self) -> bool:
        """Enter must come here."""
        return True

    def keypress(self, size: tuple[int, ...], key: str) -> str | None:
        """Enter goes on."""
        del size
        if key == "enter":
            self._go_on()
            return None
        return key
