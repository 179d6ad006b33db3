"""The console's screens: the menu, the page beside it, dialogs over them, and the ways of a change."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

import urwid

from node.console.asked import pages
from node.console.calls import Calls
from node.console.changing import Changing
from node.console.forms import FormPage
from node.console.parts import merged
from node.console.power import PowerPage
from node.console.reading import LinesPage, LogPage
from node.console.views import Overview, Standing
from node.console.words import error_lines
from node.errors import InputError
from node.locale import _
from node.model.answers import Section
from node.tui.boundary import Boundary, note_crash
from node.tui.dialogs import AskDialog, TextDialog, over

_log = logging.getLogger(__name__)
MENU_COLUMNS = 17
OVERVIEW_S, LOG_S, TICK_S, IDLE_S, STAY_S = 10.0, 5.0, 1.0, 600.0, 30.0
# Where nobody typed for so long, all is read more rarely, and the screens sleep longer. Reading costs the
# node several programs each time, whether somebody looks or not.
QUIET_S, QUIET_TIMES, QUIET_TICK_S = 180.0, 6, 5.0
_LOG_LINES = 500
LEFT, LOGIN = 0, 10


class Background(Protocol):
    """What the screens need of the loop: two threads, the time, and an end."""

    def read(
        self, work: Callable[[Calls], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        """Ask in the thread for reading, then call back in the loop."""

    def act(
        self, work: Callable[[Calls], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        """Ask in the thread for acting."""

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call after a while."""

    def now(self) -> float:
        """Give the seconds of a clock that nobody sets."""

    def stop(self, code: int) -> None:
        """End with an exit code."""


class Shown(Protocol):
    """A page: `takes_keys` where there is something to do on it."""

    key: str
    title: str
    help: str
    takes_keys: bool
    widget: Any

    def update(self, overview: Overview) -> None:
        """Show how the node is now."""

    def say(self, lines: list[Any]) -> None:
        """Show other lines in its place."""


