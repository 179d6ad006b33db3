"""What a node is made of: one document, replaced as a whole, kept a few times back."""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from server import clock, events
from server.models import Facts, Node
from server.refusal import RefusalError

# Nothing that a machine is made of nests as deep; who reads it must not run out of stack.
_DEEPEST = 40
# As long as the column; no database takes half a surrogate, no terminal a control character.
_NAME = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,253}")


def canonical(facts: dict[str, Any]) -> str:
    """Give facts as the text that is hashed: sorted keys, no spaces, ASCII."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest(document: str) -> str:
    """Give the SHA-256 of a canonical text, lower-case hex."""
    return hashlib.sha256(document.encode("ascii")).hexdigest()


def require_sound(value: Any, depth: int = 0) -> None:
    """Raise RefusalError (422 malformed) where a value nests too deep or has a number that JSON has not."""
    if depth > _DEEPEST:
        raise RefusalError(422, "malformed", f"the facts nest deeper than {_DEEPEST} levels")
    if isinstance(value, float) and not math.isfinite(value):
        raise RefusalError(422, "malformed", "the facts hold a number that is none")
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        require_sound(child, depth + 1)


def replace_facts(session: Session, node: Node, document: str, sha256: str, kept: int) -> bool:
    """Replace a node's facts; False where they are the same as before."""
    if node.facts_sha256 == sha256:
        return False
    first = node.facts_sha256 is None
    node.facts_sha256 = sha256
    session.add(Facts(node_id=node.id, sha256=sha256, at=clock.now(), document=document))
    session.flush()
    newest = select(Facts.id).where(Facts.node_id == node.id).order_by(Facts.id.desc()).limit(kept)
    oldest = min(session.scalars(newest).all())
    session.execute(delete(Facts).where(Facts.node_id == node.id, Facts.id < oldest))
    words = ("first facts, " if first else "facts changed, ") + sha256
    events.record(session, "facts", words, who=f"node:{node.id}", node_id=node.id)
    return True


def take_name(node: Node, facts: dict[str, Any]) -> None:
    """Call a node by the host name of its facts, where that is one line of text."""
    name = facts.get("hostname")
    if isinstance(name, str) and _NAME.fullmatch(name):
        node.name = name


def facts_of(session: Session, node: Node) -> list[Facts]:
    """Give a node's facts, the newest first."""
    query = select(Facts).where(Facts.node_id == node.id).order_by(Facts.id.desc())
    return list(session.scalars(query).all())
