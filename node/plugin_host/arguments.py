"""Arguments of hooks as they are sent to the host: written once each, whoever asks with them next."""

from __future__ import annotations

from typing import Any

_KEPT = 8


class SentArguments:
    """Gives each argument a number and its JSON. One that changed in place would be sent as it was."""

    def __init__(self) -> None:
        # By identity, with the value itself, so that nothing else gets its place in memory meanwhile.
        self._known: dict[int, tuple[object, Any, int, str]] = {}
        self._number = 0

    def __call__(self, kind: Any, value: Any) -> tuple[int, str]:
        """Give the number and the JSON of a value of type `kind`; the last few aren't written again."""
        from node.plugin_host.values import argument_to_json  # noqa: PLC0415 - no host, no need

        known = self._known.get(id(value))
        if known and known[0] is value and known[1] == kind:
            return known[2], known[3]
        self._number += 1
        found = (self._number, argument_to_json(kind, value))
        self._known[id(value)] = (value, kind, *found)
        while len(self._known) > _KEPT:
            self._known.pop(next(iter(self._known)))
        return found
