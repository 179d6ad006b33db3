"""The last page before anything is written: the plan in words, what is lost, and the consent to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from node.installer.consent import name_to_type, named_disk
from node.installer.disk_words import describe_contents, describe_disk
from node.installer.tui.parts import Host
from node.installer.tui.session import Verdict
from node.installer.tui.words import problem_words
from node.locale import _, plural, say
from node.model.inventory import Disk, Finding
from node.model.page import Page
from node.model.plan import Plan
from node.model.problem import Severity
from node.model.size import format_size
from node.tui.form import Form
from node.tui.rows import ButtonsRow, PressRow, Row, TextRow, Words


class SummaryPage:
    """Problems with the way to each, the disk's fate, the other pages, the steps; and the buttons."""

    page = Page(
        "summary",
        "Summary",
        "Nothing has been written so far. Enter on a line goes to its page. To erase a disk that holds "
        "something, its serial number is typed here; then the button installs.",
        1000,
    )

    def __init__(
        self,
        host: Host,
        *,
        go_to: Callable[[Page], None],
        install: Callable[[], None],
        save: Callable[[], None],
        back: Callable[[], None],
    ) -> None:
        self._host = host
        self._go_to = go_to
        self._pointed = Verdict.LOOKING
        self._typed = TextRow(
            "consent",
            _("Serial number"),
            about=_("Type it as it is shown, then Enter. Then the button installs."),
            on_change=self._named,
        )
        buttons = [(_("Install"), install), (_("Save the answers"), save), (_("Back"), back)]
        self._buttons = ButtonsRow(buttons)
        self.form = Form([], self._buttons, about_rows=2, on_enter=lambda: None)
        self.refresh()

    @property
    def widget(self) -> Any:
        """What is shown."""
        return self.form

    def refresh(self) -> None:
        """Show what is known now; the cursor waits where something is to be done."""
        self.form.replace(self._rows())
        verdict = self._host.session.verdict
        if verdict is not Verdict.LOOKING and verdict is not self._pointed:
            self._pointed = verdict
            self.form.go_to("consent" if verdict is Verdict.CONSENT else "pages")
            if verdict in (Verdict.READY, Verdict.PREPARE):
                self.form.focus_buttons()

    def relaid(self) -> None:
        """Show the rows anew."""
        self.refresh()

    def leave(self) -> None:
        """Nothing is typed here that another page needs."""

    def _rows(self) -> list[Row]:
        session = self._host.session
        if session.view is None:
            return [Words(_("Looking at what would be done ..."), "dim")]
        plan = session.view.best.plan
        rows = [Words(self._verdict()), *self._first(plan), *self._problems()]
        if session.verdict is Verdict.CONSENT:
            rows += self._consent(plan)
        rows.append(Words(""))
        rows += self._fate(plan)
        rows += [Words(""), Words(("title", _("Answers")))]
        rows += [self._page_row(page) for page in session.pages]
        rows += self._steps(plan)
        return rows

    def _verdict(self) -> Any:
        verdict = self._host.session.verdict
        words = {
            Verdict.LOOKING: ("dim", _("Looking at what would be done ...")),
            Verdict.REFUSED: ("problem", _("Not yet: first mend what is marked with an exclamation mark.")),
            Verdict.CONSENT: ("danger", _("The disk holds something that would be lost.")),
            Verdict.PREPARE: ("danger", _("This machine is prepared first, before a disk is chosen.")),
            Verdict.READY: ("good", _("Everything is there. Nothing has been written so far.")),
        }
        return words[verdict]

    def _problems(self) -> list[Row]:
        session = self._host.session
        rows: list[Row] = []
        for number, problem in enumerate(session.problems()):
            page = session.page_of(problem)
            attribute, words = problem_words(problem, where=page is None)
            if page is None:
                rows.append(Words((attribute, words)))
                continue
            rows.append(
                PressRow(
                    [(attribute, f"{words} "), ("dim", f"[{_(page.title)}]")],
                    self._pressed(page),
                    group=f"problem {number}",
                    about=_("Enter goes to the page where it is mended."),
                )
            )
            rows[-1].text.set_wrap_mode("space")
        return rows

    def _consent(self, plan: Plan) -> list[Row]:
        session = self._host.session
        disk, word = session.disk, name_to_type(plan.layout, session.inventory)
        if disk is None:
            return []
        # What it holds is listed below in any case.
        held = [problem for problem in session.held() if problem.code != "disk-not-empty"]
        rows: list[Row] = [Words(("warning", f"! {say(problem.what)}")) for problem in held]
        text = _("To erase {disk}, type its serial number: {word}")
        rows.append(Words(text.replace("{disk}", disk.node).replace("{word}", word)))
        return [*rows, self._typed]

    def _named(self, typed: str) -> None:
        session = self._host.session
        disk = named_disk(typed, session.inventory)
        if not typed.strip():
            return
        if disk is None or session.disk is None or disk.node != session.disk.node:
            self._typed.show_problems([("problem", "! " + _("This is not the disk's serial number."))])
            self._typed.show("")
            self.form.go_to("consent")
            return
        self._typed.show_problems([])
        session.agree(disk)
        self._host.changed()

    def _fate(self, plan: Plan) -> list[Row]:
        """Say of each disk what becomes of it; of many that only stay, how many."""
        session = self._host.session
        rows: list[Row] = []
        others = []
        for disk in session.inventory.disks:
            if plan.layout is None or plan.layout.disk.node != disk.node:
                others.append(disk)
                continue
            rows += [Words(line) for line in _target(disk, plan)]
        shown = others if len(others) <= 3 else []
        for disk in shown:
            rows.append(Words(f"{say(describe_disk(disk))}: {_('stays as it is')}", "dim"))
        if others and not shown:
            words = plural("{n} other disk stays as it is.", "{n} other disks stay as they are.", len(others))
            rows.append(Words(words, "dim"))
        return rows

    def _page_row(self, page: Page) -> PressRow:
        session = self._host.session
        own = [problem for problem in session.problems() if session.page_of(problem) is page]
        wrong = any(problem.severity is Severity.ERROR for problem in own)
        mark = "!" if wrong else "✓" if page.asked else " "
        value = summary_of(session, page)
        text = [f" {mark} {_(page.title):<22}", ("dim", value)]
        return PressRow(text, self._pressed(page), group="pages", about=_("Enter goes to this page."))

    def _first(self, plan: Plan) -> list[Row]:
        """Give what comes before a disk is chosen."""
        if not plan.prepare:
            return []
        rows: list[Row] = [Words(""), Words(("title", _("What comes first")))]
        return rows + [Words(f"{n:3}. {say(one.step.summary())}") for n, one in enumerate(plan.prepare, 1)]

    def _steps(self, plan: Plan) -> list[Row]:
        if not plan.steps:
            return []
        rows: list[Row] = [Words(""), Words(("title", _("What will be done, in this order")))]
        rows += [Words(f"{n:3}. {say(one.step.summary())}") for n, one in enumerate(plan.steps, 1)]
        return rows

    def _pressed(self, page: Page) -> Callable[[str], bool]:
        def press(_key: str) -> bool:
            self._go_to(page)
            return True

        return press


