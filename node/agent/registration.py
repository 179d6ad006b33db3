"""A round of registration: every backend that is due is visited, and what it brings is carried out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from node.agent.configuration import Desk, Sections, carry_out, propose
from node.agent.desired import apply_desired
from node.agent.edits import Edit, Operator, edited
from node.agent.standings import (
    due_of,
    next_due,
    read_due,
    read_standings,
    standing_to_data,
    write_due,
    write_standings,
)
from node.errors import NodeError, TryAgainError
from node.model.registration import Around, Backend, Report, Result, Standing
from node.model.state import State
from node.persist.forgetting import forget_in_history
from node.system.time_limit import TooLongError, time_limit

# A visit asks a few times, each within seconds; a whole inventory of many disks takes longest.
VISIT_S = 240.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Named:
    """A backend and the plugin that gave it."""

    plugin: str
    backend: Backend


@dataclass(frozen=True)
class Post:
    """What a round needs of the node.

    `backends` gives those that a state asks for; `around` what one of them gets; `read` makes sections of a
    document; `config` is CONFIG's folder.
    """

    desk: Desk
    config: Path
    backends: Callable[[State], Sequence[Named]]
    around: Callable[[Backend, State], Around]
    read: Callable[[str], Sections]
    uptime_s: Callable[[], float]


@dataclass(frozen=True)
class Round:
    """What a round came to: the last word of every backend, and in how many seconds the next one is due.

    `heard` are the numbers of happenings that each backend which sends them has sent. `next_s` is None where
    nothing is to be done any more.
    """

    standings: Mapping[str, Any]
    next_s: float | None
    heard: tuple[int, ...] = ()


def make_round(post: Post, *, all_now: bool = False, new_key: bool = False) -> Round:
    """Visit the backends that are due, or all, and leave word of it in /run. None suffers from another.

    With `new_key` each one that is visited has the node come with another key.
    """
    run = post.desk.places.run
    state = post.desk.read().state
    before, standings = read_due(run), read_standings(run)
    due, found = {}, {}
    for named in post.backends(state):
        backend = named.backend
        mine = due_of(backend, before)
        if not all_now and (mine.at_s is None or mine.at_s > post.uptime_s()):
            due[backend.name] = mine
            if known := standings.get(backend.name):
                found[backend.name] = known
            continue
        report = _visited(post, named, post.desk.read().state, new_key=new_key)
        if report.used:
            _forget(post, report.used)
            # Its settings are others now, and it was just visited.
            kept = {each.backend.name: each.backend for each in post.backends(post.desk.read().state)}
            backend = kept.get(backend.name, backend)
        due[backend.name] = next_due(backend, mine, report, post.uptime_s())
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        last = standings.get(backend.name)
        found[backend.name] = standing_to_data(report, last, plugin=named.plugin, at=at)
    write_due(run, due)
    write_standings(run, found)
    waits = [max(0.0, each.at_s - post.uptime_s()) for each in due.values() if each.at_s is not None]
    heard = tuple(one["heard"] for one in found.values() if isinstance(one.get("heard"), int))
    return Round(found, min(waits, default=None), heard)


def _visited(post: Post, named: Named, state: State, *, new_key: bool) -> Report:
    backend = named.backend
    try:
        around = post.around(backend, state)
        with time_limit(VISIT_S):
            report = backend.visit(replace(around, new_key=new_key))
    except TryAgainError as error:
        return Report(Standing.WAITING, _brief(error), error.mend)
    except NodeError as error:
        return Report(Standing.REFUSED, _brief(error), error.mend)
    except TooLongError:
        return Report(Standing.WAITING, f"plugin {named.plugin} took too long and was stopped")
    except (Exception, SystemExit) as error:
        _log.exception("plugin %s failed in its registration", named.plugin)
        return Report(
            Standing.REFUSED,
            f"plugin {named.plugin} failed: {type(error).__name__}",
            "Report it to its author",
        )
    return _with_desired(post, named, around, report)


def _with_desired(post: Post, named: Named, around: Around, report: Report) -> Report:
    """Carry out what the server wants, tell it how that ended, and put it into the report."""
    backend, desired = named.backend, report.desired
    if desired is None:
        return report

    def reaches() -> bool:
        try:
            with time_limit(VISIT_S):
                return backend.reaches(post.around(backend, around.state))
        except Exception:
            # A change is in force that only its taking back may follow now.
            _log.exception("plugin %s failed to say whether its server is reached", named.plugin)
            return False

    outcome = apply_desired(post.desk, desired, read=post.read, reaches=reaches)
    try:
        with time_limit(VISIT_S):
            backend.settle(post.around(backend, post.desk.read().state), desired, outcome)
    except Exception as error:
        # It keeps the outcome and tells it next time; what was applied stays so.
        _log.warning("what became of generation %d is not told yet: %s", desired.generation, error)
    if outcome is None:
        return replace(
            report, words=f"{report.words}; generation {desired.generation} waits for another change"
        )
    words = f"{report.words}; generation {desired.generation} {outcome.result.value}: {outcome.words}"
    mend = "" if outcome.result is Result.APPLIED else "Mend the configuration on the server"
    return replace(report, words=words, mend=mend or report.mend)


def _forget(post: Post, keys: Sequence[str]) -> None:
    """Take secrets that were used out of the state, and out of its history."""
    edits = [Edit(tuple(key.split(".")), Operator.SET, None) for key in keys]
    sections = post.desk.read().state.sections
    secrets = [str(value) for key in keys if (value := _at(sections, key))]
    try:
        proposal = propose(post.desk, lambda now: edited(now, edits, {}))
        carry_out(post.desk, proposal, reason="the token is used", timeout_s=None)
    except NodeError as error:
        # A change on trial is in the way, for instance: the next round asks for it again.
        _log.warning("a used secret stays in the configuration for now: %s", error.brief)
        return
    forget_in_history(post.config, secrets)


def _at(sections: Mapping[str, Any], key: str) -> Any:
    place: Any = sections
    for part in key.split("."):
        place = place.get(part) if isinstance(place, Mapping) else None
    return place


def _brief(error: NodeError) -> str:
    return "; ".join([error.brief, *error.details.splitlines()])
