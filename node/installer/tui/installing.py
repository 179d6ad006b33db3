"""The ways of an installation at the screens: ask, run the engine beside them, and what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from node.installer.tui.effects import Ended, Runner
from node.installer.tui.run import Run
from node.installer.tui.running import DonePage, FailedPage, ProgressPage
from node.installer.tui.session import Phase, Verdict, View
from node.locale import _
from node.model.plan import Plan
from node.plugins.access import AccessAnswers
from node.tui.dialogs import AskDialog

if TYPE_CHECKING:
    from node.installer.tui.screens import Screens


class Installing:
    """What the screens do once everything is answered."""

    def __init__(self, screens: Screens) -> None:
        self._screens = screens
        self._run: Run | None = None
        self._runner: Runner | None = None

    @property
    def log(self) -> Sequence[str]:
        """What the run said so far, a line each."""
        return tuple(self._run.log) if self._run else ()

    def ask(self) -> None:
        """Begin, once it is sure that this is wanted; say what is still missing."""
        screens, session = self._screens, self._screens.session
        if session.verdict is Verdict.LOOKING:
            screens.note(_("Looking at what would be done ..."))
        elif session.verdict is Verdict.REFUSED:
            screens.note(_("Not yet: first mend what is marked with an exclamation mark."))
        elif session.verdict is Verdict.CONSENT:
            screens.note(_("First type the serial number of the disk that is to be erased."))
        elif session.verdict is Verdict.PREPARE:
            words = _(
                "What is listed is done now. Then the machine is looked at anew, and you come back here."
            )
            answers = [(_("Prepare now"), self._prepare), (_("Not yet"), lambda: None)]
            screens.open(AskDialog(_("Prepare this machine?"), words, answers, screens.close), rows=9)
        else:
            disk = session.disk
            words = _("{disk} is written now. From here on there is no way back.")
            words = words.replace("{disk}", disk.node if disk else "?")
            answers = [(_("Install now"), self._begin), (_("Not yet"), lambda: None)]
            screens.open(AskDialog(_("Install?"), words, answers, screens.close), rows=9)

    def stop(self) -> None:
        """Ask the engine to stop and take back."""
        if self._runner:
            self._runner.stop()

    def again(self) -> None:
        """Back to the answers after a failure."""
        screens = self._screens
        screens.session.phase = Phase.ANSWERS
        screens.session.agree(None)
        screens.make_again("summary")
        screens.show("summary")
        screens.changed()

    def _prepare(self) -> None:
        """End, so that the machine is prepared; whoever called shows the screens again."""
        if self._screens.effects.demo:
            self._screens.note(_("A demonstration prepares nothing."))
            return
        self._screens.to_prepare = True
        self._screens.end(0)

    def _begin(self) -> None:
        """Look once more, for good: a plan of its own with identifiers of its own."""
        looker = self._screens.session.looker()
        self._screens.submit(lambda: looker(for_show=False), self._start, self._screens.look_failed)

    def _start(self, view: View) -> None:
        screens, session = self._screens, self._screens.session
        plan: Plan = view.seen.plan
        if plan.refused or plan.prepare or view.agreed or session.phase is Phase.INSTALLING:
            session.take(view)
            screens.refresh()
            return
        session.phase = Phase.INSTALLING
        self._run = run = Run(plan)
        self._runner = screens.effects.start(plan)
        screens.background.watch(self._runner.fd, self._poll)
        screens.offer("progress", lambda: ProgressPage(run, session.disk))
        screens.close_all()
        screens.show("progress")

    def _poll(self) -> None:
        if self._runner is None or self._run is None:
            return
        for one in self._runner.poll():
            if isinstance(one, Ended):
                self._screens.background.unwatch(self._runner.fd)
                self._runner.close()
                self._runner = None
                self._finish(one)
                break
            self._run.take(one)
            # A plugin's observer may take its time; the screens don't.
            tell = partial(self._screens.session.talk.tell, one)
            self._screens.submit(tell, lambda _: None, lambda _: None)
        self._screens.refresh()

    def _finish(self, ended: Ended) -> None:
        screens, session = self._screens, self._screens.session
        screens.close_all()
        if ended.code:
            session.phase = Phase.FAILED
            screens.offer("failed", lambda: FailedPage(ended, again=self.again, log=screens.show_log))
            screens.show("failed")
            return
        session.phase = Phase.DONE
        view, run = session.view, self._run
        if view is None or run is None:
            return
        outcome = screens.effects.outcome(view.best)
        if run.host_key:
            outcome = replace(outcome, fingerprint=run.host_key)
        user = view.best.answers[AccessAnswers].admin.name
        afterwards = session.install.afterwards.value
        screens.offer(
            "done",
            lambda: DonePage(
                outcome, user=user, afterwards=afterwards, leave=lambda: screens.end(0), took_s=run.at_s
            ),
        )
        screens.show("done")
