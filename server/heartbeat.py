"""A node's sign of life, and what the server answers."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from server import clock, events
from server.desired import desired_of
from server.models import Node
from server.settings import Settings
from server.states import State

# Up to a tenth more or less, so that nodes that started together don't stay together.
_JITTER = 0.1
# A clock that is further off than this is an event; certificates allow as much (server.certificates.SKEW).
_SKEW_S = 300


@dataclass(frozen=True)
class Sign:
    """What a node says of itself in a heartbeat."""

    boot_id: str
    uptime_s: int
    time: datetime
    facts_sha256: str | None
    config_etag: str | None
    state: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What it is told."""

    next_s: int
    time: str
    facts_wanted: bool
    config_generation: int | None
    config_etag: str | None
    work: list[dict[str, Any]]


def hear(session: Session, node: Node, sign: Sign, settings: Settings) -> Answer:
    """Take a heartbeat; the first one, and one after silence, make the node active."""
    now = clock.now()
    who = f"node:{node.id}"
    if node.state != State.ACTIVE:
        words = "first heartbeat" if node.last_seen_at is None else "heard again"
        events.record(session, "active", words, who=who, node_id=node.id)
        node.state = State.ACTIVE
    if node.boot_id is not None and node.boot_id != sign.boot_id:
        events.record(session, "restarted", f"up for {sign.uptime_s} s", who=who, node_id=node.id)
    skew_s = round((sign.time - now).total_seconds())
    if abs(skew_s) > _SKEW_S and abs(node.clock_skew_s or 0) <= _SKEW_S:
        events.record(session, "clock-wrong", f"its clock is {skew_s} s off", who=who, node_id=node.id)
    node.last_seen_at = now
    node.boot_id = sign.boot_id
    node.uptime_s = sign.uptime_s
    node.clock_skew_s = skew_s
    node.health = json.dumps(sign.state, sort_keys=True)
    node.config_etag = sign.config_etag
    desired = desired_of(session, node)
    return Answer(
        next_s=jittered(settings.heartbeat_s),
        time=clock.to_text(now),
        facts_wanted=node.facts_sha256 is None or node.facts_sha256 != sign.facts_sha256,
        config_generation=desired.generation if desired else None,
        config_etag=desired.etag if desired else None,
        work=[],
    )


def jittered(seconds: int) -> int:
    """Give an interval that differs from one call to the next."""
    return max(1, round(seconds * random.uniform(1 - _JITTER, 1 + _JITTER)))  # noqa: S311 - no secret
