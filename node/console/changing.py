"""The ways of a change at the console: log in, propose, confirm, trial; and the end of all, leaving."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from node.console.dialogs import LoginDialog, TrialDialog
from node.console.forms import FormPage
from node.console.power import PowerPage
from node.console.views import REBOOT, Overview, Proposed, Standing, TrialView
from node.console.words import difference_lines, error_lines, joined, plain, problem_words
from node.errors import InputError
from node.locale import _, plural, say
from node.tui.dialogs import AskDialog, TextDialog

if TYPE_CHECKING:
    from node.console.screens import Screens

_TALL, _LOGIN_ROWS, _TRIAL_ROWS = 20, 10, 12
_SHOWN_LOST = 6
# Frame, answers, and some lines that are longer than the box is wide.
_AROUND = 10


class Changing:
    """What the screens do once somebody wants more than to look."""

    def __init__(self, screens: Screens) -> None:
        self._screens = screens
        self._trial: TrialDialog | None = None
        self._hidden = ""
        self._waiting_trial = False

    # Logging in

    def log_in(self, then: Callable[[], None]) -> None:
        """Ask for a password, unless somebody is logged in, and go on."""
        screens = self._screens
        if screens.standing.user:
            then()
            return

        def admitted(standing: Standing) -> None:
            screens.take_standing(standing)
            screens.close()
            screens.note(_("Logged in as {name}.").replace("{name}", plain(standing.user)))
            screens.read_again()
            screens.fill_forms()
            then()

        def enter(user: str, password: str) -> None:
            screens.background.act(
                lambda calls: calls.login(user, password),
                screens.guarded(admitted),
                lambda error: dialog.say(joined(error_lines(error))),
            )

        dialog = LoginDialog(screens.standing.admin, enter=enter, close=screens.close)
        screens.open(dialog, rows=_LOGIN_ROWS)

    def log_out(self) -> None:
        """Forget who logged in."""
        screens = self._screens
        screens.background.act(lambda calls: calls.logout(), screens.guarded(self._logged_out), self._failed)

    def _logged_out(self, standing: Standing) -> None:
        self._screens.take_standing(standing)
        self._screens.note(_("Logged out."))

    # Changing

    def apply(self, page: FormPage) -> None:
        """Propose what is typed on a page."""
        page.show_problems(page.faults())
        if page.faults():
            self._screens.note(_("Not yet: first mend what is marked with an exclamation mark."))
        elif page.asked().is_empty:
            self._screens.note(_("Nothing was changed."))
        else:
            self.log_in(lambda: self._propose(page))

    def _propose(self, page: FormPage) -> None:
        asked = page.asked()
        self._screens.note(_("Checking ..."))
        self._screens.background.act(
            lambda calls: calls.propose(asked.hashed()),
            self._screens.guarded(lambda proposed: self._proposed(page, proposed)),
            self._screens.guarded(lambda error: self._refused(page, error)),
        )

    def _refused(self, page: FormPage, error: Exception) -> None:
        if isinstance(error, InputError) and error.problems:
            page.show_problems(error.problems)
        self._failed(error)

    def _proposed(self, page: FormPage, proposed: Proposed) -> None:
        screens = self._screens
        screens.message = ""
        page.show_problems(proposed.problems)
        if proposed.is_empty:
            screens.note(_("Nothing was changed."))
            return
        answers = [
            (_("Change it"), lambda: self._carry_out(page, proposed)),
            (_("Not yet"), lambda: None),
        ]
        lines = _proposed_lines(proposed)
        dialog = AskDialog(_("Change this?"), joined(lines), answers, screens.close)
        screens.open(dialog, rows=min(_TALL, len(lines) + _AROUND))

    def _carry_out(self, page: FormPage, proposed: Proposed) -> None:
        self._screens.note(_("Changing ..."))
        self._screens.background.act(
            lambda calls: calls.carry_out(proposed.number),
            self._screens.guarded(lambda trial: self._carried_out(page, trial)),
            self._screens.guarded(self._failed),
        )

    def _carried_out(self, page: FormPage, trial: TrialView | None) -> None:
        page.undo()
        self._screens.message = ""
        if trial:
            self._waiting_trial = True
            self._open_trial(trial)
        else:
            self._screens.note(_("Stored."))
        self._screens.fill_forms()
        self._screens.read_again()

    # A change on trial

    @property
    def counts_down(self) -> bool:
        """Whether a trial's last seconds are shown."""
        return self._trial is not None

    def tick(self) -> None:
        """Count down."""
        if self._trial:
            self._trial.tick()

    def take_trial(self, overview: Overview) -> None:
        """Hear what is on trial now: also a change that was made elsewhere, for who may keep it."""
        trial = overview.trial
        if trial is None:
            self._hidden = ""
            if self._trial:
                self._close_trial()
            if self._waiting_trial:
                self._waiting_trial = False
                self._screens.fill_forms()
                self._screens.note(_("The change was not kept in time and was taken back."))
        elif self._screens.standing.user and not self._trial and trial.reason != self._hidden:
            self._open_trial(trial)

    def _open_trial(self, trial: TrialView) -> None:
        self._trial = TrialDialog(trial, keep=self._keep, back=self._back, close=self._hide)
        self._hidden = trial.reason
        self._screens.open(self._trial, rows=_TRIAL_ROWS)

    def _close_trial(self) -> None:
        self._trial = None
        self._screens.close()

    def _hide(self) -> None:
        self._close_trial()
        self._screens.note(_("The change stays on trial. F5 shows this again."))

    def show_again(self) -> None:
        """Show what is on trial again with the next reading."""
        self._hidden = ""

    def _keep(self) -> None:
        self._end_trial(lambda calls: calls.confirm(), _("Kept and stored."))

    def _back(self) -> None:
        self._end_trial(lambda calls: calls.take_back(), _("Taken back."))

    def _end_trial(self, work: Callable[[Any], Any], words: str) -> None:
        screens = self._screens
        self._waiting_trial = False
        self._close_trial()

        def done(_value: Any) -> None:
            screens.note(words)
            screens.fill_forms()
            screens.read_again()

        screens.note(_("Changing ..."))
        screens.background.act(work, screens.guarded(done), screens.guarded(self._failed))

    # Leaving

    def leave(self, how: str) -> None:
        """Restart or switch off, once what would be lost was seen."""
        self.log_in(lambda: self._ask_leave(how))

    def _ask_leave(self, how: str) -> None:
        screens = self._screens
        page = next(page for page in screens.pages if isinstance(page, PowerPage))
        lines = page.lines()
        more = len(lines) - 1 - _SHOWN_LOST
        if more > 0:
            lines = [*lines[: 1 + _SHOWN_LOST], plural("and {n} more", "and {n} more", more)]
        title = _("Restart?") if how == REBOOT else _("Switch off?")
        do = _("Restart now") if how == REBOOT else _("Switch off now")
        answers = [(_("Not yet"), lambda: None), (do, lambda: self._leave(how))]
        dialog = AskDialog(title, joined(lines), answers, screens.close)
        screens.open(dialog, rows=min(_TALL, len(lines) + _AROUND))

    def _leave(self, how: str) -> None:
        words = _("The node restarts ...") if how == REBOOT else _("The node is switched off ...")
        self._screens.background.act(
            lambda calls: calls.leave(how), lambda _value: self._screens.note(words), self._failed
        )

    def _failed(self, error: Exception) -> None:
        self._screens.message = ""
        self._screens.open(TextDialog(_("This did not work"), error_lines(error), self._screens.close))


def _proposed_lines(proposed: Proposed) -> list[Any]:
    lines = difference_lines(proposed.difference)
    lines += [("warning", f"{_('Note')}: {plain(say(words))}") for words in proposed.warnings]
    lines += [problem_words(problem) for problem in proposed.problems]
    if proposed.needs_trial:
        lines.append(_("It is tried first, and taken back by itself unless it is kept within two minutes."))
    if proposed.at_restart:
        words = _("From the next restart on: {files}")
        lines.append(words.replace("{files}", plain(", ".join(proposed.at_restart))))
    return lines
