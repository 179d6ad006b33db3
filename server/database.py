"""The database: SQLite or PostgreSQL by URL, changed in transactions that are whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from node.errors import InputError, TryAgainError
from server.database_url import read_url, require_file

T = TypeVar("T")
# What is raised while a database is away.
AWAY = (OperationalError, InterfaceError, PoolTimeoutError)
# As many requests are worked on at a time (anyio's threads); PostgreSQL has 100 for everybody by default.
CONNECTIONS = 40
# Two that want the same row at once: the one that lost looks again, and finds what the other made.
_ATTEMPTS = 5
# Serialization failure and deadlock (PostgreSQL's appendix A).
_AGAIN = ("40001", "40P01")
# Any number, ours alone: whoever migrates holds it.
_MIGRATION_LOCK = 0x6E6F6465


class Database:
    """Transactions on one database. Threads may share it; a process that forked needs one of its own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        # SQLite has one writer at a time and lets others poll; within a process a lock is quicker and fair.
        self._writer: AbstractContextManager[Any] = threading.Lock() if self._is_sqlite else nullcontext()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a transaction that only reads."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a transaction that is kept when the block ends, and undone when it raises."""
        with self._writer, Session(self.engine, expire_on_commit=False) as session:
            if self._is_sqlite:
                session.connection(execution_options={"writes": True})
            yield session
            session.commit()

    def change(self, work: Callable[[Session], T]) -> T:
        """Do `work` in one transaction, again from its start where another one came first."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self.write() as session:
                    return work(session)
            except (IntegrityError, OperationalError) as error:
                again = isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", "") in _AGAIN
                if not again or attempt == _ATTEMPTS:
                    raise
        raise AssertionError("unreachable")


def open_database(url: str, *, connections: int = CONNECTIONS) -> Database:
    """Open a database, with so many connections at most to one that is a server.

    InputError where the URL is none, or names a kind that we don't have.
    """
    parsed = read_url(url)
    if parsed.drivername == "sqlite":
        return Database(_sqlite(parsed))
    kept = min(10, connections)
    engine = create_engine(
        parsed,
        pool_size=kept,
        max_overflow=connections - kept,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    return Database(engine)


def _sqlite(url: URL) -> Engine:
    engine = create_engine(
        url, connect_args={"timeout": 30}, pool_size=10, max_overflow=50, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, record: object) -> None:
        del record
        # Transactions begin below, since the driver's own would let a reader become a writer too late.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def migrate(database: Database) -> None:
    """Bring the tables to our version: made from nothing, or step by step; one process at a time.

    TryAgainError where the database can't be reached, InputError where it is of a newer server or is none.
    """
    from alembic import command  # noqa: PLC0415 - slow to load, and only a server migrates
    from alembic.config import Config  # noqa: PLC0415

    require_file(database.engine.url)
    config = Config()
    config.set_main_option("script_location", str(files("server") / "migrations"))
    try:
        with database.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": _MIGRATION_LOCK})
                connection.commit()
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            finally:
                if connection.dialect.name == "postgresql":
                    connection.rollback()
                    connection.execute(
                        text("SELECT pg_advisory_unlock(:number)"), {"number": _MIGRATION_LOCK}
                    )
                connection.commit()
    except OperationalError as error:
        raise away(error) from error
    except Exception as error:
        if "Can't locate revision" in str(error):
            raise InputError(
                "the database is of a newer node-server", mend="start the newer one, or restore a backup"
            ) from error
        raise


def require_tables(database: Database) -> None:
    """Do nothing where a server has run on this database; else InputError or TryAgainError."""
    url = database.engine.url
    if url.drivername == "sqlite" and url.database and not Path(url.database).exists():
        raise InputError(
            f"there is no database {url.database}",
            mend="start `node-server run` first, or name another by --data or --database",
        )
    require_file(url)
    try:
        if inspect(database.engine).has_table("node"):
            return
    except OperationalError as error:
        raise away(error) from error
    raise InputError("no server has run on this database", mend="start `node-server run` first")


def away(error: DBAPIError) -> TryAgainError:
    """Give the error of a database that isn't there, without its URL's password."""
    return TryAgainError("the database can't be reached", details=first_line(error))


def first_line(error: SQLAlchemyError) -> str:
    """Give what the database's driver said, in a line."""
    lines = str(getattr(error, "orig", error)).strip().splitlines()
    return lines[0] if lines else ""
