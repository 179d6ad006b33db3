"""Pages that change the configuration: fields as stored, and what is typed until it is applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from node.console.judging import Judge
from node.console.parts import Typed
from node.console.standing import StandingPart
from node.console.views import Change, Overview
from node.locale import _
from node.model.problem import Problem
from node.system.passwords import hash_password
from node.tui.form import Form
from node.tui.rows import ButtonsRow, Words

_HASH, _DAY = "password_hash", "password_changed"


@dataclass(frozen=True)
class Asked:
    """What a page asks to be changed. `secrets` are hashed where it takes no time of the screens."""

    changes: tuple[Change, ...]
    secrets: Mapping[str, str]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was changed."""
        return not (self.changes or self.secrets)

    def hashed(self) -> tuple[Change, ...]:
        """Give all changes, secrets as hashes with the day of their change. Takes its time."""
        found = list(self.changes)
        for key, text in self.secrets.items():
            found.append(Change(key, hash_password(text)))
            if key.endswith(_HASH):
                found.append(Change(key.removesuffix(_HASH) + _DAY, f"{datetime.now(UTC):%Y-%m-%d}"))
        return tuple(found)


class FormPage:
    """A page of parts with buttons below. Nothing is changed but by `apply`."""

    takes_keys = True

    def __init__(
        self,
        key: str,
        title: str,
        parts: Sequence[Typed],
        *,
        apply: Callable[[FormPage], None],
        judge: Judge = lambda _values, _changes: (),
        help_text: str = "",
    ) -> None:
        self.key = key
        self.title = title
        self.help = help_text
        self.parts = list(parts)
        self.standing: StandingPart | None = None
        self._values: Mapping[str, Any] = {}
        buttons = ButtonsRow([(_("Apply"), lambda: apply(self)), (_("Undo"), self.undo)])
        self._judge = judge
        self._form = Form(
            [Words(_("Reading ..."))],
            buttons,
            about_rows=3,
            on_enter=self._to_buttons,
            on_left=self.judge,
        )
        self._known = False
        self._told: list[tuple[Problem, Any]] = []
        self.widget = self._form

    @property
    def touched(self) -> bool:
        """Whether something was typed that is not applied."""
        return self._known and not (self.asked().is_empty and not self.faults())

    def fill(self, values: Mapping[str, Any]) -> None:
        """Show what is stored; what was typed is forgotten."""
        first, self._known = not self._known, True
        self._values = values
        self._told = []
        for part in self.parts:
            part.show(values)
        self.relaid()
        rows = [row for part in self.parts for row in part.rows() if row.selectable()]
        if first and rows:
            self._form.go_to(rows[0].group)

    def _to_buttons(self) -> None:
        self._form.focus_buttons()

    def relaid(self) -> None:
        """Lay the rows out anew."""
        if self._known:
            self._form.replace([row for part in self.parts for row in part.rows()])

    def undo(self) -> None:
        """Show what is stored again."""
        if self._known:
            self.fill(self._values)

    def say(self, lines: Sequence[Any]) -> None:
        """Show other lines in its place."""
        self._known = False
        self._form.replace([Words(line) for line in lines])

    def asked(self) -> Asked:
        """Give what is to be changed."""
        if not self._known:
            return Asked((), {})
        changes = [change for part in self.parts for change in part.changes()]
        secrets = {key: text for part in self.parts for key, text in part.secrets().items()}
        return Asked(tuple(changes), secrets)

    def faults(self) -> list[Problem]:
        """Say what keeps it from being applied at all."""
        return [fault for part in self.parts for fault in part.faults()]

    def judge(self) -> None:
        """Show what is wrong with the fields that were left; of the one under the cursor nothing yet."""
        if not self._known:
            return
        here = f"{self._form.row.group}." if self._form.row else ""
        self._show([each for each in self._found() if not here.startswith(f"{each.where}.")])

    def leave(self) -> None:
        """Show what is wrong with any field: none has the cursor now."""
        if self._known:
            self._show(self._found())

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show problems that were found elsewhere beside their fields, each until its field is another."""
        values = self._typed()
        self._told = [(each, _of(each, values)) for each in problems]
        self._show(problems)

    def _found(self) -> list[Problem]:
        values = self._typed()
        found = [*self.faults(), *self._judge(self._values, [Change(*pair) for pair in values.items()])]
        known = {each.where for each in found}
        told = [each for each, then in self._told if each.where not in known and _of(each, values) == then]
        return [*found, *told]

    def _typed(self) -> dict[str, Any]:
        return {change.key: change.value for part in self.parts for change in part.changes()}

    def _show(self, problems: Sequence[Problem]) -> None:
        for part in self.parts:
            part.show_problems(problems)
        self._form.tell()

    def update(self, overview: Overview) -> None:
        """Show how it stands now; what is typed stays."""
        if self.standing:
            self.standing.look(overview)


def _of(problem: Problem, typed: Mapping[str, Any]) -> Any:
    """Give what is typed for the field that a problem is about, all of it where it is about none."""
    key = next((key for key in typed if f"{problem.where}.".startswith(f"{key}.")), None)
    return dict(typed) if key is None else typed[key]
