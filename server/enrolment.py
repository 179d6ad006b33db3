"""Enrolment: a key and a machine become one node, once, however often and however many at a time they ask."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server import clock, events
from server.ca import Authority
from server.certificates import key_fingerprint
from server.identity import Identity
from server.models import Event, Mark, Node, Token
from server.refusal import RefusalError
from server.states import State
from server.tokens import find_token, require_token_fits, use_token

KEY = "key:"


@dataclass(frozen=True)
class Asked:
    """What a machine asks with, read and checked."""

    key: ec.EllipticCurvePublicKey
    identity: Identity
    name: str | None
    token: str | None
    address: str
    pool: str | None = None

    @property
    def fingerprint(self) -> str:
        """Of its key."""
        return key_fingerprint(self.key)


def enrol(session: Session, asked: Asked) -> Node:
    """Give the node of a key, or make it where a token allows that. Asking again changes its name only.

    RefusalError for all that is not granted. Two that ask at once make the same marks: the database lets one
    of them through, and `Database.change` lets the other look again.
    """
    node = node_of_key(session, asked.fingerprint)
    if node is None:
        try:
            return _enrol_new(session, asked)
        except RefusalError:
            # The same key may have come first by another post, since we looked: then it is a node, whatever
            # its machine and its token are by now.
            node = node_of_key(session, asked.fingerprint)
            if node is None:
                raise
    if node.state == State.RETIRED:
        words = "this node was retired; a new key and a token make a new one"
        raise RefusalError(403, "retired", words, node_id=node.id)
    _note_other_machine(session, node, asked)
    # A machine may be called otherwise than when it first asked.
    node.name = asked.name or node.name
    return node


def _note_other_machine(session: Session, node: Node, asked: Asked) -> None:
    """Write down, once, that a node's key comes from another machine: a new board, or a copied disk."""
    marks = set(session.scalars(select(Mark.mark).where(Mark.node_id == node.id)))
    if not asked.identity.marks or marks & set(asked.identity.marks):
        return
    words = f"its key comes from another machine: {asked.identity.marks[0]}"
    told = select(Event.words).where(Event.node_id == node.id, Event.kind == "other-machine")
    if session.scalar(told.order_by(Event.id.desc()).limit(1)) != words:
        events.record(session, "other-machine", words, who=f"address:{asked.address}", node_id=node.id)


def _enrol_new(session: Session, asked: Asked) -> Node:
    token = _require_token(session, asked)
    if not asked.identity.marks:
        raise RefusalError(
            400,
            "identity-too-weak",
            "neither a product UUID nor a serial number nor the MAC of a card tells this machine from others",
        )
    # First: who has only a token that is over learns nothing of what we know.
    require_token_fits(token, asked.identity, asked.pool)
    known = session.scalar(select(Mark).where(Mark.mark.in_(asked.identity.marks)))
    if known is not None:
        raise MachineKnownError(known.node_id)
    use_token(session, token)
    return _make(session, asked, token)


class MachineKnownError(RefusalError):
    """Another key for a machine that is a node already: an operator decides."""

    def __init__(self, node_id: str) -> None:
        super().__init__(
            409,
            "machine-known",
            f"this machine is node {node_id} with another key; an operator must rebind it",
        )
        self.machine_of = node_id


def note_refused_key(session: Session, node_id: str, asked: Asked, *, tell: bool) -> None:
    """Remember which other key wants to be a node, for `nodes rebind`; that it is another is an event."""
    node = session.get_one(Node, node_id, with_for_update=True)
    if node.refused_key != asked.fingerprint:
        if tell:
            words = f"key {asked.fingerprint} asks from {asked.address} to be this machine"
            events.record(session, "other-key", words, who=f"address:{asked.address}", node_id=node_id)
        node.refused_key = asked.fingerprint
    node.refused_at = clock.now()


def node_of_key(session: Session, fingerprint: str, *, lock: bool = False) -> Node | None:
    """Give the node that holds a key, no other transaction's until this one ends where it is to `lock`."""
    query = select(Node).join(Mark, Mark.node_id == Node.id).where(Mark.mark == KEY + fingerprint)
    return session.scalar(query.with_for_update(of=Node) if lock else query)


def certificate_for(
    session: Session, node: Node, key: ec.EllipticCurvePublicKey, ca: Authority, life: timedelta
) -> str:
    """Give the certificate of an approved node's key: that which it has, until two thirds are over."""
    if node.certificate and node.certificate_until and node.certificate_until - clock.now() > life / 3:
        same_key = load_pem_x509_certificate(node.certificate.encode()).public_key() == key
        if same_key:
            return node.certificate
    made = ca.issue_node(node.id, key, life)
    node.certificate = made.public_bytes(Encoding.PEM).decode()
    node.certificate_until = made.not_valid_after_utc
    words = f"valid until {clock.to_text(made.not_valid_after_utc)}"
    events.record(session, "certificate-issued", words, who=events.SERVER, node_id=node.id)
    return node.certificate


def take_key(session: Session, node: Node, fingerprint: str, *, keep_old: bool) -> None:
    """Make a key the node's own. The old one stays good until the new one was seen, where `keep_old`.

    RefusalError where another node has it.
    """
    holder = node_of_key(session, fingerprint)
    if holder is not None and holder.id != node.id:
        raise RefusalError(409, "machine-known", "this key belongs to another node")
    node.older_key = keep_old
    if not keep_old:
        drop_other_keys(session, node, fingerprint)
    if holder is None:
        session.add(Mark(mark=KEY + fingerprint, node_id=node.id))
    if node.key_fingerprint != fingerprint:
        node.key_fingerprint = fingerprint
        node.certificate = None
        node.certificate_until = None


def drop_other_keys(session: Session, node: Node, fingerprint: str) -> None:
    """End every key of a node but one."""
    others = (Mark.node_id == node.id, Mark.mark.startswith(KEY), Mark.mark != KEY + fingerprint)
    session.execute(delete(Mark).where(*others))
    node.older_key = False


def _require_token(session: Session, asked: Asked) -> Token:
    if asked.token is None:
        raise RefusalError(401, "token-missing", "a key that isn't known yet needs a token")
    token = find_token(session, asked.token)
    if token is None:
        raise RefusalError(401, "token-unknown", "there is no such token")
    return token


def _make(session: Session, asked: Asked, token: Token) -> Node:
    node = Node(
        id=str(uuid4()),
        state=State.APPROVED if token.auto_approve else State.PENDING,
        pool=token.pool,
        name=asked.name,
        product_uuid=asked.identity.product_uuid,
        vendor=asked.identity.vendor,
        serial=asked.identity.serial,
        macs=json.dumps(asked.identity.macs),
        key_fingerprint=asked.fingerprint,
        created_at=clock.now(),
        address=asked.address,
    )
    session.add(node)
    session.flush()
    for mark in (KEY + asked.fingerprint, *asked.identity.marks):
        session.add(Mark(mark=mark, node_id=node.id))
    session.flush()
    who = f"token:{token.id}"
    words = f"into pool {node.pool}, from {asked.address}, key {asked.fingerprint}"
    events.record(session, "enrolled", words, who=who, node_id=node.id)
    if token.auto_approve:
        events.record(session, "approved", "the token approves by itself", who=who, node_id=node.id)
    return node
