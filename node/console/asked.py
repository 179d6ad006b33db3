"""The pages of the console: those that are read, and what of the sections may be changed on which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from node.console.forms import FormPage
from node.console.judging import judge_of
from node.console.network import NetworkPart
from node.console.parts import Typed, part_of
from node.console.power import PowerPage
from node.console.reading import LinesPage, LogPage
from node.console.standing import StandingPart
from node.console.views import Overview
from node.console.words import (
    REGISTRATION,
    Line,
    panel_lines,
    registration_lines,
    status_lines,
    storage_lines,
)
from node.locale import _
from node.model.answers import Section
from node.model.page import Field, ListField, TextField, ToggleField, ViewField

if TYPE_CHECKING:
    from node.console.screens import Screens

_CHANGED_HERE = ("network", "access", "logging", REGISTRATION)
# What the screens of an installation don't ask, beside what they do.
_MORE: dict[str, tuple[Field, ...]] = {
    "access": (
        ToggleField(
            key="access.console_reading",
            label="Read without log-in",
            help="Shows status and log here to whoever stands at the console.",
        ),
    ),
    "logging": (
        ListField(
            key="logging.forward",
            label="Log servers",
            help="Such as tls://log.example.org, tcp://192.0.2.5:1514 or udp://192.0.2.5.",
            empty="none",
        ),
        TextField(
            key="logging.tls_name",
            label="Name for TLS",
            help="The name in the server's certificate, where it is another one.",
            empty="that of the server",
        ),
    ),
}


def pages(screens: Screens, sections: Sequence[Section]) -> list[Any]:
    """Give all pages in the order of the menu."""
    forms = {section.key: _form(screens, section) for section in sections if section.key in _CHANGED_HERE}
    registration = forms.get(REGISTRATION) or LinesPage(REGISTRATION, _("Registration"), _registration)
    found: list[Any] = [
        LinesPage(
            "status",
            _("Status"),
            status_lines,
            events=True,
            help_text=_("How the node is. Nothing here needs a log-in, unless that was turned off."),
        ),
        forms.get("network"),
        forms.get("access"),
        LinesPage("storage", _("Storage"), storage_lines, help_text=_("The node's disk and how full it is.")),
        forms.get("logging"),
        registration,
        LinesPage("plugins", _("Plugins"), lambda overview: panel_lines(overview.panels)),
        LogPage(),
        PowerPage(screens.changing.leave),
    ]
    return [page for page in found if page is not None]


def _form(screens: Screens, section: Section) -> FormPage:
    given = [field for page in section.pages for field in page.fields]
    parts: list[Typed] = []
    cards: list[NetworkPart] = []
    if section.key == REGISTRATION:
        parts.append(StandingPart(registration_lines))
    for field in (*given, *_MORE.get(section.key, ())):
        if not isinstance(field, ViewField):
            parts.append(part_of(screens, field))
        elif field.view == "cards":
            cards.append(NetworkPart(screens, field.key, cards=lambda: _cards(screens.overview)))
            parts.append(cards[-1])
    page = section.pages[0] if section.pages else None
    form = FormPage(
        section.key,
        _(page.title if page else section.title),
        parts,
        apply=screens.changing.apply,
        judge=judge_of(section),
        help_text=_(page.help) if page and page.help else _(section.help),
    )
    form.standing = next((part for part in parts if isinstance(part, StandingPart)), None)
    for part in cards:
        part.relaid = form.relaid
    return form


def _cards(overview: Overview | None) -> list[str]:
    if overview is None:
        return []
    return [each.name for each in overview.status.interfaces if each.kind == "ethernet"]


def _registration(overview: Overview) -> list[Line]:
    return registration_lines(overview)
