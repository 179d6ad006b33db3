"""The disk and how it is divided: the table of disks, the bar, sizes with what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import urwid

from node.installer.consent import disk_rule
from node.installer.tui.parts import FieldPart, Host, Part, fixed_by
from node.installer.tui.words import disk_details, forbidden, holds, problem_words
from node.locale import _
from node.model.inventory import Disk, Finding
from node.model.layout import Role
from node.model.page import Field
from node.model.problem import Problem
from node.model.size import format_size
from node.plugins.storage.answers import DiskRule, StorageAnswers
from node.plugins.storage.needs import Need, needs
from node.tui.bars import DiskBar
from node.tui.rows import Row, TextRow, Words
from node.tui.table import Column, TableHead, TableRow

_CONSENTED = ("disk-not-empty", "disk-foreign")


class DisksPart(Part):
    """The table of disks; one is taken. What is known of a disk beyond its row stands below the list."""

    def __init__(self, host: Host, field: Field) -> None:
        self._host = host
        self._key = field.key
        session = host.session
        columns = (
            Column("", 1), Column(_("Disk"), 12, 1), Column(_("Size"), 9), Column(_("Holds"), 16, 4),
            Column(_("Model"), 16, 3), Column(_("Serial number"), 16, 2), Column(_("Bus"), 6),
        )  # fmt: skip
        origin = session.locked(field.key)
        self._locked = fixed_by(origin) if origin else ""
        self._disks: list[tuple[Disk, TableRow]] = []
        for disk in session.inventory.disks:
            why = forbidden(disk, session.inventory)
            cells = ["", disk.node, format_size(disk.size), f"✗ {why}" if why else holds(disk), disk.model,
                     disk.serial, disk.transport]  # fmt: skip
            row = TableRow(
                columns,
                cells,
                on_press=self._pressed(disk),
                group=field.key,
                about="\n".join(disk_details(disk, session.inventory)),
                attribute="dim" if why else None,
            )
            self._disks.append((disk, row))
        self._head = TableHead(columns)
        self._problems = urwid.Text("")
        self._words = Words("")

    def rows(self) -> Sequence[Row]:
        """Give a row a disk, and what is wrong with the choice."""
        if not self._disks:
            return (Words(_("No disk was found on this machine."), "problem"), self._words)
        return (self._words, self._head, *(row for _disk, row in self._disks))

    def refresh(self) -> None:
        """Mark the disk that the answers mean, and say what is wrong."""
        session = self._host.session
        chosen = session.disk
        for disk, row in self._disks:
            row.change(0, "●" if chosen and disk.node == chosen.node else "○")
        lines: list[Any] = []
        if self._locked:
            lines.append(("fixed", self._locked + "\n"))
        # That one of several is to be taken is a question here, nothing that went wrong.
        mine = [p for p in session.problems() if self._mine(p) and p.code != "disk-ambiguous"]
        words = [problem_words(problem) for problem in mine]
        if chosen is None and len(self._disks) > 1 and not words:
            lines.append(_("Take the disk that the node is installed on."))
        elif chosen is not None and not words:
            lines.append(_chosen(chosen))
        for number, word in enumerate(words):
            lines += ["\n"] * bool(number) + [word]
        self._words.text.set_text(lines or "")

    def _mine(self, problem: Problem) -> bool:
        page = self._host.session.page_of(problem)
        return page is not None and any(field.key == self._key for field in page.fields)

    def _pressed(self, disk: Disk) -> Callable[[str], bool]:
        def press(key: str) -> bool:
            session = self._host.session
            if self._locked:
                self._host.note(self._locked)
                return True
            if why := forbidden(disk, session.inventory):
                self._host.note(_("It can't be chosen: {why}.").replace("{why}", why))
                return True
            # Whatever rule came before must not hold beside the choice.
            rule = DiskRule().model_dump(mode="json") | disk_rule(disk)
            session.set(self._key, rule)
            self._host.changed()
            if key == "enter":
                self._host.go_on()
            return True

        return press


def _chosen(disk: Disk) -> str:
    if disk.contents.finding is Finding.EMPTY:
        return _("The node goes on {disk}, which is empty.").replace("{disk}", disk.node)
    words = _("The node goes on {disk}. What it holds is asked about at the end, before it is erased.")
    return words.replace("{disk}", disk.node)


class BarPart(Part):
    """The disk as it will be, as a bar."""

    def __init__(self, host: Host, field: Field) -> None:
        del field
        self._host = host
        self._bar = DiskBar()
        self._title = Words("")
        self._words = Words("")
        self._row = _BarRow(self._bar)

    def rows(self) -> Sequence[Row]:
        """Give the disk's name, the bar and its legend."""
        return (self._title, self._row, self._words, Words(""))

    def refresh(self) -> None:
        """Show the layout of now."""
        session = self._host.session
        layout = session.view.best.plan.layout if session.view else None
        disk = session.disk
        if layout is None or disk is None:
            self._bar.show(())
            self._title.text.set_text(
                _("There is no layout as long as something is wrong with the disk or the sizes.")
            )
            self._words.text.set_text("")
            return
        self._title.text.set_text(
            ("title", f"{disk.node}, {format_size(disk.size)}, {disk.model or disk.serial}")
        )
        self._bar.show([(part.label, part.size) for part in layout.partitions])
        small = [
            f"{part.label} {format_size(part.size)}" + (f" ({_('kept')})" if part.keep else "")
            for part in layout.partitions
        ]
        self._words.text.set_text(("dim", ", ".join(small)))


class _BarRow(Row):
    def __init__(self, bar: DiskBar) -> None:
        super().__init__(bar)

    def selectable(self) -> bool:
        """It is only looked at."""
        return False


class SizePart(FieldPart):
    """A size; empty shows what it becomes."""

    row: TextRow

    def refresh(self) -> None:
        """Show what is worked out, the minimum and the problems."""
        super().refresh()
        session = self.host.session
        view, disk = session.view, session.disk
        if view is None or view.best.plan.layout is None or disk is None:
            return
        storage = view.best.answers[StorageAnswers]
        role = _role(self.field.key)
        part = view.best.plan.layout.get(role)
        need = next(
            (n for n in needs(session.inventory, _unasked(storage), disk.sector_size) if n.role is role), None
        )
        self.row.input.show_hint(format_size(part.size) if part else _("none"))
        self.row.about = "\n".join(part for part in (_in_words(need), _(self.field.help)) if part)


def _role(key: str) -> Role:
    name = key.rpartition(".")[2]
    return Role.ROOT_A if name == "root" else Role(name.upper())


def _unasked(storage: StorageAnswers) -> StorageAnswers:
    return storage.model_copy(update={"sizes": StorageAnswers().sizes})


def _in_words(need: Need | None) -> str:
    if need is None:
        return ""
    words = _("At least {least}.").replace("{least}", format_size(need.least))
    if need.share == 1.0:
        return words + " " + _("Left empty, it takes the rest of the disk.")
    words += " " + _("Left empty, {wanted} where there is room").replace("{wanted}", format_size(need.wanted))
    if need.share:
        share = _(", and {share} of what is left").replace("{share}", f"{need.share:.0%}")
        words += share + (_(", up to {cap}").replace("{cap}", format_size(need.cap)) if need.cap else "")
    return words + "."
