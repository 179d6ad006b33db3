"""The page of restarting and switching off: first what would be lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from node.console.views import POWER_OFF, REBOOT, Overview
from node.console.words import plain
from node.locale import _, plural
from node.tui.form import Form
from node.tui.rows import ButtonsRow, Words

_SHOWN = 200


class PowerPage:
    """What a restart would lose, and the buttons."""

    takes_keys = True

    def __init__(self, leave: Callable[[str], None]) -> None:
        self.key = "power"
        self.title = _("Restart, power")
        self.help = _(
            "The root of a node is an image; what was changed by hand and is not kept goes with a restart. "
            "nodectl persist add PATH keeps a file."
        )
        self.lost: tuple[str, ...] | None = None
        buttons = ButtonsRow(
            [(_("Restart"), lambda: leave(REBOOT)), (_("Switch off"), lambda: leave(POWER_OFF))]
        )
        self._form = Form([Words(_("Reading ..."))], buttons, about_rows=1)
        self.widget = self._form

    def show(self, lost: Sequence[str]) -> None:
        """Show what would be lost."""
        self.lost = tuple(lost)
        self._form.replace([Words(line) for line in self.lines()])

    def say(self, lines: Sequence[Any]) -> None:
        """Show other lines in its place."""
        self._form.replace([Words(line) for line in lines])

    def lines(self) -> list[Any]:
        """Give what would be lost, in words."""
        if self.lost is None:
            return [_("What a restart would lose is not known yet.")]
        if not self.lost:
            return [("good", _("Nothing would be lost by a restart."))]
        head = plural("A restart would lose {n} change:", "A restart would lose {n} changes:", len(self.lost))
        more = len(self.lost) - _SHOWN
        rest = [plural("and {n} more", "and {n} more", more)] if more > 0 else []
        return [("warning", head), *(f"  {plain(line)}" for line in self.lost[:_SHOWN]), *rest]

    def update(self, overview: Overview) -> None:
        """It is read when it is shown."""
