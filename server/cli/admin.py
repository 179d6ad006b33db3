"""node-server admin reset: a new admin token."""

from __future__ import annotations

import click

from server.admin import forget_file, reset_admin_token
from server.cli.place import existing, me, place_options
from server.place import Place


@click.group("admin")
def command() -> None:
    """The admin token, which opens the web page."""


@command.command("reset")
@place_options
def reset(*, place: Place) -> None:
    """Make a new admin token and print it, this once; the old one is over."""
    secret = existing(place).change(lambda session: reset_admin_token(session, who=me()))
    forget_file(place.data)
    click.echo(secret)
