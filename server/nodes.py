"""What an operator, or time, does to a node. Each change is an event of the same transaction."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from node.errors import InputError
from server import clock, events
from server.enrolment import KEY, take_key
from server.models import Mark, Node
from server.states import TRUSTED, State

# Of an id: fewer letters would be many nodes soon.
_SHORTEST = 4
_MANY = 10


def find_node(session: Session, text: str, *, lock: bool = False) -> Node:
    """Give a node by its id, the beginning of it, or its name; InputError where that isn't one node.

    One that is retired is meant only where no other one is.
    """
    query = select(Node).where(or_(Node.id == text, Node.name == text))
    like_an_id = bool(text) and set(text.lower()) <= set("0123456789abcdef-")
    if like_an_id and len(text) >= _SHORTEST:
        query = select(Node).where(or_(Node.id.startswith(text.lower()), Node.name == text))
    if lock:
        query = query.with_for_update()
    found = session.scalars(query.order_by(Node.state == State.RETIRED, Node.created_at).limit(_MANY)).all()
    exact = [node for node in found if node.id == text.lower()]
    found = exact or [node for node in found if node.state != State.RETIRED] or found
    if len(found) == 1:
        return found[0]
    if found:
        ids = "\n".join(f"{node.id} {node.state}" for node in found)
        raise InputError(f"{text!r} is more than one node", details=ids, mend="give the whole id")
    too_short = like_an_id and len(text) < _SHORTEST
    mend = f"at least {_SHORTEST} characters of an id are needed; " if too_short else ""
    raise InputError(f"there is no node {text!r}", mend=mend + "see `node-server nodes list`")


def approve(session: Session, node: Node, *, who: str) -> bool:
    """Let a pending node in; False where it was let in before. InputError where it is retired."""
    if node.state == State.RETIRED:
        raise InputError(f"node {node.id} is retired", mend="it can come back with a new key and a token")
    if node.state != State.PENDING:
        return False
    node.state = State.APPROVED
    events.record(session, "approved", f"key {node.key_fingerprint}", who=who, node_id=node.id)
    return True


def reject(session: Session, node: Node, *, who: str) -> None:
    """Turn a pending node away: it is retired. InputError where it is no longer pending."""
    if node.state != State.PENDING:
        raise InputError(f"node {node.id} is {node.state}, not pending", mend="`nodes retire` ends any node")
    _end(session, node, "rejected", who)


def retire(session: Session, node: Node, *, who: str) -> bool:
    """End a node for good: its key is refused from now on, its machine may enrol anew. False where it was."""
    if node.state == State.RETIRED:
        return False
    _end(session, node, "retired", who)
    return True


def rebind(session: Session, node: Node, fingerprint: str | None, *, who: str) -> str:
    """Give a node's place to another key of its machine: the one named, else the one that was refused last.

    Its state stays; the old key and its certificates are refused from now on. Gives the key's fingerprint.
    """
    if node.state == State.RETIRED:
        raise InputError(f"node {node.id} is retired", mend="it can come back with a new key and a token")
    wanted = fingerprint or node.refused_key
    if wanted is None:
        raise InputError(
            f"no other key asked to be node {node.id}",
            mend="let the machine register first, or give its key's fingerprint by --key",
        )
    holder = session.get(Mark, KEY + wanted)
    if holder is not None and holder.node_id != node.id:
        raise InputError(f"that key is node {holder.node_id}'s")
    old = node.key_fingerprint
    take_key(session, node, wanted, keep_old=False)
    node.refused_key = None
    node.refused_at = None
    # The new key comes with a state of its own, of which nothing is known.
    node.config_etag = None
    events.record(session, "rebound", f"from key {old} to key {wanted}", who=who, node_id=node.id)
    return wanted


def mark_stale(session: Session, silence: timedelta) -> int:
    """Make active nodes stale that said nothing for so long; gives how many."""
    query = select(Node).where(Node.state == State.ACTIVE, Node.last_seen_at < clock.now() - silence)
    nodes = session.scalars(query.with_for_update(skip_locked=True)).all()
    for node in nodes:
        node.state = State.STALE
        seen = clock.to_text(node.last_seen_at) if node.last_seen_at else "never"
        events.record(session, "stale", f"last heard of {seen}", who=events.SERVER, node_id=node.id)
    return len(nodes)


def is_trusted(node: Node) -> bool:
    """Tell whether a node may use its certificate."""
    return node.state in TRUSTED


def _end(session: Session, node: Node, kind: str, who: str) -> None:
    node.state = State.RETIRED
    node.certificate = None
    node.certificate_until = None
    # Its keys stay known, so that they are refused by name; the machine is free for a new one.
    session.execute(delete(Mark).where(Mark.node_id == node.id, ~Mark.mark.startswith(KEY)))
    events.record(session, kind, f"key {node.key_fingerprint}", who=who, node_id=node.id)
