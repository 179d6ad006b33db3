"""The events that a node kept while it couldn't reach us, taken over once and in its order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server import clock
from server.models import Node, Reported


@dataclass(frozen=True)
class Told:
    """One event as a node told it."""

    seq: int
    at: datetime
    kind: str
    words: str


def take_over(session: Session, node: Node, key_fingerprint: str, told: Sequence[Told]) -> int:
    """Add what is new of a node's events; gives the highest number that we have of this key."""
    mine = (Reported.node_id == node.id, Reported.key_fingerprint == key_fingerprint)
    numbers = {event.seq for event in told}
    known = set(session.scalars(select(Reported.seq).where(*mine, Reported.seq.in_(numbers))))
    for event in sorted(told, key=lambda event: event.seq):
        if event.seq in known:
            continue
        known.add(event.seq)
        session.add(
            Reported(
                node_id=node.id,
                key_fingerprint=key_fingerprint,
                seq=event.seq,
                at=event.at,
                received_at=clock.now(),
                kind=event.kind,
                words=event.words,
            )
        )
    session.flush()
    return session.scalar(select(func.max(Reported.seq)).where(*mine)) or 0
