"""Takes back a change that nobody confirmed in time. Run by nodecrust-trial.service, which a timer starts."""

from __future__ import annotations

import sys

from node.agent.configuration import take_back
from node.agent.places import Places
from node.errors import NodeError
from node.system.commands import LiveCommands


def main() -> int:
    """Take it back; 1 where something failed, so that systemd tries again and the node counts as degraded."""
    try:
        failures = take_back(Places(), LiveCommands(), why="was not confirmed in time and was taken back")
    except NodeError as error:
        failures = (error.brief,)
    if failures is None:
        return 0
    for failure in failures:
        print(f"The change on trial could not be taken back whole: {failure}", file=sys.stderr)
    if not failures:
        print(
            "The change of the configuration was not confirmed in time and was taken back.", file=sys.stderr
        )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
