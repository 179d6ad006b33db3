"""The admin token: it opens the web page, is shown once, and is known here only by its hash."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server import clock, events
from server.ca import write_private
from server.database import Database
from server.models import AdminToken, WebSession
from server.tokens import new_secret, secret_hash

_PREFIX = "nca_"
_FILE = "admin-token"


def first_admin_token(database: Database, data: Path, say: Callable[[str], None]) -> None:
    """Make the admin token where there is none yet, and show it on a terminal.

    Without one it is left in a file, so that it stands in no log, until somebody has logged in with it.
    """

    def make(session: Session) -> str | None:
        if session.scalar(select(AdminToken)) is not None:
            return None
        return _make(session, who=events.SERVER)

    secret = database.change(make)
    if secret is None:
        return
    if sys.stdout.isatty():
        say(f"admin token, shown this once: {secret}")
        return
    write_private(data / _FILE, secret.encode() + b"\n")
    say(f"admin token: in {data / _FILE} until the first login")


def reset_admin_token(session: Session, *, who: str) -> str:
    """Make a new admin token; the old one and whoever logged in with it are out."""
    session.execute(delete(AdminToken))
    session.execute(delete(WebSession))
    return _make(session, who=who)


def is_admin(session: Session, secret: str) -> bool:
    """Tell whether a secret is the admin token."""
    return session.get(AdminToken, secret_hash(secret)) is not None


def forget_file(data: Path) -> None:
    """Remove the file of the first token, once it has been read."""
    with contextlib.suppress(FileNotFoundError):
        (data / _FILE).unlink()


def _make(session: Session, *, who: str) -> str:
    secret = new_secret(_PREFIX)
    session.add(AdminToken(sha256=secret_hash(secret), created_at=clock.now()))
    events.record(session, "admin-token", "a new admin token was made", who=who)
    return secret
