"""The side of the console that has the rights: it reads the node, lets admins in and changes for them.

Nothing that is asked is believed: who may do what is decided here, by what this process itself saw.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from node.agent.configuration import Desk, Proposal, carry_out, confirm, propose, take_back
from node.agent.edits import Edit, Operator, edited, parse_path
from node.agent.masking import masked
from node.agent.trial import DEFAULT_TIMEOUT_S, Trial, disarm, last_end, read_trial
from node.console.login import Verdict
from node.console.tries import Tries
from node.console.views import POWER_OFF, REBOOT, Change, Overview, Proposed, Standing, TrialView
from node.errors import InputError, NodeError, UnfitMachineError

IDLE_S = 600.0
_LOG_LINES = 2000
_ACCESS = "access"


@dataclass(frozen=True)
class Surroundings:
    """What the clerk has of the node; in tests and demonstrations none of it is real.

    `desk` gives the desk for changes. `judge` judges a user's password, `note` writes a line of the system's
    authentication log, `leave` restarts or switches off. `timeout_s` is how long a trial waits. `rest` is
    called when nothing more will be asked of the desk for a while. `stamp` changes with what is stored; None
    is unlike any other.
    """

    desk: Callable[[], Desk]
    overview: Callable[[], Overview]
    log: Callable[[int], Sequence[str]]
    lost: Callable[[], Sequence[str]]
    judge: Callable[[str, str], Verdict]
    tries: Tries
    note: Callable[[str], None]
    leave: Callable[[str], None]
    place: str
    timeout_s: int = DEFAULT_TIMEOUT_S
    clock: Callable[[], float] = time.monotonic
    rest: Callable[[], None] = lambda: None
    stamp: Callable[[], object] = lambda: None


@dataclass
class _Seen:
    """Who logged in, and when that one was last heard of; `lasting` is somebody who was root before."""

    user: str = ""
    at: float = 0.0
    lasting: bool = False
    number: int = 0
    proposal: Proposal | None = None
    keys: tuple[str, ...] = ()
    lock: Lock = field(default_factory=Lock)


class Clerk:
    """Fulfils `Calls` on the node itself. `user` is who needs no log-in, being root already."""

    def __init__(self, around: Surroundings, *, user: str = "") -> None:
        self._around = around
        self._seen = _Seen(user=user, lasting=bool(user))
        self._stamp: object = None
        self._rules = (True, Standing.admin)

    # Reading

    def standing(self) -> Standing:
        """Say who stands here."""
        # Screens ask all the time, and reading asks every plugin that has a section.
        stamp = self._around.stamp()
        if stamp is None or stamp != self._stamp:
            self._rules, is_sure = self._read_rules()
            self._stamp = stamp if is_sure else None
            self._rest()
        reading, admin = self._rules
        user = self._user()
        return Standing(user, admin if reading or user else "", reading)

    def _read_rules(self) -> tuple[tuple[bool, str], bool]:
        """Give whether anybody may read, and the admin's name; and whether that holds till it is replaced."""
        reading, admin, is_sure = True, Standing.admin, True
        try:
            access = self._around.desk().read().state.sections.get(_ACCESS, {})
            reading = bool(access.get("console_reading", True))
            admin = str((access.get("admin") or {}).get("name") or admin)
        except UnfitMachineError:
            pass  # nothing is stored, so nothing is turned off
        except NodeError:
            reading, is_sure = False, False  # what was turned off can't be read, this time
        return (reading, admin), is_sure

    def overview(self) -> Overview:
        """Read how the node is, and whether a change is on trial."""
        self._require_reading()
        run = self._around.desk().places.run
        trial = None
        try:
            if found := read_trial(run):
                trial = _view(found)
        except NodeError as error:
            trial = TrialView(error.brief, 0, failed=True)
        return replace(self._around.overview(), trial=trial, last_end=last_end(run))

    def settings(self) -> dict[str, Any]:
        """Give the stored sections, masked."""
        self._require_reading()
        desk = self._around.desk()
        found = masked(desk.read().state.sections, desk.models)
        self._rest()
        return found

    def log(self, lines: int) -> tuple[str, ...]:
        """Give the last lines of the journal."""
        self._require_reading()
        return tuple(self._around.log(max(1, min(lines, _LOG_LINES))))

    def lost(self) -> tuple[str, ...]:
        """Say what a restart would lose."""
        self._require_reading()
        return tuple(self._around.lost())

    # Logging in

    def login(self, user: str, password: str) -> Standing:
        """Let an admin in."""
        around = self._around
        around.tries.wait()
        verdict = around.judge(user, password)
        if verdict is not Verdict.ADMITTED:
            # Whoever errs types a password where the name belongs, so the name isn't written down.
            around.note(f"failed log-in on {around.place}")
            around.tries.failed()
            raise InputError(verdict.value)
        around.tries.passed()
        around.note(f"log-in of {user} on {around.place}")
        with self._seen.lock:
            self._seen.user, self._seen.at, self._seen.lasting = user, around.clock(), False
        return self.standing()

    def logout(self) -> Standing:
        """Forget who logged in."""
        if user := self._user():
            self._around.note(f"log-out of {user} on {self._around.place}")
        self._forget()
        return self.standing()

    def stay(self) -> Standing:
        """Hear of who logged in."""
        if self._user():
            self._seen.at = self._around.clock()
        return self.standing()

    # Changing

    def propose(self, changes: Sequence[Change]) -> Proposed:
        """Say what changes would do."""
        self._require_admin()
        desk = self._around.desk()
        edits = [Edit(parse_path(each.key), Operator.SET, each.value) for each in changes]
        defaults = {key: model().model_dump(mode="json") for key, model in desk.models.items()}
        proposal = propose(desk, lambda sections: edited(sections, edits, defaults))
        seen = self._seen
        seen.number += 1
        seen.proposal, seen.keys = proposal, tuple(each.key for each in changes)
        return Proposed(
            seen.number,
            proposal.difference,
            proposal.at_restart,
            tuple(" ".join(argv) for argv in proposal.commands),
            proposal.needs_trial,
            proposal.is_empty,
            proposal.warnings,
            proposal.problems,
        )

    def carry_out(self, number: int) -> TrialView | None:
        """Do what was last proposed."""
        user = self._require_admin()
        seen = self._seen
        if seen.proposal is None or number != seen.number:
            raise InputError("this is not what was proposed last", mend="Apply it again")
        reason = f"console {self._around.place}: {', '.join(seen.keys)}, by {user}"
        proposal, seen.proposal = seen.proposal, None
        trial = carry_out(self._around.desk(), proposal, reason=reason, timeout_s=self._around.timeout_s)
        return _view(trial) if trial else None

    def confirm(self) -> str:
        """Keep the change that is on trial."""
        self._require_admin()
        return confirm(self._around.desk()).reason

    def take_back(self) -> None:
        """Take it back."""
        self._require_admin()
        desk = self._around.desk()
        failures = take_back(desk.places, desk.commands, why="was taken back at the console")
        if failures:
            raise NodeError(
                "the change on trial could not be taken back whole",
                details="\n".join(failures),
                mend="A restart of the node brings the old configuration",
            )
        disarm(desk.commands)

    def leave(self, how: str) -> None:
        """Restart or switch off."""
        user = self._require_admin()
        if how not in (REBOOT, POWER_OFF):
            raise InputError(f"a node can't be left by '{how}'")
        self._around.note(f"{how} by {user} on {self._around.place}")
        self._around.leave(how)

    def _user(self) -> str:
        seen = self._seen
        if seen.user and not seen.lasting and self._around.clock() - seen.at > IDLE_S:
            self._forget()
        return seen.user

    def _forget(self) -> None:
        with self._seen.lock:
            self._seen.user, self._seen.lasting, self._seen.proposal = "", False, None
        self._rest()

    def _rest(self) -> None:
        if not self._seen.user:
            self._around.rest()

    def _require_admin(self) -> str:
        if not (user := self._user()):
            raise InputError("nobody is logged in", mend="Log in as an admin first")
        self._seen.at = self._around.clock()
        return user

    def _require_reading(self) -> None:
        if not self.standing().may_read:
            raise InputError("reading is turned off at this console", mend="Log in as an admin first")


def _view(trial: Trial) -> TrialView:
    return TrialView(trial.reason, trial.remaining_s, trial.failed)
