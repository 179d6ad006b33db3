"""Where a server keeps what it has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """A folder (CA, admin token's file) and a database."""

    data: Path
    database_url: str
