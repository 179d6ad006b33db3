"""Enrolment tokens: made, found by their hash, used up in the transaction that makes the node."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from node.errors import InputError
from server import clock, events
from server.identity import Identity, read_card, read_own_uuid
from server.models import Token
from server.refusal import RefusalError

# 256 bits from the system's source of randomness: nothing that can be guessed, so that one SHA-256 hides it.
_SECRET_BYTES = 32
# By the second one nodes know what may stand on a kernel command line (node.model.registration).
PREFIX, KERNEL_PREFIX = "nct_", "nck_"
POOL = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
# The longest life of a token that stands on a kernel command line, which anyone on the machine can read.
KERNEL_TTL = timedelta(hours=1)


@dataclass(frozen=True)
class TokenTerms:
    """What a token is good for. One that may stand on a kernel command line begins so that nodes see it."""

    pool: str
    ttl: timedelta
    uses: int = 1
    auto_approve: bool = False
    bound_uuid: str | None = None
    bound_mac: str | None = None
    for_kernel: bool = False


def secret_hash(secret: str) -> str:
    """Give what is stored of a secret that we made."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def new_secret(prefix: str) -> str:
    """Make a secret that stands in a URL or on a command line as it is."""
    return prefix + secrets.token_urlsafe(_SECRET_BYTES)


def create_token(session: Session, terms: TokenTerms, *, who: str) -> tuple[Token, str]:
    """Make a token; the secret is given this once. InputError for a pool or a binding that can't be."""
    if not re.fullmatch(POOL, terms.pool):
        raise InputError(
            f"{terms.pool!r} is no name of a pool", mend="letters, digits, '.', '_', '-'; 64 at most"
        )
    try:
        # An empty one is an empty variable of a script: unbound is not what was meant.
        uuid = None if terms.bound_uuid is None else read_own_uuid(terms.bound_uuid)
        mac = None if terms.bound_mac is None else read_card(terms.bound_mac)
    except ValueError as error:
        raise InputError(
            f"a token can't be bound to that: {error}", mend="see `nodectl inventory` on the machine"
        ) from error
    if terms.for_kernel and (terms.uses != 1 or terms.ttl > KERNEL_TTL or not (uuid or mac)):
        raise InputError(
            "a token for the kernel command line has one use, is bound, and is good for an hour at most",
            mend="as in --ttl 1h --uses 1 --bind-mac 52:54:00:12:34:56",
        )
    secret = new_secret(KERNEL_PREFIX if terms.for_kernel else PREFIX)
    now = clock.now()
    token = Token(
        id=f"t-{secrets.token_hex(4)}",
        sha256=secret_hash(secret),
        pool=terms.pool,
        created_at=now,
        created_by=who,
        expires_at=now + terms.ttl,
        uses=terms.uses,
        used=0,
        auto_approve=terms.auto_approve,
        bound_uuid=uuid,
        bound_mac=mac,
    )
    session.add(token)
    approves = ", approves by itself" if terms.auto_approve else ""
    until = clock.to_text(token.expires_at)
    words = f"{token.id} for pool {terms.pool}, {terms.uses} uses until {until}{approves}"
    events.record(session, "token-created", words, who=who)
    return token, secret


def revoke_token(session: Session, token_id: str, *, who: str) -> Token:
    """End a token now; that of one that ended already changes nothing. InputError where there is none."""
    token = session.get(Token, token_id)
    if token is None:
        raise InputError(f"there is no token {token_id}", mend="see `node-server token list`")
    if token.revoked_at is None:
        token.revoked_at = clock.now()
        events.record(session, "token-revoked", token_id, who=who)
    return token


def find_token(session: Session, secret: str) -> Token | None:
    """Give the token of a secret, None where there is none (or no more)."""
    token = session.scalar(select(Token).where(Token.sha256 == secret_hash(secret)))
    return None if token is None or token.revoked_at is not None else token


def require_token_fits(token: Token, identity: Identity, pool: str | None) -> None:
    """Raise RefusalError where a token is expired, used up, for another machine or for another `pool`.

    The pool is the token's to give. A node that names one gets no other: what is wanted of one pool may be
    of no use, or not to be known, in another.
    """
    if token.expires_at <= clock.now():
        raise RefusalError(403, "token-expired", f"token {token.id} expired")
    if token.bound_uuid and token.bound_uuid != identity.product_uuid:
        raise RefusalError(403, "token-wrong-machine", f"token {token.id} is bound to another product UUID")
    if token.bound_mac and token.bound_mac not in identity.macs:
        raise RefusalError(403, "token-wrong-machine", f"token {token.id} is bound to another MAC")
    if pool is not None and pool != token.pool:
        raise RefusalError(403, "token-wrong-pool", f"token {token.id} is for pool {token.pool}, not {pool}")
    if token.used >= token.uses:
        raise used_up(token)


def use_token(session: Session, token: Token) -> None:
    """Count a use; RefusalError where another one took the last."""
    changed = session.execute(
        update(Token)
        .where(Token.id == token.id, Token.used < Token.uses, Token.revoked_at.is_(None))
        .values(used=Token.used + 1)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined] # of an UPDATE it is a CursorResult
        raise used_up(token)


def used_up(token: Token) -> RefusalError:
    """Give the refusal of a token that was used as often as it may be."""
    return RefusalError(
        403, "token-used-up", f"token {token.id} was used {token.uses} times, as often as it may be"
    )


def token_state(token: Token) -> str:
    """Say what a token is now: good, revoked, used up or expired."""
    if token.revoked_at is not None:
        return "revoked"
    if token.used >= token.uses:
        return "used up"
    return "expired" if token.expires_at <= clock.now() else "good"
