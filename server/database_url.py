"""The database's URL, judged before anything is made. It may hold a password, so that it is not repeated."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from node.errors import InputError

_MEND = "as in sqlite:////var/lib/x.db or postgresql://user@host:5432/name?sslmode=verify-full"
# What a file of SQLite begins with (its page on the file format); an empty one is a new database.
_MAGIC = b"SQLite format 3\0"


def read_url(text: str) -> URL:
    """Read the URL of a database; InputError where it is none, or of a kind that we don't have."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise InputError("the database's URL can't be read", mend=_MEND) from error
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite":
        _require_path(url)
    elif url.drivername == "postgresql+psycopg":
        _require_options(url)
    else:
        raise InputError(
            f"databases of the kind {url.drivername} are not known here", mend="use sqlite: or postgresql:"
        )
    return url


def require_file(url: URL) -> None:
    """Do nothing where the file of SQLite is one, or can become one; else InputError.

    Not while this process has it open: to close it here would end the locks that SQLite has on it.
    """
    if url.drivername != "sqlite" or not url.database:
        return
    path = Path(url.database)
    try:
        if not path.parent.is_dir():
            raise InputError(f"there is no folder {path.parent} for the database", mend="make it first")
        if path.is_dir():
            raise InputError(f"{path} is a folder, not a database", mend=_MEND)
        if path.exists():
            with path.open("rb") as file:
                found = file.read(len(_MAGIC))
            if found not in (b"", _MAGIC):
                raise InputError(f"{path} is no database of SQLite", mend="name another file by --database")
    except OSError as error:
        raise InputError(
            f"{path} can't be read: {error.strerror}", mend="run it as the user that it belongs to"
        ) from error


def _require_path(url: URL) -> None:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise InputError("SQLite needs the path of a file", mend="as in sqlite:////var/lib/x.db")
    if url.query or url.host or url.username:
        raise InputError("a URL of SQLite has a path and nothing else", mend="as in sqlite:////var/lib/x.db")


def _require_options(url: URL) -> None:
    """Have libpq read them, which connects to nothing."""
    if url.port is not None and not 0 < url.port < 65536:
        raise InputError(f"the database's URL has the port {url.port}", mend=_MEND)
    engine = create_engine(url)
    _, options = engine.dialect.create_connect_args(url)
    # SQLAlchemy adds what is for psycopg alone.
    options.pop("context", None)
    try:
        make_conninfo(**options)
        int(options.get("connect_timeout", 0))
    except (psycopg.ProgrammingError, ValueError) as error:
        named = re.search(r'connection option "(\w{1,32})"', str(error))
        raise InputError(
            "the database's URL has options that PostgreSQL doesn't take"
            + (f": {named[1]}" if named else ""),
            mend=_MEND,
        ) from error