class Screens:
    """One console. `prompt` says that a log-in prompt follows when they end by `LOGIN`."""

    def __init__(
        self, background: Background, sections: tuple[Section, ...], *, prompt: bool, demo: bool = False
    ) -> None:
        self.standing = Standing()
        self.overview: Overview | None = None
        self.message = ""
        self.prompt = prompt
        self.demo = demo
        self.in_page = False
        self.background = background
        self.changing = Changing(self)
        self._defaults = {each.key: each.model().model_dump(mode="json") for each in sections}
        self._dialogs: list[tuple[Any, int]] = []
        self._pending: set[str] = set()
        self._read_at: dict[str, float] = {}
        self._touched = self._heard = background.now()
        self._stayed = 0.0
        self.pages: list[Shown] = pages(self, sections)
        self._widgets = {page.key: Boundary(page.widget, self._calm) for page in self.pages}
        self.page: Shown = self.pages[0]
        self._ask_standing()
        self._tick()

    # What is shown

    @property
    def shown(self) -> list[Shown]:
        """The pages of the menu: those of plugins only where there is something on them."""
        return [page for page in self.pages if self._has_something(page)]

    def body(self, size: tuple[int, int]) -> Any:
        """Give the menu and the page with the dialogs over them."""
        menu = urwid.ListBox(urwid.SimpleListWalker([self._item(page) for page in self.shown]))
        page = self._widgets[self.page.key]
        if not self.standing.may_read:
            page = urwid.Filler(urwid.Text(_closed(self.prompt)), valign="top")
        below = urwid.Columns(
            [(MENU_COLUMNS, menu), (1, urwid.AttrMap(urwid.SolidFill("│"), "dim")), ("weight", 1, page)],
            dividechars=1,
            focus_column=2 if self.in_page else 0,
        )
        for dialog, rows in self._dialogs:
            below = over(dialog, below, size, rows=rows)
        return below

    def _item(self, page: Shown) -> Any:
        here = page is self.page
        mark = ">" if here else " "
        text = urwid.Text(f"{mark} {page.title}", wrap="ellipsis")
        return urwid.AttrMap(text, ("title" if self.in_page else "focus") if here else None)

    def _has_something(self, page: Shown) -> bool:
        if page.key not in ("registration", "plugins") or isinstance(page, FormPage):
            return True
        return bool(self.overview and isinstance(page, LinesPage) and page.has_lines(self.overview))

    # Host of parts and of changing

    def open(self, dialog: Any, *, rows: int = 0) -> None:
        """Show a dialog."""
        self._dialogs.append((Boundary(dialog, self._calm), rows))

    def close(self) -> None:
        """Take the topmost dialog away."""
        if self._dialogs:
            self._dialogs.pop()

    def note(self, words: str) -> None:
        """Say something until the next key."""
        self.message = words

    def take_standing(self, standing: Standing) -> None:
        """Hear who stands here now."""
        if standing.user and not self.standing.user:
            self._stayed = self.background.now()
        self.standing = standing
        if not standing.may_read:
            self.in_page = False

    def read_again(self) -> None:
        """Read what is shown, now."""
        self._read_at.clear()
        self._read_due()

    def fill_forms(self) -> None:
        """Read the settings again for every page that nothing is typed on."""
        self._read("settings", lambda calls: calls.settings(), self._take_settings)

    # Keys

    def keypress(self, size: tuple[int, int], key: str) -> None:
        """Take a key."""
        self.message = ""
        was_quiet = self._quiet
        self._hear()
        if was_quiet:
            # Whoever comes sees the node as it is now.
            self._read_due()
        if self._dialogs:
            self.body(size).keypress(size, key)
        elif not self._function(key):
            if self.in_page:
                self._in_page(size, key)
            else:
                self._in_menu(size, key)

    def _function(self, key: str) -> bool:
        if key == "f1":
            self._help()
        elif key == "f2":
            self._leave()
        elif key == "f5":
            self.changing.show_again()
            self.read_again()
            self.fill_forms()
        elif key == "f8":
            self._go_to("log")
        elif key == "f9":
            self.changing.log_out() if self.standing.user else self.changing.log_in(lambda: None)
        elif key == "f10":
            self._go_to("power")
        else:
            return False
        return True

    def _in_page(self, size: tuple[int, int], key: str) -> None:
        width = size[0] - MENU_COLUMNS - 3
        left = self._widgets[self.page.key].keypress((width, size[1]), key)
        if left == "esc":
            self.in_page = False
            if isinstance(self.page, FormPage):
                self.page.leave()

    def _in_menu(self, size: tuple[int, int], key: str) -> None:
        shown = self.shown
        here = shown.index(self.page) if self.page in shown else 0
        steps = {"up": here - 1, "down": here + 1, "home": 0, "end": len(shown) - 1}
        steps |= {str(number + 1): number for number in range(min(9, len(shown)))}
        if key in steps:
            self._show(shown[max(0, min(steps[key], len(shown) - 1))])
        elif key in ("page up", "page down"):
            self._in_page(size, key)
        elif key in ("enter", "right", "tab") and self.page.takes_keys and self.standing.may_read:
            self.in_page = True
        elif key == "enter" or (key in ("esc", "q") and not self.prompt):
            self._leave()

    def _show(self, page: Shown) -> None:
        self.page = page
        self._read_due()
        if isinstance(page, FormPage) and not page.touched:
            self.fill_forms()

    def _go_to(self, key: str) -> None:
        self.in_page = False
        self._show(next(page for page in self.pages if page.key == key))

    def _leave(self) -> None:
        if self.prompt:
            self.background.stop(LOGIN)
            return
        answers = [(_("Leave the console"), lambda: self.background.stop(LEFT)), (_("Stay"), lambda: None)]
        self.open(AskDialog(_("Leave?"), _("The node goes on as it is."), answers, self.close), rows=9)

    def _help(self) -> None:
        keys = [
            "",
            ("title", _("Keys")),
            _("Arrows: choose a page; Enter or Tab: go into it; Escape: back"),
            _("On a page: Tab and arrows from field to field, Space marks"),
            _("F2: log-in prompt, F5: read again, F8: log, F9: log in or out")
            if self.prompt
            else _("F2: leave, F5: read again, F8: log, F9: log in or out"),
            _("F10: restart or switch off, Ctrl-L: paint anew"),
            _("Without function keys: Escape, then 1, 2, 5, 8, 9 or 0"),
        ]
        self.open(TextDialog(self.page.title, [self.page.help, *keys], self.close))

    def _hear(self) -> None:
        self._touched = self._heard = now = self.background.now()
        if self.standing.user and now - self._stayed > STAY_S:
            self._stayed = now
            self.background.act(lambda calls: calls.stay(), self.take_standing, _ignored)

    # Reading

    def _tick(self) -> None:
        """What happens by itself: reading anew, the count-down of a trial, the end of an idle log-in."""
        self.changing.tick()
        self._read_due()
        if self.background.now() - self._touched > IDLE_S:
            self._idle()
        # A count-down shows every second.
        waits = QUIET_TICK_S if self._quiet and not self.changing.counts_down else TICK_S
        self.background.later(waits, self._tick)

    @property
    def _quiet(self) -> bool:
        return self.background.now() - self._heard > QUIET_S

    def _idle(self) -> None:
        """Nobody is here: what was typed is forgotten, and who logged in is out."""
        self._touched = self.background.now()
        self._dialogs.clear()
        for page in self.pages:
            if isinstance(page, FormPage):
                page.undo()
        if self.standing.user and self.prompt:
            self.changing.log_out()
        self._go_to(self.pages[0].key)

    def _read_due(self) -> None:
        if not self.standing.may_read:
            self._due("standing", OVERVIEW_S, self._ask_standing)
            return
        self._due("overview", OVERVIEW_S, self._ask_overview)
        if self.page.key == "log":
            self._due("log", LOG_S, self._ask_log)
        elif isinstance(self.page, PowerPage):
            self._due("lost", 3 * OVERVIEW_S, self._ask_lost)

    def _due(self, name: str, every_s: float, ask: Callable[[], None]) -> None:
        now = self.background.now()
        every_s *= QUIET_TIMES if self._quiet else 1
        if name not in self._read_at or now - self._read_at[name] >= every_s:
            self._read_at[name] = now
            ask()

    def _ask_standing(self) -> None:
        self._read("standing", lambda calls: calls.standing(), self._take_first_standing)

    def _take_first_standing(self, standing: Standing) -> None:
        self.take_standing(standing)
        self._read_due()

    def _ask_overview(self) -> None:
        self._read("overview", lambda calls: calls.overview(), self._take_overview)

    def _take_overview(self, overview: Overview) -> None:
        first, self.overview = self.overview is None, overview
        if first:
            self.fill_forms()  # they name the cards
        for page in self.pages:
            page.update(overview)
        self.changing.take_trial(overview)

    def _ask_log(self) -> None:
        page = next(page for page in self.pages if isinstance(page, LogPage))
        self._read("log", lambda calls: calls.log(_LOG_LINES), page.show)

    def _ask_lost(self) -> None:
        page = next(page for page in self.pages if isinstance(page, PowerPage))
        self._read("lost", lambda calls: calls.lost(), page.show, page)

    def _take_settings(self, values: dict[str, Any]) -> None:
        values = merged(self._defaults, values)
        for page in self.pages:
            if isinstance(page, FormPage) and not page.touched:
                page.fill(values)

    def _read(
        self,
        name: str,
        work: Callable[[Calls], Any],
        done: Callable[[Any], None],
        page: Shown | None = None,
    ) -> None:
        """Ask for something that is shown; not again while the last answer is still to come."""
        if name in self._pending:
            return
        self._pending.add(name)

        def taken(value: Any) -> None:
            self._pending.discard(name)
            self.guarded(done)(value)

        def failed(error: Exception) -> None:
            self._pending.discard(name)
            if isinstance(error, InputError) and name != "standing":
                self._ask_standing()  # reading may have been turned off elsewhere
            lines = error_lines(error)
            for one in [page] if page else self._concerned(name):
                one.say(lines)

        self.background.read(work, taken, failed)

    def _concerned(self, name: str) -> list[Shown]:
        if name == "settings":
            return [page for page in self.pages if isinstance(page, FormPage)]
        if name == "log":
            return [page for page in self.pages if isinstance(page, LogPage)]
        return [page for page in self.pages if isinstance(page, LinesPage)]

    def guarded(self, call: Callable[[Any], None]) -> Callable[[Any], None]:
        """Give a call whose failure says a reference and ends nothing."""

        def guarded(value: Any) -> None:
            try:
                call(value)
            except Exception as error:
                self.note(_reference(note_crash(error)))

        return guarded

    def _calm(self, reference: str) -> Any:
        return _Calm(_reference(reference))


class _Calm(urwid.WidgetWrap):
    """What stands in the place of a page or dialog that failed."""

    def __init__(self, words: str) -> None:
        lines = [("problem", words), "", _("Escape goes back; the other pages work on.")]
        super().__init__(urwid.ListBox(urwid.SimpleListWalker([urwid.Text(line) for line in lines])))

    def keypress(self, size: tuple[int, ...], key: str) -> str | None:
        """Hand all on."""
        del size
        return key


def _reference(reference: str) -> str:
    words = _("This page failed; the fault is ours or a plugin's. Reference: {reference}.")
    return words.replace("{reference}", reference)


def _closed(prompt: bool) -> list[Any]:
    how = _("Enter or F2: log-in prompt. F9: log in here as an admin.")
    return [
        ("title", _("This node tells nothing to somebody who did not log in.")),
        "\n\n",
        how if prompt else _("F9: log in as an admin."),
    ]


def _ignored(_: Exception) -> None:
    """The next answer says it again."""
