"""The rows that pages are made of: fields with their problems beside them, choices, toggles, buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import urwid

from node.locale import _

LABEL_COLUMNS = 20
FIELD_COLUMNS = 56


class Row(urwid.WidgetWrap):
    """A row of a page. Tab goes from group to group, the arrows from row to row.

    `about` is what the page says of the row that is under the cursor.
    """

    group = ""
    about: str | list[Any] = ""

    def entered(self) -> None:
        """The cursor comes to this row."""

    def left(self) -> None:
        """The cursor leaves this row: now its value counts."""


class Words(Row):
    """Text that is only read; `lines` are texts or urwid's markup."""

    def __init__(self, text: Any, attribute: str | None = None, *, indent: int = 0) -> None:
        self.text = urwid.Text(text)
        super().__init__(urwid.Padding(urwid.AttrMap(self.text, attribute), left=indent))

    def selectable(self) -> bool:
        """Nothing to do here."""
        return False


class Input(urwid.Edit):
    """A line to type in. `hint` stands in it as long as it is empty."""

    def __init__(self, *, hint: str = "", mask: str | None = None, multiline: bool = False) -> None:
        self.hint = hint
        super().__init__(mask=mask, multiline=multiline, wrap="any" if multiline else "clip")

    def get_text(self) -> tuple[Any, Any]:
        """Give the text, or the hint in its place."""
        text, attributes = super().get_text()
        if self.edit_text or not self.hint:
            return text, attributes
        return f"({self.hint})", [(None, len(self.hint) + 2)]

    def show_hint(self, hint: str) -> None:
        """Show another hint."""
        if hint != self.hint:
            self.hint = hint
            text, place = self.edit_text, self.edit_pos
            # urwid keeps the layout of a text until the text is another.
            self.set_edit_text(f"{text} ")
            self.set_edit_text(text)
            self.set_edit_pos(place)

    def keypress(self, size: tuple[int, ...], key: str) -> str | None:
        """Edit; what moves between fields goes on."""
        if key == "ctrl u":
            self.set_edit_text("")
            return None
        if key in ("tab", "shift tab", "esc") or (key == "enter" and not self.multiline):
            return key
        left: str | None = super().keypress(size, key)
        return left


class FieldRow(Row):
    """A label, something to give a value with, and below it what is wrong with the value."""

    def __init__(self, key: str, label: str, inner: Any, *, about: str = "") -> None:
        self.key = key
        self.group = key
        self.about = about
        self.fixed = ""
        self._inner = inner
        self._label = urwid.Text(label, wrap="clip")
        self._problems = urwid.Pile([])
        super().__init__(urwid.Pile([self._line(urwid.AttrMap(inner, "field", "focus"))]))

    def fix(self, words: str, shown: str) -> None:
        """Show a value that nobody can change here, and who says so."""
        self.fixed = words
        text = urwid.AttrMap(urwid.Text([("fixed", shown or "-"), ("dim", f"  ({words})")]), None)
        self._w.contents[0] = (self._line(text), self._w.options("pack"))

    def selectable(self) -> bool:
        """A fixed one can't be reached."""
        return not self.fixed

    def show_problems(self, problems: Sequence[tuple[str, str]]) -> None:
        """Show problems (attribute, words) below the field; none takes them away."""
        first = self._w.contents[0]
        rows = [
            (urwid.Padding(urwid.Text((attribute, words)), left=LABEL_COLUMNS + 1), self._w.options("pack"))
            for attribute, words in problems
        ]
        self._w.contents[:] = [first, *rows]
        self._w.focus_position = 0

    def _line(self, widget: Any) -> Any:
        return urwid.Columns(
            [
                (LABEL_COLUMNS, urwid.AttrMap(self._label, "label", "title")),
                ("weight", 1, _AtMost(widget, FIELD_COLUMNS)),
            ],
            dividechars=1,
            focus_column=1,
        )


class _AtMost(urwid.Padding):
    """A widget no wider than so many columns, and as narrow as it must be."""

    def __init__(self, widget: Any, columns: int) -> None:
        self._columns = columns
        super().__init__(widget)

    def padding_values(self, size: tuple[int, ...], focus: bool) -> tuple[int, int]:
        """Give what is left free on both sides."""
        del focus
        return (0, max(0, size[0] - self._columns))


