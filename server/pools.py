"""Pools: a name that tokens give to nodes. Nobody makes one; it is there when something is in it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.models import Node, Token
from server.states import State
from server.tokens import token_state


def pools_to_data(session: Session) -> list[dict[str, Any]]:
    """Give each pool with how many nodes are in each state, and how many tokens still lead there."""
    pools: dict[str, dict[str, Any]] = {}

    def pool(name: str) -> dict[str, Any]:
        return pools.setdefault(
            name, {"pool": name, "nodes": {str(state): 0 for state in State}, "tokens": 0}
        )

    counted = select(Node.pool, Node.state, func.count()).group_by(Node.pool, Node.state)
    for name, state, number in session.execute(counted):
        pool(name)["nodes"][state] = number
    for token in session.scalars(select(Token)):
        pool(token.pool)["tokens"] += token_state(token) == "good"
    return [pools[name] for name in sorted(pools)]
