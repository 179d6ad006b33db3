"""Parts of a page: what each kind of field becomes on the screen, and how its value comes and goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Protocol
from zoneinfo import available_timezones

import yaml

from node.installer.tui.effects import Effects
from node.installer.tui.session import Session
from node.installer.tui.words import problem_words
from node.locale import _
from node.model.origin import Origin
from node.model.page import (
    ChoiceField,
    DocumentField,
    Field,
    ListField,
    NumberField,
    SizeField,
    TextField,
    ToggleField,
)
from node.model.problem import Problem
from node.tui.dialogs import PickDialog
from node.tui.rows import ChoiceRow, FieldRow, Row, TextRow, ToggleRow


class Host(Protocol):
    """What a part may ask of the screens that it stands in."""

    session: Session
    effects: Effects

    def changed(self) -> None:
        """Look again, since something was typed, and show what comes of it."""

    def relaid(self) -> None:
        """Lay the page out again, since a part has other rows now."""

    def rebuild(self) -> None:
        """Make all pages anew, since the language is another."""

    def open(self, dialog: Any, *, rows: int = 0) -> None:
        """Show a dialog over the page: small with so many rows, else a large one."""

    def close(self) -> None:
        """Take the topmost dialog away."""

    def focus(self, group: str) -> None:
        """Put the cursor on a field of this page."""

    def note(self, words: str) -> None:
        """Say something at the foot of the screen until the next key."""

    def submit(
        self, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        """Do in the background what takes long."""

    def go_on(self) -> None:
        """Go to the next page."""

    def act(self, action: str) -> None:
        """Do what the first page offers beside an installation: `run`, `rescue`."""


class Part:
    """A piece of a page: rows, what is shown in them anew, and what is left in them when the page is left."""

    def rows(self) -> Sequence[Row]:
        """Give the rows as they are now."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Show what is known now: problems, values worked out."""

    def leave(self) -> None:
        """The page is left."""


class FieldPart(Part):
    """A field with one row, whose problems are those of its key."""

    def __init__(self, host: Host, field: Field, row: FieldRow) -> None:
        self.host = host
        self.field = field
        self.row = row
        if origin := host.session.locked(field.key):
            row.fix(fixed_by(origin), shown_value(host.session.value(field.key)))

    def rows(self) -> Sequence[Row]:
        """Give the one row."""
        return (self.row,)

    def refresh(self) -> None:
        """Show the problems."""
        self.row.show_problems([problem_words(p) for p in self.host.session.problems_at(self.field.key)])

    def leave(self) -> None:
        """Take what was typed last."""
        self.row.left()


def fixed_by(origin: Origin) -> str:
    """Say who fixed a value."""
    return _("fixed by {place}").replace("{place}", str(origin))


def shown_value(value: Any) -> str:
    """Give a value of the answers as it is typed."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def part_of(host: Host, field: Field) -> Part:
    """Give the part of a plain field; views and secrets have parts of their own."""
    session, key, label, about = host.session, field.key, _(field.label), _(field.help) if field.help else ""
    value = session.value(key)

    def take(new: Any) -> None:
        session.set(key, new)
        if key == "locale.keyboard":
            host.submit(lambda: host.effects.set_keyboard(new), _nothing, _nothing)
        host.changed()

    if isinstance(field, ToggleField):
        return FieldPart(host, field, ToggleRow(key, label, value=bool(value), on_change=take, about=about))
    if isinstance(field, ChoiceField):
        return FieldPart(
            host, field, choice_row(host, field, label=label, value=str(value or ""), take=take, about=about)
        )
    if isinstance(field, DocumentField):
        return _DocumentPart(host, field)
    reads = _reader(field, session)
    hint = _(field.empty) if isinstance(field, TextField) and field.empty else ""
    lines = isinstance(field, ListField) and field.lines
    shown = "\n".join(map(str, value or ())) if lines else shown_value(value)
    row = TextRow(
        key,
        label,
        value=shown,
        hint=hint,
        about=about,
        multiline=lines,
        on_change=lambda text: take(reads(text)),
    )
    return FieldPart(host, field, row)


@cache
def timezones() -> tuple[str, ...]:
    """Give the names of all time zones; reading them takes a tenth of a second, once."""
    return tuple(sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC"))


def _nothing(_result: Any) -> None:
    """What a keyboard can't do, the line below it shows."""


def choice_row(
    host: Host,
    field: ChoiceField,
    *,
    label: str,
    value: str,
    take: Callable[[str], None],
    about: str = "",
) -> ChoiceRow:
    """Give the row of a choice, whose list opens as a dialog."""
    options = [(each, _(words)) for each, words in field.options]
    if field.more == "timezones":
        options += [(zone, zone) for zone in timezones()]

    def open_list(row: ChoiceRow) -> None:
        host.open(
            PickDialog(row.label, row.options, value=row.value, pick=row.choose, close=host.close), rows=16
        )

    about = about or _("The arrows to the sides change it, Space opens the list.")
    return ChoiceRow(field.key, label, options, value=value, on_change=take, on_open=open_list, about=about)


def _reader(field: Field, session: Session) -> Callable[[str], Any]:
    """Give what turns the typed text into a value; what can't be one stays text, for the model to refuse."""
    if isinstance(field, ListField):
        if field.lines:
            return lambda text: [line.strip() for line in text.splitlines() if line.strip()]
        return lambda text: text.replace(",", " ").split()
    if isinstance(field, NumberField):
        return lambda text: (
            int(text) if text.strip().isdigit() else text if text.strip() else session.default(field.key)
        )
    if isinstance(field, SizeField):
        return lambda text: text.strip() or None
    return lambda text: text.strip()


class _DocumentPart(FieldPart):
    """Nested values as YAML, several lines."""

    def __init__(self, host: Host, field: DocumentField) -> None:
        value = host.session.value(field.key)
        text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True).strip() if value else ""
        row = TextRow(
            field.key,
            _(field.label),
            value=text,
            hint="YAML",
            about=_(field.help),
            multiline=True,
            on_change=self._take,
        )
        super().__init__(host, field, row)

    def _take(self, text: str) -> None:
        key, session = self.field.key, self.host.session
        session.local.pop(key, None)
        try:
            session.set(key, yaml.safe_load(text) or {})
        except yaml.YAMLError:
            session.local[key] = Problem("not-yaml", key, "this is no YAML", "Write KEY: VALUE, one a line")
        self.host.changed()
