"""A node as data, for `--json` and the web page."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from server import clock
from server.desired import desired_of
from server.facts import facts_of
from server.models import ConfigurationReport, Event, Node, Reported

_MANY = 200


def node_to_data(node: Node) -> dict[str, Any]:
    """Give what the list of nodes needs."""
    return {
        "id": node.id,
        "state": node.state,
        "pool": node.pool,
        "name": node.name,
        "product_uuid": node.product_uuid,
        "vendor": node.vendor,
        "serial": node.serial,
        "macs": json.loads(node.macs),
        "address": node.address,
        "key_fingerprint": node.key_fingerprint,
        "refused_key": node.refused_key,
        "created_at": clock.to_text(node.created_at),
        "last_seen_at": clock.to_text(node.last_seen_at) if node.last_seen_at else None,
        "certificate_until": clock.to_text(node.certificate_until) if node.certificate_until else None,
        "boot_id": node.boot_id,
        "uptime_s": node.uptime_s,
        "clock_skew_s": node.clock_skew_s,
        "health": json.loads(node.health) if node.health else None,
        "facts_sha256": node.facts_sha256,
        "config_etag": node.config_etag,
    }


def node_with_all(session: Session, node: Node) -> dict[str, Any]:
    """Give a node with its facts, its desired configuration and its history, the newest last."""
    facts = facts_of(session, node)
    desired = desired_of(session, node)
    reports = _newest(session, select(ConfigurationReport), ConfigurationReport, node)
    reported = _newest(session, select(Reported), Reported, node)
    return {
        **node_to_data(node),
        "config_generation": desired.generation if desired else None,
        "facts": json.loads(facts[0].document) if facts else None,
        "config_reports": [
            {
                "at": clock.to_text(entry.at),
                "generation": entry.generation,
                "result": entry.result,
                "words": entry.words,
            }
            for entry in reports
        ],
        "events": events_to_data(session, node.id, _MANY),
        "reported": [
            {"seq": entry.seq, "at": clock.to_text(entry.at), "kind": entry.kind, "words": entry.words}
            for entry in reported
        ],
    }


def events_to_data(session: Session, node_id: str | None, most: int) -> list[dict[str, Any]]:
    """Give the newest events of a node, or of all, in their order."""
    query = select(Event).order_by(Event.id.desc()).limit(most)
    if node_id is not None:
        query = query.where(Event.node_id == node_id)
    return [
        {
            "id": event.id,
            "at": clock.to_text(event.at),
            "node_id": event.node_id,
            "kind": event.kind,
            "who": event.who,
            "words": event.words,
        }
        for event in reversed(session.scalars(query).all())
    ]


def _newest(session: Session, query: Any, table: Any, node: Node) -> list[Any]:
    found = session.scalars(query.where(table.node_id == node.id).order_by(table.id.desc()).limit(_MANY))
    return list(reversed(found.all()))


def facts_history(session: Session, node: Node) -> list[dict[str, Any]]:
    """Give when a node's facts changed and to what, the newest first."""
    found = facts_of(session, node)
    documents = [json.loads(entry.document) for entry in found]
    return [
        {
            "at": clock.to_text(entry.at),
            "sha256": entry.sha256,
            "changed": _changed(documents[place + 1], documents[place]) if place + 1 < len(found) else [],
        }
        for place, entry in enumerate(found)
    ]


def _changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Name the facts that differ."""
    names = before.keys() | after.keys()
    return sorted(
        name for name in names if name not in before or name not in after or before[name] != after[name]
    )
