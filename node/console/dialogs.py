"""Dialogs of the console: logging in, and a change on trial that counts down."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import urwid

from node.console.views import TrialView
from node.console.words import plain
from node.locale import _, plural
from node.tui.form import Form
from node.tui.rows import ButtonsRow, PressRow, TextRow, Words


class LoginDialog(urwid.WidgetWrap):
    """Asks for a name and a password. It stays while these are checked, and says what was wrong."""

    def __init__(self, admin: str, *, enter: Callable[[str, str], None], close: Callable[[], None]) -> None:
        self._close = close
        self._enter = enter
        self._busy = False
        self._user = TextRow("user", _("Name"), value=admin)
        self._password = TextRow("password", _("Password"), mask="*")
        self._said = Words("")
        self._form = Form(
            [self._user, self._password, self._said],
            ButtonsRow([(_("Log in"), self._press), (_("Cancel"), close)]),
            about_rows=1,
            on_enter=self._press,
        )
        self._form.go_to("password" if admin else "user")
        box = urwid.LineBox(urwid.Padding(self._form, left=1, right=1), title=_("Log in as an admin"))
        super().__init__(box)

    def say(self, markup: Any) -> None:
        """Say what came of it, and let try again."""
        self._busy = False
        self._said.text.set_text(markup)
        self._password.show("")
        self._form.go_to("password")

    def keypress(self, size: tuple[int, ...], key: str) -> None:
        """Type; Escape gives up."""
        if key == "esc":
            self._close()
        elif not self._busy:
            self._w.keypress(size, key)

    def _press(self) -> None:
        self._busy = True
        self._said.text.set_text(_("Checking ..."))
        self._enter(self._user.value.strip(), self._password.value)


class TrialDialog(urwid.WidgetWrap):
    """A change on trial: it is kept by a key, or taken back by another one or by itself."""

    def __init__(
        self,
        trial: TrialView,
        *,
        keep: Callable[[], None],
        back: Callable[[], None],
        close: Callable[[], None],
    ) -> None:
        self._close = close
        self._until = time.monotonic() + trial.remaining_s
        self._words = urwid.Text("")
        answers = [
            PressRow(f"[ {_('Keep it')} ]", _pressing(keep), group="keep"),
            PressRow(f"[ {_('Take it back')} ]", _pressing(back), group="back"),
        ]
        reason = urwid.Text(("dim", plain(trial.reason)))
        self._rows = urwid.SimpleFocusListWalker([self._words, urwid.Divider(), reason, *answers])
        self._rows.set_focus(3)
        self.tick()
        box = urwid.Padding(urwid.ListBox(self._rows), left=1, right=1)
        super().__init__(urwid.LineBox(box, title=_("Is the node still reachable?")))

    @property
    def remaining_s(self) -> int:
        """Seconds left."""
        return max(0, round(self._until - time.monotonic()))

    def tick(self) -> None:
        """Show how long there is left."""
        left = self.remaining_s
        words = plural(
            "The change is in force. In {n} second it is taken back by itself, unless it is kept.",
            "The change is in force. In {n} seconds it is taken back by itself, unless it is kept.",
            left,
        )
        self._words.set_text(words if left else _("The time is over; the change is being taken back."))

    def keypress(self, size: tuple[int, ...], key: str) -> None:
        """Choose; Escape only hides it, the change stays on trial."""
        if key == "esc":
            self._close()
        else:
            self._w.keypress(size, {"tab": "down", "shift tab": "up"}.get(key, key))


def _pressing(call: Callable[[], None]) -> Callable[[str], bool]:
    def press(_key: str) -> bool:
        call()
        return True

    return press
