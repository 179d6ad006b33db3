"""node-server config: what is wanted of a node or of a pool."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import TextIO

import click
from sqlalchemy.orm import Session

from node.errors import InputError
from server import desired
from server.cli.place import existing, me, place_options
from server.cli.tables import plain
from server.nodes import find_node
from server.place import Place
from server.pools import pools_to_data

_NODE = click.option("--node", metavar="NODE", help="Of one node: id, its beginning, or name.")
_POOL = click.option("--pool", metavar="NAME", help="Of every node of a pool.")


@click.group("config")
def command() -> None:
    """Say which configuration is wanted; nodes fetch it, signed, and report.

    A document holds sections as `nodectl config set` takes them. A node gets its pool's
    document, with its own sections in place of the pool's.
    """


@command.command("set")
@_NODE
@_POOL
@click.argument("file", type=click.File(encoding="utf-8"))
@place_options
def set_command(*, place: Place, node: str | None, pool: str | None, file: TextIO) -> None:
    """Want FILE (YAML; - reads standard input) of a node or a pool."""
    try:
        document = file.read(desired.LARGEST + 1)
    except UnicodeDecodeError as error:
        raise InputError("the document is not UTF-8") from error
    _say(place, node, pool, document)


@command.command("unset")
@_NODE
@_POOL
@place_options
def unset_command(*, place: Place, node: str | None, pool: str | None) -> None:
    """Want nothing any more."""
    _say(place, node, pool, None)


@command.command("show")
@_NODE
@_POOL
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@place_options
def show_command(*, place: Place, node: str | None, pool: str | None, as_json: bool) -> None:
    """Show what is wanted; of a node that is its pool's and its own, as it gets it."""
    with existing(place).read() as session:
        if node is not None:
            wanted = desired.desired_of(session, find_node(session, node))
            found = (wanted.generation, wanted.document) if wanted else None
        else:
            entry = desired.newest(session, _scope(session, node, pool)[0])
            found = (entry.generation, entry.document or "") if entry else None
    if as_json:
        data = {"generation": found[0], "document": found[1]} if found else None
        click.echo(json.dumps(data, indent=2))
        return
    if found is None:
        click.echo("nothing is wanted", err=True)
        return
    click.echo(f"# generation {found[0]}")
    click.echo("\n".join(plain(line) for line in found[1].splitlines()))


def _say(place: Place, node: str | None, pool: str | None, document: str | None) -> None:
    def work(session: Session) -> tuple[str, str]:
        scope, node_id = _scope(session, node, pool)
        generation = desired.set_desired(session, scope, document, who=me(), node_id=node_id)
        return f"{scope}: generation {generation}", _doubt(session, pool) if pool is not None else ""

    said, doubt = existing(place).change(work)
    click.echo(said)
    if doubt:
        click.echo(doubt, err=True)


def _doubt(session: Session, pool: str) -> str:
    """Say that a pool is of nothing yet, which is what a mistyped one looks like."""
    known = [each["pool"] for each in pools_to_data(session)]
    if pool in known:
        return ""
    near = get_close_matches(pool, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ", and is for those to come"
    return f"note: no node and no token is of the pool '{plain(pool)}' yet{hint}"


def _scope(session: Session, node: str | None, pool: str | None) -> tuple[str, str | None]:
    if (node is None) == (pool is None):
        raise InputError("give either --node or --pool")
    if node is None:
        return desired.pool_scope(pool or ""), None
    node_id = find_node(session, node).id
    return desired.node_scope(node_id), node_id
