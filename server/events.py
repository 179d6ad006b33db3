"""What happened, written down in the transaction that makes it happen."""

from __future__ import annotations

from sqlalchemy.orm import Session

from server import clock
from server.models import Event

SERVER = "server"


def record(session: Session, kind: str, words: str, *, who: str, node_id: str | None = None) -> None:
    """Add an event. `words` holds no secret and is not believed by whoever shows it."""
    session.add(Event(at=clock.now(), node_id=node_id, kind=kind, who=who[:64], words=words[:2000]))
