"""What a node is to the server."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """In the order in which a node goes through them."""

    PENDING = "pending"
    APPROVED = "approved"
    ACTIVE = "active"
    STALE = "stale"
    RETIRED = "retired"


# Those that may use their certificate.
TRUSTED = frozenset({State.APPROVED, State.ACTIVE, State.STALE})
