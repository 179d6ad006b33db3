"""Refusals are counted and written down, but seldom: who has no secret fills no table."""

from __future__ import annotations

from server import events
from server.refusal import RefusalError
from server.site import Site
from server.slowdown import source_of

# That it was retired is an event by itself; this one is that it still speaks.
_KINDS = {"retired": "retired-asks"}


def note_refusal(site: Site, error: RefusalError, *, who: str, of: str) -> None:
    """Make a refusal an event: the first within an hour of its code and of whom (`of`) it was refused."""
    if not site.told.is_time(f"{error.code} {of}"):
        return
    kind = _KINDS.get(error.code, error.code)
    site.database.change(
        lambda session: events.record(session, kind, error.detail, who=who, node_id=error.node_id)
    )


def count_refusal(site: Site, error: RefusalError, address: str) -> None:
    """Count and note what an address was refused; RefusalError (429 slow-down) where that was too much."""
    source, who = source_of(address), f"address:{address}"
    wait_s = site.refused.count(address)
    note_refusal(site, error, who=who, of=error.node_id or source)
    if not wait_s:
        return
    words = "too much was refused to this address; wait"
    slow = RefusalError(429, "slow-down", words, retry_after_s=wait_s)
    note_refusal(site, slow, who=who, of=source)
    raise slow from error
