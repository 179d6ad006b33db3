"""node-server run."""

from __future__ import annotations

from datetime import timedelta

import click

from server.cli.place import place_options
from server.cli.spans import span
from server.place import Place
from server.settings import Settings


@click.command("run")
@click.option(
    "--listen", default="0.0.0.0:8443", show_default=True, metavar="ADDR", help="As ADDR, ADDR:PORT or :PORT."
)
@click.option(
    "--name", "names", multiple=True, metavar="HOST", help="Further name of this server; repeatable."
)
@click.option(
    "--heartbeat",
    type=span,
    default="60s",
    show_default=True,
    help="How often nodes report; silent 5 times, they are stale.",
)
@click.option(
    "--certificate-life",
    type=span,
    default="7d",
    show_default=True,
    help="Of the nodes' certificates, which they renew by themselves.",
)
@click.option(
    "--patience",
    type=span,
    default="20s",
    show_default=True,
    help="How long a new connection may take to its first request.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes that serve the port; several need PostgreSQL.",
)
@click.option(
    "--connections",
    type=click.IntRange(1, 65536),
    default=512,
    show_default=True,
    metavar="N",
    help="Connections that each worker has at a time; further ones wait.",
)
@click.option(
    "--refusals",
    type=click.IntRange(1, 1_000_000),
    default=10,
    show_default=True,
    metavar="N",
    help="How often an address is refused within a minute, before it has to wait.",
)
@click.option(
    "--new-ca",
    is_flag=True,
    help="Take the CA of DATA/ca, or one made anew, in place of the one that nodes know.",
)
@place_options
def command(
    *,
    place: Place,
    listen: str,
    names: tuple[str, ...],
    heartbeat: timedelta,
    certificate_life: timedelta,
    patience: timedelta,
    workers: int,
    connections: int,
    refusals: int,
    new_ca: bool,
) -> None:
    """Serve nodes and the web page over HTTPS.

    Starts from nothing: makes its CA, its certificate and an admin token. Prints
    `ready https://...` when it listens. Ctrl-C ends it.
    """
    from server.running import Offer, run  # noqa: PLC0415 - what only a server needs is slow to load

    settings = Settings(
        heartbeat_s=round(heartbeat.total_seconds()),
        certificate_life=certificate_life,
        patience_s=patience.total_seconds(),
        refusals_a_minute=refusals,
        seats=connections,
    )
    run(place, Offer(listen, names, workers, new_ca), settings, click.echo)
