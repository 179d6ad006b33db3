"""node-server ca show: what nodes are given to know this server by."""

from __future__ import annotations

import json

import click

from server import clock
from server.ca import open_authority
from server.certificates import grouped
from server.cli.place import place_options
from server.place import Place


@click.group("ca")
def command() -> None:
    """Look at the CA."""


@command.command("show")
@click.option("--pem", is_flag=True, help="Print the certificate itself.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@place_options
def show(*, place: Place, pem: bool, as_json: bool) -> None:
    """Show the CA's SHA-256 fingerprint."""
    ca = open_authority(place.data / "ca", create=False)
    until = clock.to_text(ca.certificate.not_valid_after_utc)
    if as_json:
        data = {"fingerprint": ca.fingerprint, "not_after": until, "certificate": ca.pem.decode()}
        click.echo(json.dumps(data, indent=2))
    elif pem:
        click.echo(ca.pem.decode(), nl=False)
    else:
        click.echo(f"{ca.fingerprint}\n{grouped(ca.fingerprint)}\nvalid until {until}")
