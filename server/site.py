"""What a running server consists of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from server.ca import Authority
from server.database import Database
from server.settings import Settings
from server.slowdown import Seldom, Slowdown


@dataclass(frozen=True)
class Site:
    """The database, the CA and the numbers that all requests go by."""

    database: Database
    authority: Authority
    settings: Settings
    data: Path
    refused: Slowdown = field(init=False)
    # Refusals that became events.
    told: Seldom = field(init=False, default_factory=Seldom)

    def __post_init__(self) -> None:
        object.__setattr__(self, "refused", Slowdown(self.settings.refusals_a_minute))