def _target(disk: Disk, plan: Plan) -> list[Any]:
    layout = plan.layout
    if layout is None:
        return []
    empty = disk.contents.finding is Finding.EMPTY
    kept = ", ".join(part.label for part in layout.partitions if part.keep)
    if empty:
        fate: Any = ("good", _("is empty and becomes:"))
    elif kept:
        fate = ("danger", _("keeps {names}; EVERYTHING ELSE ON IT IS ERASED:").replace("{names}", kept))
    else:
        fate = ("danger", _("IS ERASED. It holds now:"))
    lines: list[Any] = [("title", say(describe_disk(disk))), ["  ", fate]]
    if not empty:
        lines += [f"    {say(line)}" for line in describe_contents(disk)]
        lines.append(_("  and becomes:"))
    parts = [
        f"{part.label} {format_size(part.size)}" + (f" ({_('kept')})" if part.keep else "")
        for part in layout.partitions
    ]
    return [*lines, "    " + ", ".join(parts)]


def summary_of(session: Any, page: Page) -> str:
    """Give what a page says in one line: the values that somebody set."""
    found: list[str] = []
    for field in page.fields:
        if field.key in ("storage.disk",):
            found += [session.disk.node] if session.disk else []
            continue
        value = session.value(field.key)
        if value in (None, "", [], (), {}, False) or value == session.default(field.key):
            continue
        found.append(_shown(field.key, field.label, value))
    return "; ".join(found)


def _shown(key: str, label: str, value: Any) -> str:
    if "password" in key and "login" not in key:
        return f"{_(label)}: {_('set')}"
    if isinstance(value, dict):
        return ", ".join(str(name) for kind in value.values() if isinstance(kind, dict) for name in kind)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"{_(label)}: {len(value)}" if key.endswith("keys") else ", ".join(map(str, value))
    return f"{_(label)}: {_('yes')}" if value is True else str(value)
