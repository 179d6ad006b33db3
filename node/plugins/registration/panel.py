"""Where the node stands, in lines for `nodectl status` and the console."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from node.hookspecs import StatusLine
from node.model.registration import WELL, Standing

TERM = "registration"


def lines(known: Any) -> tuple[StatusLine, ...]:
    """Give them of what the agent left in /run/node: of every backend where it stands, then its terms.

    `known` is `facts["registration"]` of the quick inventory: `asked` names the backends that the node was
    told of, `backends` has the last word of each one. Nothing where none is asked for.
    """
    if not isinstance(known, Mapping):
        return ()
    backends = known.get("backends")
    backends = backends if isinstance(backends, Mapping) else {}
    asked = [str(name) for name in known.get("asked") or ()]
    found: list[StatusLine] = []
    for name in asked:
        term = TERM if name == "server" or len(asked) == 1 else f"{TERM} {name}"
        found += _of_one(term, backends.get(name))
    return tuple(replace(line, topic=TERM) for line in found)


def _of_one(term: str, one: Any) -> list[StatusLine]:
    if not isinstance(one, Mapping):
        return [StatusLine(term, "not tried yet since the start")]
    standing, mend = str(one.get("standing") or ""), str(one.get("mend") or "")
    # A node that waits for somebody, or for a server that is away, works as it should: it is theirs to act,
    # and a site whose server restarts must not see every node turn red. What was refused stays so until
    # somebody mends it here or there.
    waits = standing in (Standing.PENDING, Standing.WAITING)
    healthy = waits or (standing in WELL and not mend)
    found = [StatusLine(term, str(one.get("words") or standing), healthy)]
    if mend:
        found.append(StatusLine("to be done", mend))
    for pair in one.get("terms") or ():
        if isinstance(pair, list | tuple) and len(pair) == 2:
            found.append(StatusLine(str(pair[0]), str(pair[1])))
    return found
