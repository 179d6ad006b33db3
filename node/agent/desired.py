"""Applies what a server wants as `nodectl config` does; what would cut the node off is taken back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from node.agent.configuration import (
    Desk,
    Proposal,
    Sections,
    carry_out,
    confirm,
    propose,
    refuse_beside_trial,
    take_back,
)
from node.errors import InputError, NodeError, TryAgainError
from node.model.problem import errors
from node.model.registration import Desired, Outcome, Result

# Long enough for DHCP and a spanning tree; the trial itself outlasts it, should the agent die.
REACH_S = 75.0
TRIAL_S = 150
_PAUSE_S = 3.0
# What ties the node to its servers is the operator's to change, not theirs.
_OURS = ("registration", "cobbler")


def apply_desired(
    desk: Desk,
    desired: Desired,
    *,
    read: Callable[[str], Sections],
    reaches: Callable[[], bool],
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome | None:
    """Bring it into force and give how that ended; None where another change is in the way just now.

    `read` makes sections of the document, InputError where it is none. After the change `reaches` must tell
    that the server can still be reached; else all is taken back. One that was begun before and is not in
    force is not tried again: it may be what cut the node off.
    """
    try:
        refuse_beside_trial(desk.places)
        try:
            proposal = _proposed(desk, desired, read)
        except TryAgainError:
            raise
        except NodeError as error:
            return Outcome(Result.REFUSED, _words(error))
        if proposal.is_empty:
            return Outcome(Result.APPLIED, "the node was so already")
        if desired.resumed:
            return Outcome(Result.ROLLED_BACK, "the node was cut off or restarted while it was tried")
        return _carried_out(desk, proposal, desired, lambda: _comes_back(reaches, sleep, clock))
    except TryAgainError:
        return None


def _proposed(desk: Desk, desired: Desired, read: Callable[[str], Sections]) -> Proposal:
    wanted = read(desired.document)
    if touched := [key for key in _OURS if key in wanted]:
        raise InputError(f"a server can't change {', '.join(touched)}: that would be to cut the node off")
    return propose(desk, lambda sections: laid_over(sections, wanted))


def _carried_out(desk: Desk, proposal: Proposal, desired: Desired, comes_back: Callable[[], bool]) -> Outcome:
    reason = f"generation {desired.generation} of {desired.source}"
    try:
        trial = carry_out(desk, proposal, reason=reason, timeout_s=TRIAL_S)
        if comes_back():
            if trial:
                confirm(desk)
            later = ", ".join(proposal.at_restart)
            words = f"in force; {later} from the next restart on" if later else "in force"
            return Outcome(Result.APPLIED, words)
    except TryAgainError:
        raise
    except NodeError as error:
        return Outcome(Result.ROLLED_BACK, _words(error))
    failures = _put_back(desk, proposal, reason, on_trial=trial is not None)
    words = "the server could not be reached any more, so all was taken back"
    return Outcome(Result.ROLLED_BACK, "; ".join((words, *failures)))


def laid_over(sections: Sections, wanted: Mapping[str, Any]) -> Sections:
    """Lay a document over sections: mappings key by key, all else as a whole; null is the default again."""
    return {**sections, **{key: _over(sections.get(key), value) for key, value in wanted.items()}}


def _over(below: Any, above: Any) -> Any:
    if not isinstance(above, Mapping):
        return {} if above is None and isinstance(below, Mapping) else above
    found = dict(below) if isinstance(below, Mapping) else {}
    for key, value in above.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = _over(found.get(key), value)
    return found


def _comes_back(
    reaches: Callable[[], bool], sleep: Callable[[float], None], clock: Callable[[], float]
) -> bool:
    until = clock() + REACH_S
    while True:
        if reaches():
            return True
        if clock() >= until:
            return False
        sleep(_PAUSE_S)


def _put_back(desk: Desk, proposal: Proposal, reason: str, *, on_trial: bool) -> tuple[str, ...]:
    if on_trial:
        why = "cut the node off from its server and was taken back"
        return take_back(desk.places, desk.commands, why=why) or ()
    try:
        back = propose(desk, lambda _: proposal.before.sections, thorough=True)
        carry_out(desk, back, reason=f"back from {reason}", timeout_s=None)
    except NodeError as error:
        return (f"not whole: {_words(error)}",)
    return ()


def _words(error: NodeError) -> str:
    """Give an error in one line; the texts of problems never repeat a secret."""
    problems = errors(error.problems) if isinstance(error, InputError) else ()
    parts = [error.brief, *(f"{p.where}: {p.what}" for p in problems), *error.details.splitlines()[-1:]]
    return "; ".join(part for part in parts if part)
