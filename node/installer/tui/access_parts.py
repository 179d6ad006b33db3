"""Who may log in: a password typed twice, of which only the hash is kept, and keys fetched from a URL."""

from __future__ import annotations

from collections.abc import Sequence

from node.errors import NodeError
from node.installer.tui.parts import FieldPart, Host, Part
from node.installer.tui.strength import Strength, strength
from node.installer.tui.words import problem_words
from node.locale import _, plural, say
from node.model.page import Field, SecretField
from node.model.problem import Problem
from node.tui.rows import PressRow, Row, TextRow, Words


class SecretPart(FieldPart):
    """A secret, typed twice. The text itself is kept nowhere but in the two fields, and not for long."""

    row: TextRow

    def __init__(self, host: Host, field: SecretField) -> None:
        self._hashed = field.hashed
        self._again = TextRow(
            f"{field.key}.again", _("The same again"), mask="*", on_change=lambda _text: self._compare()
        )
        self._strength = Words("")
        row = TextRow(
            field.key,
            _(field.label),
            mask="*",
            about=_("Only a hash of it is kept. Long ones are better than strange ones."),
            on_change=lambda _text: self._judge(),
        )
        super().__init__(host, field, row)
        self._show_known()

    def rows(self) -> Sequence[Row]:
        """Give both fields and what is said of the first."""
        return (self.row,) if self.row.fixed else (self.row, self._strength, self._again)

    def refresh(self) -> None:
        """Show problems below the second field, where the eye is."""
        problems = self.host.session.problems_at(self.field.key)
        self._again.show_problems([problem_words(problem) for problem in problems])

    def leave(self) -> None:
        """One that was typed only once is a problem, not a password."""
        self.row.left()
        self._again.left()
        if self.row.value and not self._again.value:
            self._differ("the password was typed once only")

    def _judge(self) -> None:
        self.host.session.local.pop(self.field.key, None)
        self.refresh()
        text = self.row.value
        if not text:
            self._strength.text.set_text("")
        else:
            user = str(self.host.session.value("access.admin.name") or "")
            attribute, words = _strength_words(strength(text, user=user))
            self._strength.text.set_text([" " * 21, (attribute, words)])
        if self._again.value:
            self._compare()

    def _compare(self) -> None:
        first, second = self.row.value, self._again.value
        if not first and not second:
            return
        if first != second:
            self._differ("the two passwords differ")
            return
        self.host.session.local.pop(self.field.key, None)
        self.row.show("")
        self._again.show("")
        self.row.input.show_hint(_("being worked on ..."))
        make = self.host.effects.hash_password if self._hashed else str
        self.host.submit(lambda: make(first), self._take, self._failed)

    def _differ(self, what: str) -> None:
        key = self.field.key
        self.row.show("")
        self._again.show("")
        self._strength.text.set_text("")
        self.host.session.local[key] = Problem("passwords-differ", key, what, "Type it twice")
        self.host.focus(key)
        self.host.changed()

    def _take(self, value: str) -> None:
        self.host.session.set(self.field.key, value)
        self._show_known()
        self.host.changed()

    def _failed(self, error: Exception) -> None:
        what = error.brief if isinstance(error, NodeError) else "it can't be hashed"
        key = self.field.key
        self.host.session.local[key] = Problem("no-hash", key, what, "Take another one")
        self._show_known()
        self.host.changed()

    def _show_known(self) -> None:
        known = bool(self.host.session.value(self.field.key))
        self.row.input.show_hint(_("set; type to change it") if known else _("none"))


class KeysPart(Part):
    """Fetches public keys from where the operator has them."""

    def __init__(self, host: Host, field: Field) -> None:
        self._host = host
        self._url = TextRow(
            f"{field.key}.url",
            _("Keys from a URL"),
            hint="https://example.org/admin.keys",
            about=_("Public keys, one a line, are fetched over https and added to those above."),
        )
        self._row = PressRow(_("[ Fetch them ]"), self._press, group=f"{field.key}.button")
        self._words = Words("", indent=2)

    def rows(self) -> Sequence[Row]:
        """Give the field, the button and what came of it."""
        return (Words(""), self._url, self._row, self._words)

    def _press(self, _key: str) -> bool:
        url = self._url.value.strip()
        if not url.startswith("https://"):
            self._words.text.set_text(("problem", _("Write an address that begins with https://")))
            return True
        self._words.text.set_text(("dim", _("Fetching ...")))
        self._host.submit(lambda: self._host.effects.fetch_keys(url), self._done, self._failed)
        return True

    def _done(self, keys: Sequence[str]) -> None:
        key = "access.admin.ssh_keys"
        known = [str(each) for each in self._host.session.value(key) or ()]
        fresh = [each for each in keys if each not in known]
        self._host.session.set(key, [*known, *fresh])
        self._words.text.set_text(("good", plural("{n} key was added.", "{n} keys were added.", len(fresh))))
        self._host.rebuild()
        self._host.changed()

    def _failed(self, error: Exception) -> None:
        self._words.text.set_text(("problem", say(str(error))))


def _strength_words(how: Strength) -> tuple[str, str]:
    words = {
        Strength.WEAK: ("problem", _("weak: easily guessed")),
        Strength.FAIR: ("warning", _("fair: longer would be better")),
        Strength.GOOD: ("good", _("good")),
        Strength.STRONG: ("good", _("strong")),
    }
    attribute, text = words[how]
    return attribute, f"{'#' * how}{'-' * (4 - how)} {text}"
