"""What is said to the server once the node has its certificate: renewal, heartbeat, facts, events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from node.errors import TryAgainError
from node.model.registration import Around, Happening
from node.plugins.registration.certificate import Held, keep_certificate, now
from node.plugins.registration.facts import cards_sha256, facts_sha256, plain
from node.plugins.registration.key_store import KeyStore
from node.plugins.registration.memory import Memory
from node.plugins.registration.wire import Connection

# As many events go in one request (protocol, 7), and so long may one be.
_EVENTS_MOST = 200
_WORDS_MOST = 2000


def renewed(connection: Connection, memory: Memory, keys: KeyStore, around: Around) -> Held:
    """Have the certificate renewed for the same key, and keep the new one."""
    path = f"/v1/nodes/{memory.node_id}/renew"
    data = connection.ask("POST", path, {"csr": keys.csr()}).data()
    return keep_certificate(data.get("certificate"), around.folder, around.files)


def heartbeat(connection: Connection, memory: Memory, around: Around) -> dict[str, Any]:
    """Say that the node lives; give what the server wants."""
    body = {
        "boot_id": around.boot_id,
        "uptime_s": int(around.uptime_s),
        "time": _time(now()),
        "facts_sha256": memory.facts_sha256 or None,
        "config_etag": memory.etag or None,
        "state": dict(around.condition),
    }
    return connection.ask("POST", f"/v1/nodes/{memory.node_id}/heartbeat", body).data()


def told_facts(connection: Connection, memory: Memory, around: Around, *, wanted: bool) -> Memory:
    """Tell the facts where the server lacks them, this start has not told them, or the cards changed."""
    cards = cards_sha256(around.inventory)
    if not wanted and memory.facts_boot == around.boot_id and memory.facts_cards == cards:
        return memory
    facts = dict(around.facts())
    digest = facts_sha256(facts)
    connection.ask(
        "PUT",
        f"/v1/nodes/{memory.node_id}/facts",
        {"facts": facts},
        headers={"Nodecrust-Facts-SHA256": digest},
    )
    return replace(memory, facts_sha256=digest, facts_boot=around.boot_id, facts_cards=cards)


def waiting_events(memory: Memory, happenings: Sequence[Happening]) -> list[Happening]:
    """Give what the server has not heard of, in order, as many as one request takes."""
    return [each for each in happenings if each.number > memory.heard][:_EVENTS_MOST]


def told_events(connection: Connection, memory: Memory, waiting: Sequence[Happening]) -> Memory:
    """Send happenings. Each keeps its number, so that the server knows one that comes twice."""
    if not waiting:
        return memory
    if memory.base < 0:
        memory = replace(memory, base=waiting[0].number - 1)
    events = [
        {
            "seq": each.number - memory.base,
            "at": each.at,
            "kind": plain(each.kind, 64),
            "words": plain(each.words, _WORDS_MOST),
        }
        for each in waiting
    ]
    data = connection.ask("POST", f"/v1/nodes/{memory.node_id}/events", {"events": events}).data()
    accepted = data.get("accepted")
    if type(accepted) is not int:
        raise TryAgainError("the server doesn't say which events it has")
    # A server that was put back to an older state may have less than we know; it gets what is still kept.
    heard = min(accepted + memory.base, waiting[-1].number)
    return replace(memory, heard=max(heard, memory.base))


def told_outcome(connection: Connection, memory: Memory) -> Memory:
    """Tell what became of a desired configuration, where the server has not heard of it."""
    if memory.untold is None:
        return memory
    generation, result, words = memory.untold
    body: Mapping[str, Any] = {"generation": generation, "result": result, "words": plain(words, _WORDS_MOST)}
    connection.ask("POST", f"/v1/nodes/{memory.node_id}/config/report", body)
    return replace(memory, untold=None)


def clock_words(told: object) -> str:
    """Say how far the node's clock is from the server's, "" where it is near."""
    try:
        theirs = datetime.fromisoformat(str(told))
    except ValueError:
        return ""
    theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    seconds = (now() - theirs).total_seconds()
    if abs(seconds) < 300:
        return ""
    size = (
        f"{abs(seconds) / 86400:.0f} days" if abs(seconds) >= 172800 else f"{abs(seconds) / 60:.0f} minutes"
    )
    return f"{size} {'ahead of' if seconds > 0 else 'behind'} the server's"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
