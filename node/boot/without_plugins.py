"""`nodectl boot --last-good`: tried where rendering died or hung; no plugin is loaded."""

from __future__ import annotations

from node.boot.last_good import read_last_good
from node.boot.outcome import Outcome, bring_about
from node.boot.places import Places
from node.errors import NodeError


class NoLastGoodError(NodeError):
    """CONFIG remembers no good start, or one without a network."""


def boot_last_good(places: Places) -> tuple[str, ...]:
    """Write what the last good start had into the root and give the alarms that were raised.

    NoLastGoodError, with nothing written, where that wouldn't bring the node up with a network.
    """
    last_good = read_last_good(places.config)
    outcome = Outcome(last_good.all, "last-good")
    if not outcome.has_network:
        raise NoLastGoodError(last_good.warning or "CONFIG remembers no good start of this node")
    return bring_about(outcome, places)
