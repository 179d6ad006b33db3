"""The network: the table of cards, what the marked ones get, and a test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import yaml

from node.installer.network_form import (
    AUTO,
    BOND_MODES,
    DHCP,
    OFF,
    STATIC,
    NetworkForm,
    described,
    faults,
    form_of,
    netplan_of,
)
from node.installer.tui.effects import Tested
from node.installer.tui.parts import Host, Part, choice_row, fixed_by
from node.installer.tui.words import nic_details, problem_words
from node.locale import _, say
from node.model.inventory import Nic
from node.model.page import ChoiceField, Field
from node.model.problem import Problem
from node.tui.rows import FieldRow, PressRow, Row, TextRow, Words
from node.tui.table import Column, TableHead, TableRow

_BOND_WORDS = {
    "active-backup": "active-backup: one works, the others wait",
    "802.3ad": "802.3ad: LACP, the switch must know it",
    "balance-alb": "balance-alb: shared, without the switch",
    "balance-tlb": "balance-tlb: sending shared",
    "balance-xor": "balance-xor: by addresses",
    "balance-rr": "balance-rr: in turn",
}
_IPV4 = ((DHCP, "automatic, by DHCP"), (STATIC, "a fixed address"), (OFF, "none"))
_IPV6 = (
    (AUTO, "automatic, by router"),
    (DHCP, "automatic, by DHCPv6"),
    (STATIC, "a fixed address"),
    (OFF, "none"),
)


class CardsPart(Part):
    """Cards are marked; one gets the addresses, several become a bond that gets them."""

    def __init__(self, host: Host, field: Field) -> None:
        self._host = host
        self._key = field.key
        document = host.session.value(field.key) or {}
        self._form = form_of(document) if isinstance(document, dict) else NetworkForm()
        self._rows: list[Row] = []
        self._fields: dict[str, FieldRow] = {}
        origin = host.session.locked(field.key)
        self._locked = fixed_by(origin) if origin else ""
        self._columns = (
            Column("", 3), Column(_("Card"), 10, 1), Column(_("Link"), 9), Column("MAC", 17),
            Column(_("Driver"), 10, 1), Column(_("Model"), 20, 4),
        )  # fmt: skip
        self._cards: dict[str, TableRow] = {}
        self._words = Words("")
        self._lay_out()

    def rows(self) -> Sequence[Row]:
        """Give the table and the fields that the marks ask for."""
        return self._rows

    def refresh(self) -> None:
        """Mark the cards and show problems."""
        form = self._form
        for name, row in self._cards.items():
            row.change(0, "[x]" if form and name in form.cards else "[ ]")
        found: dict[str, list[tuple[str, str]]] = {}
        for problem in self._host.session.problems_at(self._key):
            found.setdefault(self._place(problem.where), []).append(problem_words(problem))
        for name, field_row in self._fields.items():
            field_row.show_problems(found.pop(name, []))
        rest = [words for each in found.values() for words in each]
        lead: list[Any] = [self._lead()] if not rest else []
        self._words.text.set_text(lead + [piece for words in rest for piece in (words, "\n")][:-1] or "")

    def leave(self) -> None:
        """Take what was typed last."""
        for row in self._fields.values():
            row.left()

    def _lead(self) -> str:
        if self._form is None:
            return ""
        if not self._form.cards:
            return _("No card is marked: each asks DHCP for its address.")
        if len(self._form.cards) > 1:
            return _("The marked cards become the bond bond0.")
        return _("{card} gets what is said below; the other cards stay unused.").replace(
            "{card}", self._form.cards[0]
        )

    def _lay_out(self) -> None:
        session = self._host.session
        self._fields = {}
        self._cards = {}
        rows: list[Row] = [Words("")]
        if self._form is None or self._locked:
            rows += self._document()
        else:
            rows.append(self._words)
            rows.append(TableHead(self._columns))
            for nic in session.inventory.nics:
                self._cards[nic.name] = self._card(nic)
            rows += self._cards.values()
            if self._form.cards:
                rows += [Words(""), *self._addressing(self._form)]
        self._rows = [*rows, Words("")]
        self.refresh()

    def _card(self, nic: Nic) -> TableRow:
        cells = ["", nic.name, _(described(nic)), nic.mac, nic.driver, nic.model]
        return TableRow(
            self._columns,
            cells,
            on_press=self._pressed(nic),
            group="cards",
            about="\n".join(nic_details(nic)),
        )

    def _document(self) -> list[Row]:
        """Show a document that no form can say, or that nobody may change."""
        text = yaml.safe_dump(self._host.session.value(self._key), sort_keys=False).rstrip()
        words = self._locked or _("This network was given as netplan's own document:")
        rows: list[Row] = [Words(("fixed", words)), self._words, Words(text, indent=2)]
        if not self._locked:
            again = PressRow(
                _("[ Replace it by what is marked here ]"),
                self._replace,
                group="replace",
                about=_("Takes the document away; then each card asks DHCP until one is marked."),
            )
            rows.append(again)
        return rows

    def _replace(self, _key: str) -> bool:
        self._form = NetworkForm()
        self._take(self._form)
        return True

    def _pressed(self, nic: Nic) -> Callable[[str], bool]:
        def press(key: str) -> bool:
            if key != " " or self._form is None:
                return False
            cards = self._form.cards
            order = [one.name for one in self._host.session.inventory.nics]
            chosen = set(cards) ^ {nic.name}
            self._take(replace(self._form, cards=tuple(name for name in order if name in chosen)))
            return True

        return press

    def _take(self, form: NetworkForm) -> None:
        """Take what was marked or typed: an answer, or what keeps it from being one."""
        self._form = form
        session = self._host.session
        for name in [key for key in session.local if key.startswith(f"{self._key}.")]:
            del session.local[name]
        found = faults(form)
        for name, words in found.items():
            key = f"{self._key}.{name}"
            session.local[key] = Problem("network-field", key, words, "")
        if not found:
            session.set(self._key, netplan_of(form))
        self._lay_out()
        self._host.relaid()
        self._host.changed()

    def _addressing(self, form: NetworkForm) -> list[Row]:
        rows: list[Row] = []
        if len(form.cards) > 1:
            rows.append(self._choice("bond_mode", _("Bond"), [(m, _BOND_WORDS[m]) for m in BOND_MODES]))
        rows.append(self._text("vlan", "VLAN", _("none"), _("The tag of the VLAN that the node is in.")))
        rows.append(self._choice("ipv4", "IPv4", _IPV4))
        if form.ipv4 == STATIC:
            rows.append(self._text("address4", _("Address"), "192.0.2.10/24", _("With its prefix.")))
            rows.append(self._text("gateway4", _("Gateway"), _("none"), ""))
        rows.append(self._choice("ipv6", "IPv6", _IPV6))
        if form.ipv6 == STATIC:
            rows.append(self._text("address6", _("IPv6 address"), "2001:db8::10/64", _("With its prefix.")))
            rows.append(self._text("gateway6", _("IPv6 gateway"), _("none"), ""))
        rows.append(self._text("mtu", "MTU", "1500", _("The largest packet; every switch must know it.")))
        return rows

    def _text(self, name: str, label: str, hint: str, about: str) -> TextRow:
        row = TextRow(
            f"{self._key}.{name}",
            label,
            value=str(getattr(self._form, name)),
            hint=hint,
            about=about,
            on_change=lambda text: self._typed(name, text.strip()),
        )
        self._fields[name] = row
        return row

    def _choice(self, name: str, label: str, options: Sequence[tuple[str, str]]) -> FieldRow:
        field = ChoiceField(key=f"{self._key}.{name}", label=label, options=tuple(options))
        value = str(getattr(self._form, name))
        row = choice_row(self._host, field, label=label, value=value, take=lambda new: self._typed(name, new))
        self._fields[name] = row
        return row

    def _typed(self, name: str, value: str) -> None:
        if self._form is not None:
            changes: dict[str, Any] = {name: value}
            self._take(replace(self._form, **changes))

    def _place(self, where: str) -> str:
        """Give the field that a problem of netplan's document belongs to; "" for the whole."""
        rest = where.removeprefix(self._key).strip(".")
        if rest in {field.name for field in fields(NetworkForm)}:
            return rest
        wide = ":" in rest
        for part, names in (("addresses", ("address4", "address6")), ("routes", ("gateway4", "gateway6"))):
            if f".{part}" in f".{rest}":
                return names[wide] if names[wide] in self._fields else names[0]
        return next((name for name in ("mtu", "vlan") if name in rest and name in self._fields), "")


