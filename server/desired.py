"""What an operator wants of a node: its pool's document with the node's own sections over it."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import Any

import yaml
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from node.errors import InputError
from server import clock, events
from server.models import Configuration, ConfigurationReport, Node

LARGEST = 256 * 1024


@dataclass(frozen=True)
class Desired:
    """A document for one node, and how often it was changed."""

    generation: int
    document: str
    node_id: str

    @property
    def etag(self) -> str:
        """What tells this document and generation from any other, in quotes as HTTP has it."""
        text = f"{self.node_id}\n{self.generation}\n{self.document}"
        return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def node_scope(node_id: str) -> str:
    """Name the documents of one node."""
    return f"node:{node_id}"


def pool_scope(pool: str) -> str:
    """Name the documents of a pool."""
    return f"pool:{pool}"


def desired_of(session: Session, node: Node) -> Desired | None:
    """Give what is wanted of a node; None where nobody ever said."""
    scopes = (pool_scope(node.pool), node_scope(node.id))
    last = select(func.max(Configuration.generation)).where(Configuration.scope.in_(scopes))
    query = select(Configuration).where(Configuration.generation.in_(last.group_by(Configuration.scope)))
    said = {entry.scope: entry for entry in session.scalars(query)}
    if not said:
        return None
    # The pool's first, since the node's own sections take the place of its.
    documents = [
        entry.document for scope in scopes if (entry := said.get(scope)) and entry.document is not None
    ]
    # One document goes out as it was written, comments and all.
    document = documents[0] if len(documents) == 1 else _merged(documents)
    return Desired(max(entry.generation for entry in said.values()), document, node.id)


def newest(session: Session, scope: str) -> Configuration | None:
    """Give the last word on a scope."""
    query = select(Configuration).where(Configuration.scope == scope)
    return session.scalar(query.order_by(Configuration.generation.desc()).limit(1))


def set_desired(
    session: Session, scope: str, document: str | None, *, who: str, node_id: str | None = None
) -> int:
    """Say what is wanted (None: nothing any more); gives the generation. InputError for what is no document.

    Generations are times, so that they grow even after a backup was restored; a node refuses older ones.
    """
    if document is not None:
        read_document(document)
    last = session.scalar(select(func.max(Configuration.generation))) or 0
    generation = max(last + 1, int(time.time()))
    session.add(Configuration(generation=generation, scope=scope, document=document, at=clock.now(), who=who))
    words = f"{scope}, generation {generation}" + ("" if document is not None else ", nothing any more")
    events.record(session, "config-set", words, who=who, node_id=node_id)
    return generation


def read_document(document: str) -> dict[str, Any]:
    """Read sections out of YAML; InputError where it isn't a mapping of them."""
    if len(document.encode()) > LARGEST:
        raise InputError(f"the document is larger than {LARGEST // 1024} KiB")
    try:
        sections = yaml.safe_load(document)
    except (yaml.YAMLError, ValueError) as error:
        raise InputError("the document is not YAML", details=str(error)) from error
    if not isinstance(sections, dict) or not all(isinstance(key, str) for key in sections):
        raise InputError("the document must be a mapping of sections", mend="as in `network: {hostname: n1}`")
    return sections


def report(session: Session, node: Node, generation: int, result: str, words: str) -> None:
    """Keep what became of a generation on a node."""
    session.add(
        ConfigurationReport(
            node_id=node.id, generation=generation, result=result, words=words, at=clock.now()
        )
    )
    told = f"generation {generation}" + (f": {words}" if words else "")
    events.record(session, f"config-{result}", told, who=f"node:{node.id}", node_id=node.id)


def _merged(documents: list[str]) -> str:
    merged: dict[str, Any] = {}
    for document in documents:
        merged |= read_document(document)
    return yaml.safe_dump(merged, sort_keys=True, allow_unicode=True)