class TextRow(FieldRow):
    """A line of text, or several where `multiline`. `on_change` is called when the cursor leaves it."""

    def __init__(
        self,
        key: str,
        label: str,
        *,
        value: str = "",
        hint: str = "",
        about: str = "",
        mask: str | None = None,
        multiline: bool = False,
        on_change: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.input = Input(hint=hint, mask=mask, multiline=multiline)
        self.input.set_edit_text(value)
        self.input.set_edit_pos(len(value))
        self._known = value
        self._on_change = on_change
        super().__init__(key, label, self.input, about=about)

    @property
    def value(self) -> str:
        """What stands in it."""
        return str(self.input.edit_text)

    def show(self, value: str) -> None:
        """Put a text into it that is no news."""
        self._known = value
        self.input.set_edit_text(value)
        self.input.set_edit_pos(len(value))

    def entered(self) -> None:
        """Put the cursor behind the text, from wherever it comes."""
        self.input.set_edit_pos(len(self.value))

    def left(self) -> None:
        """Tell what was typed, once."""
        if self.value != self._known:
            self._known = self.value
            self._on_change(self.value)


class _Pressed(urwid.Text):
    """A text that takes keys: `on_press` for Space and Enter, `on_turn` for the arrows to its sides."""

    _selectable = True

    def __init__(self, on_press: Callable[[str], bool], on_turn: Callable[[int], None] | None = None) -> None:
        super().__init__("", wrap="clip")
        self._on_press = on_press
        self._on_turn = on_turn

    def keypress(self, size: tuple[int, ...], key: str) -> str | None:
        """Take a key, or hand it on."""
        del size
        if self._on_turn and key in ("left", "right"):
            self._on_turn(1 if key == "right" else -1)
            return None
        if key in (" ", "enter") and self._on_press(key):
            return None
        return key


class ToggleRow(FieldRow):
    """Yes or no; Space turns it."""

    def __init__(
        self, key: str, label: str, *, value: bool, on_change: Callable[[bool], None], about: str = ""
    ) -> None:
        self.value = value
        self._on_change = on_change
        self._text = _Pressed(self._press, lambda _: self._turn())
        super().__init__(key, label, self._text, about=about)
        self.show(value)

    def show(self, value: bool) -> None:
        """Show a value that is no news."""
        self.value = value
        self._text.set_text(f"[x] {_('yes')}" if value else f"[ ] {_('no')}")

    def _press(self, key: str) -> bool:
        if key != " ":
            return False
        self._turn()
        return True

    def _turn(self) -> None:
        self.show(not self.value)
        self._on_change(self.value)


class ChoiceRow(FieldRow):
    """One of some values: the arrows to the sides turn it, Space opens the list."""

    def __init__(
        self,
        key: str,
        label: str,
        options: Sequence[tuple[str, str]],
        *,
        value: str,
        on_change: Callable[[str], None],
        on_open: Callable[[ChoiceRow], None],
        about: str = "",
    ) -> None:
        self.options = tuple(options)
        self.label = label
        self.value = value
        self._on_change = on_change
        self._on_open = on_open
        self._text = _Pressed(self._press, self._turn)
        super().__init__(key, label, self._text, about=about)
        self.show(value)

    def show(self, value: str) -> None:
        """Show a value that is no news."""
        self.value = value
        words = dict(self.options).get(value, value)
        self._text.set_text(f"{words} ▾")

    def choose(self, value: str) -> None:
        """Take a value and tell it."""
        if value != self.value:
            self.show(value)
            self._on_change(value)

    def _press(self, key: str) -> bool:
        if key != " ":
            return False
        self._on_open(self)
        return True

    def _turn(self, by: int) -> None:
        values = [value for value, _words in self.options]
        place = values.index(self.value) if self.value in values else -1
        self.choose(values[(place + by) % len(values)])


class PressRow(Row):
    """A row that does something: `on_press` gets the key, Space or Enter, and says whether it took it."""

    def __init__(
        self, text: Any, on_press: Callable[[str], bool], *, group: str, about: str | list[Any] = ""
    ) -> None:
        self.group = group
        self.about = about
        self.text = _Pressed(on_press)
        self.text.set_text(text)
        super().__init__(urwid.AttrMap(self.text, None, "focus"))


class ButtonsRow(Row):
    """Buttons side by side; the one with the cursor is pressed by Space or Enter."""

    def __init__(self, buttons: Sequence[tuple[str, Callable[[], None]]], *, focus: int = 0) -> None:
        self.group = "buttons"
        widgets = []
        for words, call in buttons:
            widgets.append(("pack", urwid.AttrMap(_button(words, call), "button", "focus")))
        super().__init__(urwid.Columns(widgets, dividechars=2, focus_column=focus))

    def focus(self, number: int) -> None:
        """Put the cursor on a button."""
        self._w.focus_position = number


def _button(words: str, call: Callable[[], None]) -> _Pressed:
    def press(_key: str) -> bool:
        call()
        return True

    text = _Pressed(press)
    text.set_text(f"[ {words} ]")
    return text
