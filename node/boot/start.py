"""What `nodectl boot` does: nothing that the last good start did already, all of it otherwise."""

from __future__ import annotations

from node.boot.outcome import bring_about
from node.boot.places import Places
from node.boot.unchanged import unchanged


def start(places: Places) -> tuple[str, ...]:
    """Bring the state into the root and give the alarms that were raised; raises as `node.boot.boot` does."""
    outcome = unchanged(places)
    if outcome:
        return bring_about(outcome, places)
    from node.boot.boot import boot  # noqa: PLC0415 - loads every plugin

    return boot(places)
