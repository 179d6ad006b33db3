"""Cards and addresses of the console's network page, read from netplan's document and made into one again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from node.console.parts import Host, at, choice_row
from node.console.views import Change
from node.console.words import problem_words
from node.installer.network_form import (
    AUTO,
    BOND_MODES,
    DHCP,
    OFF,
    STATIC,
    NetworkForm,
    faults,
    form_of,
    netplan_of,
)
from node.locale import _
from node.model.problem import Problem
from node.tui.rows import FieldRow, Row, TextRow, ToggleRow, Words

KEY = "network.netplan"


class NetworkPart:
    """Marked cards, bond, VLAN and addresses. A document that says more than these is left alone."""

    def __init__(self, host: Host, key: str, *, cards: Callable[[], Sequence[str]]) -> None:
        self.relaid: Callable[[], None] = lambda: None
        self._host = host
        self._key = key
        self._cards = cards
        self._form: NetworkForm | None = NetworkForm()
        self._toggles: dict[str, ToggleRow] = {}
        again: Callable[[object], None] = lambda _value: self.relaid()  # noqa: E731
        four = [(DHCP, _("by DHCP")), (STATIC, _("fixed")), (OFF, _("off"))]
        six = [(AUTO, _("by router")), (DHCP, _("by DHCP")), (STATIC, _("fixed")), (OFF, _("off"))]
        self._mode = choice_row(host, f"{KEY}.bond_mode", _("Bond"), [(mode, mode) for mode in BOND_MODES])
        self._vlan = TextRow(f"{KEY}.vlan", "VLAN", hint=_("none"))
        self._four = choice_row(host, f"{KEY}.ipv4", "IPv4", four, value=DHCP, on_change=again)
        self._six = choice_row(host, f"{KEY}.ipv6", "IPv6", six, value=AUTO, on_change=again)
        self._texts = {
            "address4": TextRow(f"{KEY}.address4", _("Address"), hint="192.0.2.10/24"),
            "gateway4": TextRow(f"{KEY}.gateway4", _("Gateway"), hint=_("none")),
            "address6": TextRow(f"{KEY}.address6", _("Address"), hint="2001:db8::10/64"),
            "gateway6": TextRow(f"{KEY}.gateway6", _("Gateway"), hint=_("none")),
        }

    def rows(self) -> Sequence[Row]:
        """Give the rows that what is marked calls for."""
        if self._form is None:
            return (
                Words(_("The stored network says more than this page can; nodectl config edit changes it.")),
            )
        rows: list[Row] = list(self._toggles.values())
        marked = self._marked()
        if not marked:
            return (*rows, Words(("dim", _("No card is marked: each one asks DHCP."))))
        if len(marked) > 1:
            rows.append(self._mode)
        rows += [self._vlan, self._four]
        rows += self._fixed("4") if self._four.value == STATIC else []
        rows.append(self._six)
        rows += self._fixed("6") if self._six.value == STATIC else []
        return tuple(rows)

    def show(self, values: Mapping[str, Any]) -> None:
        """Show the stored document."""
        self._form = form = form_of(at(values, self._key) or {})
        if form is None:
            return
        names = dict.fromkeys([*form.cards, *self._cards()])
        self._toggles = {
            name: ToggleRow(
                f"{KEY}.card.{name}",
                _("Card {name}").replace("{name}", name),
                value=name in form.cards,
                on_change=lambda _value: self.relaid(),
                about=_("Two or more marked cards become a bond."),
            )
            for name in names
        }
        self._mode.show(form.bond_mode)
        self._vlan.show(form.vlan)
        self._four.show(form.ipv4)
        self._six.show(form.ipv6)
        for name, row in self._texts.items():
            row.show(getattr(form, name))
        self.show_problems(())

    def changes(self) -> Sequence[Change]:
        """Give the new document, where it is another."""
        if self._form is None or (typed := self._typed()) == self._form:
            return ()
        return (Change(self._key, netplan_of(typed) or None),)

    def secrets(self) -> Mapping[str, str]:
        """None."""
        return {}

    def faults(self) -> Sequence[Problem]:
        """Say what of the typed can't be."""
        if self._form is None:
            return ()
        found = faults(self._typed())
        return tuple(Problem("network-form", f"{KEY}.{name}", words, "") for name, words in found.items())

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show each below its row; what is about the document as a whole below the first card."""
        rows = self._fields()
        own = [p for p in problems if p.where == KEY or p.where.startswith(f"{KEY}.")]
        for row in rows:
            row.show_problems([problem_words(p, where=False) for p in own if p.where == row.key])
        known = {row.key for row in rows}
        if rows and (rest := [problem_words(p, where=False) for p in own if p.where not in known]):
            rows[0].show_problems(rest)

    def _fields(self) -> list[FieldRow]:
        return [*self._toggles.values(), self._mode, self._vlan, self._four, self._six, *self._texts.values()]

    def _fixed(self, version: str) -> list[Row]:
        return [self._texts[f"address{version}"], self._texts[f"gateway{version}"]]

    def _marked(self) -> tuple[str, ...]:
        return tuple(name for name, row in self._toggles.items() if row.value)

    def _typed(self) -> NetworkForm:
        before = self._form or NetworkForm()
        marked = self._marked()
        if not marked:
            return NetworkForm()
        texts = {name: row.value.strip() for name, row in self._texts.items()}
        # The order of a bond's cards is that of the document, as long as they are the same.
        cards = before.cards if set(before.cards) == set(marked) else marked
        return replace(
            before,
            cards=cards,
            bond_mode=self._mode.value if len(marked) > 1 else before.bond_mode,
            vlan=self._vlan.value.strip(),
            ipv4=self._four.value,
            ipv6=self._six.value,
            **(
                texts
                | ({} if self._four.value == STATIC else {"address4": "", "gateway4": ""})
                | ({} if self._six.value == STATIC else {"address6": "", "gateway6": ""})
            ),
        )
