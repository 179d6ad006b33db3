"""node-server events and pools: what happened, and how many nodes are where."""

from __future__ import annotations

import json

import click

from server.cli.place import existing, place_options
from server.cli.tables import plain, table
from server.nodes import find_node
from server.place import Place
from server.pools import pools_to_data
from server.shown import events_to_data
from server.states import State


@click.command("events")
@click.option("--node", "text", metavar="NODE", help="Only this node's.")
@click.option("--last", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@place_options
def events_command(*, place: Place, text: str | None, last: int, as_json: bool) -> None:
    """Show what happened, when, and who did it; the newest last."""
    with existing(place).read() as session:
        node_id = find_node(session, text).id if text else None
        data = events_to_data(session, node_id, last)
    if as_json:
        click.echo(json.dumps(data, indent=2))
        return
    for event in data:
        click.echo(
            plain(
                f"{event['at']} {event['kind']:19} {event['node_id'] or '-':36} "
                f"{event['who']}  {event['words']}"
            )
        )


@click.command("pools")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@place_options
def pools_command(*, place: Place, as_json: bool) -> None:
    """Show the pools, with their nodes by state and the tokens that lead there."""
    with existing(place).read() as session:
        data = pools_to_data(session)
    if as_json:
        click.echo(json.dumps(data, indent=2))
        return
    rows = [
        [entry["pool"], *(str(entry["nodes"][state]) for state in State), str(entry["tokens"])]
        for entry in data
    ]
    click.echo(table(["pool", *State, "tokens"], rows))
