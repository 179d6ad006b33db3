"""What the server goes by: intervals, lifetimes and limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Settings:
    """Numbers that an operator may change; the defaults are the protocol's."""

    heartbeat_s: int = 60
    # How many intervals without a word make a node stale.
    silent_intervals: int = 5
    # How soon a node that waits for an operator asks again.
    pending_retry_s: int = 30
    certificate_life: timedelta = timedelta(days=7)
    # How often one address may be refused to enrol or to log in within a minute, before it has to wait.
    refusals_a_minute: int = 10
    # How long a new connection may take to its first request.
    patience_s: float = 20.0
    # How many connections one process has at a time. One takes about 0.4 MiB, most of it asyncio's buffers
    # for TLS. A node waits 30 s for its answer: with all of them at work, that needs 20 answers a second.
    seats: int = 512
    facts_kept: int = 20
    session_life: timedelta = timedelta(hours=8)

    @property
    def silence(self) -> timedelta:
        """After this long without a word a node is stale."""
        return timedelta(seconds=self.heartbeat_s * self.silent_intervals)
