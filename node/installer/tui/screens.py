"""The screens that all consoles share: which page is shown, what keys do, dialogs over it, what is said."""

from __future__ import annotations

import logging
from collections.abc import Callable
from subprocess import Popen
from typing import Any, Protocol

from node.installer.tui.calm import Calm, Crashed
from node.installer.tui.effects import Effects
from node.installer.tui.installing import Installing
from node.installer.tui.pages import FormPage
from node.installer.tui.parts import timezones
from node.installer.tui.saved import saved_answers
from node.installer.tui.session import Phase, Session, Verdict, View
from node.installer.tui.summary import SummaryPage
from node.locale import _, say
from node.model.page import Page
from node.tui.boundary import Boundary, note_crash
from node.tui.dialogs import AskDialog, PickDialog, TextDialog, over

_log = logging.getLogger(__name__)


class Background(Protocol):
    """What the screens need of the loop that they run in."""

    def submit(
        self, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        """Do `work` in a thread, then call back in the loop."""

    def watch(self, fd: int, call: Callable[[], None]) -> None:
        """Call whenever a descriptor can be read."""

    def unwatch(self, fd: int) -> None:
        """Watch it no more."""

    def shell(self, start: Callable[[int], Popen[bytes]]) -> None:
        """Give the driving terminal to a shell until that ends."""

    def stop(self) -> None:
        """End the loop."""


class Shown(Protocol):
    """A page as the screens show it."""

    page: Page

    @property
    def widget(self) -> Any:
        """A box."""
        ...

    def refresh(self) -> None:
        """Show what is known now."""

    def relaid(self) -> None:
        """Show other rows."""

    def leave(self) -> None:
        """The page is left."""


class Screens:
    """One set of screens for one session. `ended` is the exit code once the loop was stopped."""

    def __init__(self, session: Session, effects: Effects, background: Background) -> None:
        self.session = session
        self.effects = effects
        self.message = ""
        self.ended = 0
        self.to_prepare = False
        self.background = background
        self._pages: dict[str, tuple[Shown, Any]] = {}
        self._dialogs: list[tuple[Any, int]] = []
        self._current = ""
        self._looking = False
        self.installing = Installing(self)
        self._build: dict[str, Callable[[], Shown]] = {"summary": self._summary}
        self.show(session.asked()[0].key)
        self.changed()
        # Known by the time that their page is shown, so that nobody waits for it.
        self.submit(timezones, lambda _: None, lambda _: None)

    # What is shown

    @property
    def title(self) -> str:
        """The page's title."""
        return _(self._shown.page.title)

    @property
    def place(self) -> str:
        """Which of the pages this is, as `3/7`; "" for one outside the row."""
        keys = [page.key for page in self.session.asked()]
        here = self._current
        return f"{keys.index(here) + 1}/{len(keys) + 1}" if here in keys else ""

    @property
    def page_key(self) -> str:
        """The key of the page that is shown."""
        return self._current

    def body(self, size: tuple[int, int]) -> Any:
        """Give the widget to draw: the page, and the dialogs over it."""
        shown = self._pages[self._current][1]
        for dialog, rows in self._dialogs:
            shown = over(dialog, shown, size, rows=rows)
        return shown

    def show(self, key: str) -> None:
        """Show a page, which is made when it is first shown and keeps what is in it."""
        if self._current and self._current in self._pages:
            self._leave()
        self._current = key
        self.message = ""
        if key not in self._pages:
            self._make(key)
        self.refresh()

    # Host of the parts

    def changed(self) -> None:
        """Look again in the background; the newest answers are looked at once the last look is done."""
        if self._looking or not self.session.stale:
            self.refresh()
            return
        self._looking = True
        self.submit(self.session.looker(), self._looked, self.look_failed)
        self.refresh()

    def relaid(self) -> None:
        """Lay the current page out again."""
        self._shown.relaid()

    def rebuild(self) -> None:
        """Make all pages anew; the session keeps what was typed."""
        focus = self._focus()
        self._pages.clear()
        self._make(self._current)
        shown = self._shown
        if focus and isinstance(shown, FormPage):
            shown.form.go_to(focus)
        self.refresh()

    def open(self, dialog: Any, *, rows: int = 0) -> None:
        """Show a dialog."""
        self._dialogs.append((Boundary(dialog, lambda ref: Calm(ref, self.close_all)), rows))

    def close(self) -> None:
        """Take the topmost dialog away."""
        if self._dialogs:
            self._dialogs.pop()

    def focus(self, group: str) -> None:
        """Put the cursor on a field."""
        if isinstance(shown := self._shown, FormPage):
            shown.form.go_to(group)

    def note(self, words: str) -> None:
        """Say something until the next key."""
        self.message = words

    def submit(
        self, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        """Do in the background what takes long; what is made of it can't end the screens."""
        self.background.submit(work, self._guarded(done), self._guarded(failed))

    def go_on(self) -> None:
        """Go to the next page, behind the last one to the summary."""
        keys = [page.key for page in self.session.asked()]
        here = keys.index(self._current) if self._current in keys else len(keys)
        self.show(keys[here + 1] if here + 1 < len(keys) else "summary")

    def act(self, action: str) -> None:
        """Run without installing, or a shell."""
        if action == "rescue":
            self._shell()
            return
        words = _("Nothing is written; the node runs from memory until it is switched off.")
        answers = [(_("Run without installing"), lambda: self.end(0)), (_("Back"), lambda: None)]
        self.open(AskDialog(_("Run without installing"), words, answers, self.close), rows=9)

    # Keys

    def keypress(self, size: tuple[int, int], key: str) -> None:
        """Take a key of the driving console."""
        self.message = ""
        if self._dialogs:
            self.body(size).keypress(size, key)
            return
        if not self._function(key):
            left = self._pages[self._current][1].keypress(size, key)
            if left == "esc":
                self._back()

    def _function(self, key: str) -> bool:
        if key == "f1":
            self._help()
        elif key == "f2":
            self._shell()
        elif key == "f8":
            self.show_log()
        elif key == "f10" and self.session.phase is Phase.ANSWERS:
            self.show("summary")
        elif key == "f5" and self._current == "summary":
            self._save()
        else:
            return False
        return True

    def _back(self) -> None:
        if self.session.phase is Phase.INSTALLING:
            answers = [(_("Go on installing"), lambda: None), (_("Stop and take back"), self.installing.stop)]
            words = _("If it is stopped now, the disk is left clearly not bootable.")
            self.open(AskDialog(_("Stop the installation?"), words, answers, self.close), rows=9)
        elif self.session.phase is Phase.FAILED:
            self.installing.again()
        elif self.session.phase is Phase.ANSWERS:
            keys = [*(page.key for page in self.session.asked()), "summary"]
            here = keys.index(self._current) if self._current in keys else len(keys)
            if here:
                self.show(keys[here - 1])
            elif self.effects.demo:
                answers = [(_("Leave the demonstration"), lambda: self.end(0)), (_("Stay"), lambda: None)]
                self.open(AskDialog(_("Leave?"), _("Nothing was written."), answers, self.close), rows=9)

    def _help(self) -> None:
        keys = [
            "",
            ("title", _("Keys")),
            _("Tab and Shift-Tab, arrows: from field to field"),
            _("Enter: on; Escape: back; Space: mark, open a list"),
            _("F2: shell, F8: log, F10: summary, Ctrl-L: paint anew"),
            _("F5: save the answers, on the summary"),
            _("Without function keys: Escape, then 1, 2, 5, 8 or 0"),
            _("F4 (Escape, 4) takes over on a console that only follows"),
        ]
        page = self._shown.page
        self.open(TextDialog(_(page.title), [_(page.help) if page.help else "", *keys], self.close))

    def _shell(self) -> None:
        if self.effects.shell is None:
            self.note(_("A demonstration has no shell."))
        else:
            self.background.shell(self.effects.shell)

    def show_log(self) -> None:
        """Show the log, with what the run said so far."""
        lines = self.installing.log
        self.open(TextDialog(_("Log"), [*self.effects.log_lines(), *lines], self.close, end=True))

    # Saving

    def _save(self) -> None:
        if self.session.view is None:
            return
        targets = [("", _("show them here")), *self.effects.targets()]
        self.open(
            PickDialog(_("Save the answers"), targets, value="", pick=self._save_to, close=self.close),
            rows=14,
        )

    def _save_to(self, target: str) -> None:
        text = saved_answers(self.session)
        if not target:
            self.open(TextDialog(_("Answers"), text.splitlines(), self.close))
            return
        self.submit(
            lambda: self.effects.save(text, target),
            lambda where: self.note(_("Saved: {place}").replace("{place}", where)),
            lambda error: self.note(say(str(error))),
        )

    # The end

    def end(self, code: int) -> None:
        """Leave the screens, by `install.afterwards` once the node is installed."""
        self.ended = code
        if self.session.phase is Phase.DONE:
            self.effects.leave(self.session.install.afterwards)
        self.background.stop()

    # The work behind it

    @property
    def _shown(self) -> Shown:
        return self._pages[self._current][0]

    def _make(self, key: str) -> None:
        try:
            shown = self._build[key]() if key in self._build else self._form(key)
            widget: Any = shown.widget
        except Exception as error:
            shown = Crashed(self._page(key), Calm(note_crash(error), self._to_summary))
            widget = shown.widget
        self._pages[key] = (shown, Boundary(widget, lambda ref: Calm(ref, self._to_summary)))

    def _form(self, key: str) -> FormPage:
        return FormPage(self, self._page(key), back=self._back)

    def _page(self, key: str) -> Page:
        return next((page for page in self.session.pages if page.key == key), Page(key, key))

    def _summary(self) -> SummaryPage:
        return SummaryPage(
            self,
            go_to=lambda page: self.show(page.key),
            install=self.installing.ask,
            save=self._save,
            back=self._back,
        )

    def _to_summary(self) -> None:
        self.show("summary" if self.session.phase is Phase.ANSWERS else self._current)

    def _focus(self) -> str:
        shown = self._shown
        row = shown.form.row if isinstance(shown, FormPage) else None
        return row.group if row else ""

    def _leave(self) -> None:
        self._guarded(lambda _: self._shown.leave())(None)

    def refresh(self) -> None:
        """Show what is known now."""
        if self._current in self._pages:
            self._guarded(lambda _: self._shown.refresh())(None)

    def _looked(self, view: View) -> None:
        self._looking = False
        self.session.take(view)
        if self.session.verdict is Verdict.PREPARE:
            self.note(_("This machine is prepared first: F10, then Install."))
        self.changed()

    def look_failed(self, error: Exception) -> None:
        """Say that no plan could be made."""
        self._looking = False
        _log.error("the plan could not be made", exc_info=error)
        self.note(_("The plan could not be made: {why}").replace("{why}", str(error)))

    def _guarded(self, call: Callable[[Any], None]) -> Callable[[Any], None]:
        """Give a call whose failure ends no more than the page that is shown."""

        def guarded(value: Any) -> None:
            try:
                call(value)
            except Exception as error:
                calm = Calm(note_crash(error), self._to_summary)
                self._pages[self._current] = (Crashed(self._page(self._current), calm), calm)

        return guarded

    def close_all(self) -> None:
        """Take all dialogs away."""
        self._dialogs.clear()

    def offer(self, key: str, build: Callable[[], Shown]) -> None:
        """Have a page that is made anew when it is shown next."""
        self._build[key] = build
        self.make_again(key)

    def make_again(self, key: str) -> None:
        """Make a page anew when it is shown next."""
        self._pages.pop(key, None)
