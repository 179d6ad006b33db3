"""Parts of a page that changes the configuration: a field's row, its stored value, and what was typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import yaml

from node.console.views import Change
from node.console.words import problem_words
from node.locale import _
from node.model.mask import MASK
from node.model.page import (
    ChoiceField,
    DocumentField,
    Field,
    ListField,
    NumberField,
    SecretField,
    TextField,
    ToggleField,
)
from node.model.problem import Problem
from node.tui.dialogs import PickDialog
from node.tui.rows import ChoiceRow, FieldRow, Row, TextRow, ToggleRow


class Host(Protocol):
    """What a part may ask of the screens."""

    def open(self, dialog: Any, *, rows: int = 0) -> None:
        """Show a dialog over the page."""

    def close(self) -> None:
        """Take the topmost dialog away."""


class Typed(Protocol):
    """One or more rows of a page."""

    def rows(self) -> Sequence[Row]:
        """Give the rows as they are now."""

    def show(self, values: Mapping[str, Any]) -> None:
        """Show what is stored; what was typed is forgotten."""

    def changes(self) -> Sequence[Change]:
        """Give what was typed and is another value than the stored one."""

    def secrets(self) -> Mapping[str, str]:
        """Give what was typed for secrets that are stored as hashes, by key."""

    def faults(self) -> Sequence[Problem]:
        """Say what keeps the typed from being a value at all."""

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show those of these problems that are about it."""


class FieldPart:
    """A field with one row."""

    def __init__(self, field: Field, row: FieldRow) -> None:
        self.field = field
        self.row = row
        self._stored: Any = None

    def rows(self) -> Sequence[Row]:
        """Give the row."""
        return (self.row,)

    def show(self, values: Mapping[str, Any]) -> None:
        """Show the stored value."""
        self._stored = at(values, self.field.key)
        show_in(self.row, self.field, self._stored)
        self.show_problems(())

    def changes(self) -> Sequence[Change]:
        """Give the change, if there is one."""
        if self.faults():
            return ()
        value = read_from(self.row, self.field)
        return (Change(self.field.key, value),) if not same(value, self._stored) else ()

    def secrets(self) -> Mapping[str, str]:
        """None."""
        return {}

    def faults(self) -> Sequence[Problem]:
        """Say where a document is none."""
        try:
            read_from(self.row, self.field)
        except ValueError:
            return (Problem("wrong-value", self.field.key, "this can't be read", ""),)
        return ()

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show its own below it."""
        own = [p for p in problems if p.where == self.field.key or p.where.startswith(f"{self.field.key}.")]
        self.row.show_problems([problem_words(p, where=False) for p in own])


class SecretPart:
    """A secret that is typed twice and mostly stored as its hash; empty is no change."""

    def __init__(self, field: SecretField) -> None:
        self.field = field
        self._first = TextRow(
            field.key, _(field.label), mask="*", hint=_("unchanged"), about=_("Empty: it stays as it is.")
        )
        self._again = TextRow(f"{field.key}.again", _("Once more"), mask="*", hint=_("unchanged"))

    def rows(self) -> Sequence[Row]:
        """Give both rows."""
        return (self._first, self._again)

    def show(self, values: Mapping[str, Any]) -> None:
        """Forget what was typed."""
        del values
        self._first.show("")
        self._again.show("")
        self.show_problems(())

    def changes(self) -> Sequence[Change]:
        """Give what is stored as it was typed; what is hashed can't be told before that."""
        if self.field.hashed or not self._typed:
            return ()
        return (Change(self.field.key, self._first.value),)

    def secrets(self) -> Mapping[str, str]:
        """Give what was typed twice alike and is stored as its hash."""
        return {self.field.key: self._first.value} if self.field.hashed and self._typed else {}

    @property
    def _typed(self) -> bool:
        return bool(self._first.value) and not self.faults()

    def faults(self) -> Sequence[Problem]:
        """Say that both differ."""
        if self._first.value == self._again.value:
            return ()
        what, mend = "the two passwords differ", "Type it again"
        return (Problem("passwords-differ", self.field.key, what, mend),)

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show its own below it."""
        own = [problem_words(p, where=False) for p in problems if p.where == self.field.key]
        self._again.show_problems(own)


def part_of(host: Host, field: Field) -> Typed:
    """Give the part of a field."""
    key, label, about = field.key, _(field.label), _(field.help) if field.help else ""
    if isinstance(field, SecretField):
        return SecretPart(field)
    if isinstance(field, ToggleField):
        return FieldPart(field, ToggleRow(key, label, value=False, on_change=_nothing, about=about))
    if isinstance(field, ChoiceField):
        options = [(value, _(words)) for value, words in field.options]
        return FieldPart(field, choice_row(host, key, label, options, about=about))
    hint = _(field.empty) if isinstance(field, TextField) and field.empty else ""
    lines = isinstance(field, DocumentField) or (isinstance(field, ListField) and field.lines)
    return FieldPart(field, TextRow(key, label, hint=hint, about=about, multiline=lines))


def choice_row(
    host: Host,
    key: str,
    label: str,
    options: Sequence[tuple[str, str]],
    *,
    about: str = "",
    value: str = "",
    on_change: Callable[[str], None] = lambda _: None,
) -> ChoiceRow:
    """Give the row of a choice, whose list opens as a dialog."""

    def open_list(row: ChoiceRow) -> None:
        host.open(
            PickDialog(row.label, row.options, value=row.value, pick=row.choose, close=host.close), rows=14
        )

    about = about or _("The arrows to the sides change it, Space opens the list.")
    return ChoiceRow(key, label, options, value=value, on_change=on_change, on_open=open_list, about=about)


def at(values: Mapping[str, Any], key: str) -> Any:
    """Give what stands at a dotted key, None where nothing does."""
    place: Any = values
    for part in key.split("."):
        place = place.get(part) if isinstance(place, Mapping) else None
    return place


def merged(defaults: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Give stored values above the defaults, mapping by mapping."""
    found = dict(defaults)
    for key, value in values.items():
        below = found.get(key)
        found[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return found


def same(value: Any, stored: Any) -> bool:
    """Tell whether two values are one: nothing is as good as empty."""
    if isinstance(value, list | tuple) or isinstance(stored, list | tuple):
        return list(value or ()) == list(stored or ())
    return (value or None) == (stored or None)


def show_in(row: FieldRow, field: Field, value: Any) -> None:
    """Put a stored value into a row."""
    if isinstance(row, ToggleRow):
        row.show(bool(value))
    elif isinstance(row, ChoiceRow):
        row.show(str(value or ""))
    elif isinstance(row, TextRow):
        if isinstance(field, DocumentField):
            text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True).strip() if value else ""
        elif isinstance(value, list | tuple):
            text = ("\n" if isinstance(field, ListField) and field.lines else ", ").join(map(str, value))
        else:
            text = "" if value is None else str(value)
        row.show(text)


def read_from(row: FieldRow, field: Field) -> Any:
    """Give what is in a row as a value of the answers, None for nothing; ValueError where it is none."""
    if isinstance(row, ToggleRow | ChoiceRow):
        return row.value
    text = row.value if isinstance(row, TextRow) else ""
    if isinstance(field, ListField):
        if field.lines:
            return [line.strip() for line in text.splitlines() if line.strip()]
        return text.replace(",", " ").split()
    if isinstance(field, DocumentField):
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ValueError("no YAML") from error
    text = text.strip()
    if isinstance(field, NumberField) and text.isdigit():
        return int(text)
    return text if text != MASK else None


def _nothing(_: object) -> None:
    """What a form keeps is read when it is applied."""