class TestPart(Part):
    """Tries the network out, beside everything else."""

    def __init__(self, host: Host, field: Field) -> None:
        self._host = host
        self._row = PressRow(
            _("[ Test the network now ]"),
            self._press,
            group=field.key,
            about=_("Tries links, gateway, name servers and time servers; nothing is changed for good."),
        )
        self._words = Words("", indent=2)

    def rows(self) -> Sequence[Row]:
        """Give the button and what came of it."""
        return (Words(""), self._row, self._words)

    def _press(self, _key: str) -> bool:
        if (view := self._host.session.view) is not None:
            self._words.text.set_text(("dim", _("Testing ...")))
            test = self._host.effects.test_network
            self._host.submit(lambda: test(view.best), self._done, self._failed)
        return True

    def _done(self, results: Sequence[Tested]) -> None:
        pieces: list[Any] = []
        for result in results:
            mark = ("good", _("works")) if result.good else ("problem", _("fails"))
            words = f": {say(result.words)}" if result.words else ""
            pieces += [mark, f"  {say(result.what)}{words}\n"]
        self._words.text.set_text([*pieces[:-1], pieces[-1].rstrip("\n")] if pieces else "")

    def _failed(self, error: Exception) -> None:
        self._words.text.set_text(("problem", say(str(error))))
