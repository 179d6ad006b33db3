"""Where a command finds the server's folder and database, and who it is that asks."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from server.database import Database, open_database, require_tables
from server.place import Place


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --data and --database, given to the command as `place`."""

    def with_place(*arguments: Any, data: Path | None, database: str | None, **options: Any) -> Any:
        return command(*arguments, place=make_place(data, database), **options)

    with_place.__doc__ = command.__doc__
    with_place.__name__ = command.__name__
    with_place.__click_params__ = list(getattr(command, "__click_params__", []))  # type: ignore[attr-defined]
    data_option = click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="NODE_SERVER_DATA",
        metavar="DIR",
        help="Folder of the CA and of SQLite's file (or NODE_SERVER_DATA).",
    )
    database_option = click.option(
        "--database",
        envvar="NODE_SERVER_DATABASE",
        metavar="URL",
        help="postgresql://... or sqlite:///... (or NODE_SERVER_DATABASE).",
    )
    return data_option(database_option(with_place))


def make_place(data: Path | None, database: str | None) -> Place:
    """Give the folder and the database, by default /var/lib/node-server for root and SQLite within it."""
    if data is None:
        home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
        data = Path("/var/lib/node-server") if os.geteuid() == 0 else Path(home) / "node-server"
    data = data.absolute()
    return Place(data, database or f"sqlite:///{data / 'node-server.db'}")


def existing(place: Place) -> Database:
    """Open the database of a server that has run; InputError where none has."""
    database = open_database(place.database_url)
    click.get_current_context().call_on_close(database.engine.dispose)
    require_tables(database)
    return database


def me() -> str:
    """Name who changes something here, for the events."""
    try:
        return f"cli:{os.environ.get('SUDO_USER') or getpass.getuser()}"
    except (KeyError, OSError):
        return f"cli:{os.getuid()}"
