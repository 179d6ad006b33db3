"""node-server proxy create: a certificate for a proxy that speaks for nodes."""

from __future__ import annotations

import re
from pathlib import Path

import click

from node.errors import InputError
from server import events
from server.ca import open_authority, write_private
from server.cli.place import existing, me, place_options
from server.known_ca import require_known
from server.names import require_hosts
from server.place import Place


@click.group("proxy")
def command() -> None:
    """Let a TLS proxy stand before the server."""


@command.command("create")
@click.argument("name")
@click.option(
    "--host", "hosts", multiple=True, required=True, metavar="HOST", help="What nodes call it; repeatable."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of proxy.crt, proxy.key.",
)
@place_options
def create(*, place: Place, name: str, hosts: tuple[str, ...], output: Path) -> None:
    """Make certificate and key of the proxy NAME, good for a year.

    Whoever holds this key is believed about which node it speaks for.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{0,40}", name):
        raise InputError(f"{name!r} is no name of a proxy", mend="letters, digits, '.', '-'; 41 at most")
    require_hosts("--host", hosts)
    database = existing(place)
    authority = open_authority(place.data / "ca", create=False)
    with database.read() as session:
        require_known(session, authority.fingerprint)
    certificate, key = authority.issue_proxy(name, hosts)
    output.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(output / "proxy.key", key)
    write_private(output / "proxy.crt", certificate)
    words = f"{name}, for {', '.join(hosts)}"
    database.change(lambda session: events.record(session, "proxy-certificate", words, who=me()))
    click.echo(f"{output / 'proxy.crt'}\n{output / 'proxy.key'}")
