"""node-server token create, list and revoke."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import click
from sqlalchemy import select

from server import clock
from server.cli.place import existing, me, place_options
from server.cli.spans import span
from server.cli.tables import table
from server.models import Token
from server.place import Place
from server.tokens import KERNEL_TTL, TokenTerms, create_token, revoke_token, token_state

_TTL = timedelta(days=1)


@click.group("token")
def command() -> None:
    """Make, list and revoke enrolment tokens."""


@command.command("create")
@click.option("--pool", default="default", show_default=True, metavar="NAME", help="Where its nodes belong.")
@click.option("--ttl", type=span, show_default="1d; 1h with --kernel-argument", help="How long it is good.")
@click.option(
    "--uses", type=click.IntRange(1, 1_000_000), default=1, show_default=True, help="How many nodes."
)
@click.option("--auto-approve", is_flag=True, help="Its nodes need no operator.")
@click.option("--bind-uuid", metavar="UUID", help="Good only for this product UUID.")
@click.option("--bind-mac", metavar="MAC", help="Good only for a machine with this MAC.")
@click.option(
    "--kernel-argument",
    is_flag=True,
    help="For a kernel command line, which anyone on the machine reads: one use, bound, an hour at most.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@place_options
def create(
    *,
    place: Place,
    pool: str,
    ttl: timedelta | None,
    uses: int,
    auto_approve: bool,
    bind_uuid: str | None,
    bind_mac: str | None,
    kernel_argument: bool,
    as_json: bool,
) -> None:
    """Make a token and print it, this once."""
    ttl = ttl or (KERNEL_TTL if kernel_argument else _TTL)
    terms = TokenTerms(pool, ttl, uses, auto_approve, bind_uuid, bind_mac, for_kernel=kernel_argument)
    token, secret = existing(place).change(lambda session: create_token(session, terms, who=me()))
    if as_json:
        click.echo(json.dumps({"token": secret, **_to_data(token)}, indent=2))
        return
    click.echo(secret)
    click.echo(f"{token.id}: pool {pool}, {uses} uses until {clock.to_text(token.expires_at)}", err=True)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@place_options
def list_tokens(*, place: Place, as_json: bool) -> None:
    """List tokens; their secrets are not known here."""
    with existing(place).read() as session:
        tokens = session.scalars(select(Token).order_by(Token.created_at)).all()
    data = [_to_data(token) for token in tokens]
    if as_json:
        click.echo(json.dumps(data, indent=2))
        return
    rows = [
        [
            entry["id"],
            entry["state"],
            entry["pool"],
            f"{entry['used']}/{entry['uses']}",
            entry["expires_at"],
            "approves" if entry["auto_approve"] else "",
            entry["bound_uuid"] or entry["bound_mac"] or "",
        ]
        for entry in data
    ]
    click.echo(table(["token", "state", "pool", "used", "until", "", "bound to"], rows))


@command.command("revoke")
@click.argument("token_id", metavar="TOKEN")
@place_options
def revoke(*, place: Place, token_id: str) -> None:
    """End a token now, by its id as `token list` shows it."""
    existing(place).change(lambda session: revoke_token(session, token_id, who=me()))
    click.echo(f"{token_id} is revoked")


def _to_data(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "state": token_state(token),
        "pool": token.pool,
        "uses": token.uses,
        "used": token.used,
        "expires_at": clock.to_text(token.expires_at),
        "auto_approve": token.auto_approve,
        "bound_uuid": token.bound_uuid,
        "bound_mac": token.bound_mac,
        "created_at": clock.to_text(token.created_at),
        "created_by": token.created_by,
    }
