"""Changing the configuration of a living node: the one way for the command line and, later, a server.

A change is first proposed, which checks everything and touches nothing, and then carried out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from node.agent.changes import FileChange, at_restart, changed_since, commands_of, compare
from node.agent.lock import PATIENT_WAIT_S, exclusive, to_the_end
from node.agent.masking import difference, said
from node.agent.places import Places
from node.agent.trial import (
    Trial,
    arm,
    disarm,
    forget_trial,
    last_end,
    note_end,
    read_trial,
    uptime_s,
    write_trial,
)
from node.agent.work import (
    Work,
    backward,
    forward,
    link_names,
    of_the_network_at_start,
    perform,
    perform_as_far_as_possible,
)
from node.errors import InputError, NodeError, TryAgainError
from node.model.answers import SectionModel
from node.model.inventory import Nic
from node.model.problem import Problem, errors
from node.model.state import RenderedFile, State
from node.model.system import Commands
from node.persist.store import StoredState

Sections = Mapping[str, Mapping[str, Any]]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checked:
    """Sections as their models give them back, and every problem: errors forbid the change."""

    sections: Sections
    section_versions: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Rendered:
    """What the plugins make of a state; `failures` name those that failed, in words."""

    files: tuple[RenderedFile, ...]
    failures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Desk:
    """What a change needs of the node: where it works, how it is stored, what plugins say of it.

    `read` gives the stored state, NodeError where there is none; `write` puts one in force for a reason,
    `unwrite` takes the one of that reason out again; `try_room` says by a NodeError that `write` would fail.
    `check` judges new sections, the old ones beside them. `settled` hears of a state that is stored and in
    force, and gives words where it could not do its part.
    """

    places: Places
    commands: Commands
    models: Mapping[str, type[SectionModel]]
    read: Callable[[], StoredState]
    write: Callable[[State, str], None]
    unwrite: Callable[[str], None]
    try_room: Callable[[State], None]
    check: Callable[[Sections, Sections], Checked]
    render: Callable[[State], Rendered]
    nics: Callable[[], Sequence[Nic]]
    settled: Callable[[State], str]


@dataclass(frozen=True)
class Proposal:
    """A change that may be carried out. `difference` is shown, secrets masked; `warnings` are in words."""

    before: State
    after: State
    difference: str
    changes: tuple[FileChange, ...]
    warnings: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return self.before == self.after and not self.changes

    @property
    def needs_trial(self) -> bool:
        """Whether it could cut off whoever makes it."""
        return any(change.on_trial for change in self.changes)

    @property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        """The commands that bring it into force."""
        return commands_of(self.changes)

    @property
    def at_restart(self) -> tuple[str, ...]:
        """The files that count only from the next restart on, and keys of the network that do."""
        return (*at_restart(self.changes), *of_the_network_at_start(self.changes))


def propose(desk: Desk, change: Callable[[Sections], Sections], *, thorough: bool = False) -> Proposal:
    """Give what a change of the sections would do; InputError with every problem, nothing is written.

    With `thorough` all rendered files are compared with the root's, not only those that the change renders
    otherwise. A plugin that can't render the new state forbids the change, unless it couldn't the old one.
    """
    stored = desk.read()
    old = stored.state
    checked = desk.check(change(old.sections), old.sections)
    if errors(checked.problems):
        raise InputError("the configuration stays as it was", problems=checked.problems)
    unchanged = said(checked.sections) == said(old.sections)
    new = (
        old
        if unchanged
        else replace(old, sections=checked.sections, section_versions=dict(checked.section_versions))
    )
    before, after = desk.render(old), desk.render(new)
    if fresh := [words for words in after.failures if words not in before.failures]:
        raise NodeError("the configuration stays as it was: it can't be rendered", details="\n".join(fresh))
    changes = compare(
        before.files, after.files, root=desk.places.root, image=desk.places.image, thorough=thorough
    )
    return Proposal(
        old,
        new,
        difference(old.sections, new.sections, desk.models),
        changes,
        (*stored.warnings, *after.failures),
        checked.problems,
    )


def carry_out(
    desk: Desk,
    proposal: Proposal,
    *,
    reason: str,
    timeout_s: int | None,
    still: Callable[[], bool] = lambda: True,
) -> Trial | None:
    """Bring a proposal into force and store it; give the trial where it waits to be confirmed.

    TryAgainError where a trial is under way, or where the state, a file or what `still` tells is no longer as
    it was proposed from. `timeout_s` None puts even what could cut off its maker into force at once. A
    command that fails takes everything back as far as possible, and NodeError says so; the stored state is
    the old one then.
    """
    with exclusive(desk.places.run), to_the_end():
        refuse_beside_trial(desk.places)
        if desk.read().state != proposal.before or not still():
            raise TryAgainError("the configuration was changed meanwhile", mend="Look at it and try again")
        # Programs change some of them too, as passwd does, and must not be undone unseen.
        if other := changed_since(proposal.changes, root=desk.places.root):
            raise TryAgainError(f"{', '.join(other)} was changed meanwhile", mend="Look at it and try again")
        nics, links = desk.nics(), link_names(desk.places.net)
        way, back = forward(proposal.changes, nics, links), backward(proposal.changes, nics, links)
        if proposal.needs_trial and timeout_s is not None:
            trial = Trial(proposal.after, reason, back, timeout_s, uptime_s())
            _begin(desk, trial, way)
            return trial
        if proposal.after != proposal.before:
            desk.write(proposal.after, reason)
        try:
            _perform(desk, way)
        except NodeError as error:
            failures = _take_back(desk, back)
            if proposal.after != proposal.before:
                # Out of the history, too: else the next rollback would bring it back.
                failures += _attempt(lambda: desk.unwrite(reason))
            raise _failed(error, failures) from error
        _settle(desk, proposal.after)
        return None


def refuse_beside_trial(places: Places) -> None:
    """Refuse a change while another one is on trial: TryAgainError."""
    if trial := read_trial(places.run):
        raise TryAgainError(
            "a change that failed could not be taken back whole yet"
            if trial.failed
            else f"a change is on trial for {trial.remaining_s} s more",
            mend="Take it back by nodectl config rollback"
            + ("" if trial.failed else ", or confirm it by nodectl config confirm"),
        )


def confirm(desk: Desk) -> Trial:
    """Store the change that is on trial and end the trial; InputError where there is none."""
    with exclusive(desk.places.run), to_the_end():
        trial = read_trial(desk.places.run)
        if trial is None:
            raise InputError("no change is on trial", details=last_end(desk.places.run))
        if trial.failed:
            raise NodeError(
                "the change failed and could not be taken back whole",
                mend="Try again by nodectl config rollback; a restart brings the old configuration",
            )
        # A CONFIG that takes it no more leaves the trial running: then the node stays as a restart has it.
        if desk.read().state != trial.state:
            desk.write(trial.state, trial.reason)
        forget_trial(desk.places.run)
        disarm(desk.commands)
        _settle(desk, trial.state)
        return trial


def take_back(
    places: Places, commands: Commands, *, why: str, wait_s: float = PATIENT_WAIT_S
) -> tuple[str, ...] | None:
    """Take the change back that is on trial; None where there is none, else the words of what failed.

    It waits up to `wait_s` for another command to end, such as the change itself. Needs neither plugins nor
    the stored state. After failures the record stays, for another try.
    """
    with exclusive(places.run, wait_s=wait_s), to_the_end():
        trial = read_trial(places.run)
        if trial is None:
            return None
        failures = perform_as_far_as_possible(trial.way_back, places, commands)
        if failures:
            write_trial(places.run, replace(trial, failed=True))
        else:
            forget_trial(places.run)
            note_end(places.run, f"The last one ({trial.reason}) {why}.")
        return failures


def _begin(desk: Desk, trial: Trial, way: Work) -> None:
    """Arm the way back and write it down before the first change."""
    run = desk.places.run
    # What could not be stored in the end is not begun.
    desk.try_room(trial.state)
    # A timer without a record does nothing; a record without a timer would stand in the way for ever.
    arm(trial.timeout_s, desk.commands)
    try:
        write_trial(run, trial)
    except OSError as error:
        forget_trial(run)
        disarm(desk.commands)
        raise NodeError(f"{run} can't be written, so nothing was changed: {error.strerror}") from None
    try:
        _perform(desk, way)
    except NodeError as error:
        failures = _take_back(desk, trial.way_back)
        if failures:
            # The timer tries once more.
            write_trial(run, replace(trial, failed=True))
            raise _failed(error, failures) from error
        forget_trial(run)
        disarm(desk.commands)
        raise _failed(error, ()) from error


def _settle(desk: Desk, state: State) -> None:
    if words := desk.settled(state):
        _log.warning("%s", words)


def _perform(desk: Desk, work: Work) -> None:
    perform(work, desk.places, desk.commands)


def _take_back(desk: Desk, work: Work) -> tuple[str, ...]:
    return perform_as_far_as_possible(work, desk.places, desk.commands)


def _attempt(act: Callable[[], None]) -> tuple[str, ...]:
    try:
        act()
    except NodeError as error:
        return (error.brief,)
    return ()


def _failed(error: NodeError, failures: Sequence[str]) -> NodeError:
    """Give the error of a change that was taken back, and what of that failed too."""
    words = "and was taken back" if not failures else "and could not be taken back whole"
    details = [error.details, *(f"taking it back: {failure}" for failure in failures)]
    return NodeError(
        f"the change failed {words}: {error.brief}",
        details="\n".join(line for line in details if line),
        mend="A restart of the node brings the old configuration" if failures else "",
    )
