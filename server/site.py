"""What a running server consists of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from server.ca import Authority
from server.database import Database
from server.settings import Settings
from server.slowdown import Slowdown


@dataclass(frozen=True)
class Site:
    """The database, the CA and the numbers that all requests go by."""

    database: Database
    authority: Authority
    settings: Settings
    data: Path
    wrong_secrets: Slowdown = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "wrong_secrets", Slowdown(self.settings.wrong_tokens_a_minute))
