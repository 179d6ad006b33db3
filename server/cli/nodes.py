"""node-server nodes: list, show, approve, reject, rebind, retire."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from node.errors import InputError
from server import clock, nodes
from server.certificates import grouped, read_fingerprint
from server.cli.place import existing, me, place_options
from server.cli.tables import plain, table
from server.models import Node
from server.place import Place
from server.shown import node_to_data, node_with_all
from server.states import State

T = TypeVar("T")


@click.group("nodes")
def command() -> None:
    """Look at nodes, and decide about them."""


@command.command("list")
@click.option("--pool", metavar="NAME", help="Only this pool's.")
@click.option("--state", type=click.Choice([str(state) for state in State]), help="Only those in this state.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@place_options
def list_nodes(*, place: Place, pool: str | None, state: str | None, as_json: bool) -> None:
    """List nodes by pool and state."""
    query = select(Node).order_by(Node.pool, Node.state, Node.created_at)
    if pool:
        query = query.where(Node.pool == pool)
    if state:
        query = query.where(Node.state == state)
    with existing(place).read() as session:
        found = session.scalars(query).all()
    if as_json:
        click.echo(json.dumps([node_to_data(node) for node in found], indent=2))
        return
    rows = [
        [
            node.id,
            node.state,
            node.pool,
            node.name or "",
            clock.to_text(node.last_seen_at) if node.last_seen_at else "never",
        ]
        for node in found
    ]
    click.echo(table(["node", "state", "pool", "name", "last seen"], rows))


@command.command("show")
@click.argument("text", metavar="NODE")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, facts included.")
@place_options
def show(*, place: Place, text: str, as_json: bool) -> None:
    """Show one node: by its id, the beginning of it, or its name."""
    with existing(place).read() as session:
        data = node_with_all(session, nodes.find_node(session, text))
    if as_json:
        click.echo(json.dumps(data, indent=2))
        return
    readable = {"refused_key": grouped(data["refused_key"])} if data["refused_key"] else {}
    for key, value in (data | readable).items():
        if key not in ("facts", "events", "reported", "config_reports"):
            click.echo(f"{key:16} {plain(str(value)) if value not in (None, []) else '-'}")
    if reports := data["config_reports"]:
        click.echo(f"{'config_outcome':16} {plain(_outcome(reports[-1]))}")
    click.echo(f"{'key':16} {grouped(data['key_fingerprint'])}")
    for event in data["events"]:
        click.echo(plain(f"  {event['at']} {event['kind']:12} {event['who']}  {event['words']}"))


def _outcome(report: dict[str, Any]) -> str:
    words = f": {report['words']}" if report["words"] else ""
    return f"generation {report['generation']} {report['result']} {report['at']}{words}"


@command.command("approve")
@click.argument("text", metavar="NODE")
@place_options
def approve(*, place: Place, text: str) -> None:
    """Let a pending node in. Compare its key's fingerprint first."""

    def work(session: Session, node: Node) -> str:
        was_pending = nodes.approve(session, node, who=me())
        return f"{node.id} is {node.state}" + ("" if was_pending else " already")

    click.echo(_change(place, text, work))


@command.command("reject")
@click.argument("text", metavar="NODE")
@place_options
def reject(*, place: Place, text: str) -> None:
    """Turn a pending node away; its key is refused from now on."""

    def work(session: Session, node: Node) -> str:
        nodes.reject(session, node, who=me())
        return f"{node.id} is rejected"

    click.echo(_change(place, text, work))


@command.command("retire")
@click.argument("text", metavar="NODE")
@place_options
def retire(*, place: Place, text: str) -> None:
    """End a node for good: its key and certificate are refused from now on."""

    def work(session: Session, node: Node) -> str:
        was_there = nodes.retire(session, node, who=me())
        return f"{node.id} is retired" + ("" if was_there else " already")

    click.echo(_change(place, text, work))


@command.command("rebind")
@click.argument("text", metavar="NODE")
@click.option("--key", metavar="FINGERPRINT", help="The key's SHA-256; default: the last that was refused.")
@place_options
def rebind(*, place: Place, text: str, key: str | None) -> None:
    """Give a node's place to another key of its machine, as after a new installation.

    Compare the fingerprint with the one that the machine's console shows.
    """
    try:
        wanted = None if key is None else read_fingerprint(key)
    except ValueError as error:
        raise InputError(
            "--key is no SHA-256 fingerprint", mend="64 hexadecimal digits, with or without colons and blanks"
        ) from error

    def work(session: Session, node: Node) -> str:
        taken = nodes.rebind(session, node, wanted, who=me())
        return f"{node.id} is now the key\n{grouped(taken)}"

    click.echo(_change(place, text, work))


def _change(place: Place, text: str, work: Callable[[Session, Node], T]) -> T:
    return existing(place).change(lambda session: work(session, nodes.find_node(session, text, lock=True)))
