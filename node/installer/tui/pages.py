"""A page of fields: its parts under each other, with the buttons that lead on and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from node.installer.tui.access_parts import KeysPart, SecretPart
from node.installer.tui.disk_parts import BarPart, DisksPart, SizePart
from node.installer.tui.network_parts import CardsPart, TestPart
from node.installer.tui.parts import Host, Part, part_of
from node.installer.tui.welcome_parts import ActionPart, LanguagePart, MachinePart
from node.locale import _
from node.model.page import Field, Page, SecretField, SizeField, TextField, ViewField
from node.tui.form import Form
from node.tui.rows import ButtonsRow, TextRow, Words

_VIEWS: dict[str, Callable[[Host, Field], Part]] = {
    "machine": MachinePart,
    "action": ActionPart,
    "language": LanguagePart,
    "disks": DisksPart,
    "bar": BarPart,
    "cards": CardsPart,
    "test": TestPart,
    "keys": KeysPart,
}
# A table's rows have more to tell than a field.
_TALL = frozenset({"disks"})


class FormPage:
    """A page of the answers. `widget` is a box; what is typed goes to the session field by field."""

    def __init__(self, host: Host, page: Page, *, back: Callable[[], None]) -> None:
        self.page = page
        self.parts = [_part(host, field) for field in page.fields]
        buttons = [(_("Next"), host.go_on), (_("Back"), back)]
        tall = any(isinstance(field, ViewField) and field.view in _TALL for field in page.fields)
        self.form = Form(
            [row for part in self.parts for row in part.rows()],
            ButtonsRow(buttons),
            about_rows=5 if tall else 3,
            on_enter=host.go_on,
        )
        self.refresh()

    @property
    def widget(self) -> Any:
        """What is shown."""
        return self.form

    def refresh(self) -> None:
        """Show what is known now."""
        for part in self.parts:
            part.refresh()
        self.form.tell()

    def relaid(self) -> None:
        """Show the rows that the parts have now."""
        self.form.replace([row for part in self.parts for row in part.rows()])

    def leave(self) -> None:
        """Have every part take what was typed."""
        self.form.leave()
        for part in self.parts:
            part.leave()


def _part(host: Host, field: Field) -> Part:
    if isinstance(field, ViewField):
        return _VIEWS[field.view](host, field) if field.view in _VIEWS else _Missing(field)
    if isinstance(field, SecretField):
        return SecretPart(host, field)
    if isinstance(field, SizeField) and field.key.startswith("storage.sizes."):
        part = part_of(host, field)
        if isinstance(row := part.rows()[0], TextRow):
            return SizePart(host, field, row)
        return part
    if isinstance(field, TextField) and field.key.startswith("try."):
        return _Trying(field)
    return part_of(host, field)


class _Trying(Part):
    """A line to try the keyboard in; nobody keeps what is typed."""

    def __init__(self, field: TextField) -> None:
        self._row = TextRow(field.key, _(field.label), hint=_(field.empty))

    def rows(self) -> list[TextRow]:
        """Give the line."""
        return [self._row]


class _Missing(Part):
    """A view that these screens don't have."""

    def __init__(self, field: ViewField) -> None:
        text = _("These screens have no view '{name}'; give {key} in a file.")
        self._row = Words(text.replace("{name}", field.view).replace("{key}", field.key), "problem")

    def rows(self) -> list[Words]:
        """Say so."""
        return [self._row]
