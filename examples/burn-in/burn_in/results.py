"""Results of a burn-in, as files hold them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from node.model.health import HealthCheck, Outcome
from node.model.system import System

# In memory while the installer runs, then on CONFIG of the node.
NOTES = Path("/run/node/burn-in")
KEPT = Path("burn-in/results.json")
TESTS = ("processors", "memory", "disk")


def note(system: System, name: str, outcome: Outcome, words: str) -> None:
    """Write down how a test ended."""
    record = {"name": name, "outcome": outcome.value, "words": words}
    system.files.write(NOTES / f"{name}.json", json.dumps(record).encode())
    system.say(f"burn-in of {name}: {outcome.value}: {words}")


def noted(system: System) -> list[Mapping[str, str]]:
    """Give what was written down; a test that left nothing was stopped."""
    found = []
    for name in TESTS:
        path = NOTES / f"{name}.json"
        if not system.files.exists(path):
            continue
        try:
            found.append(json.loads(system.files.read(path)))
        except ValueError:
            found.append({"name": name, "outcome": Outcome.SKIPPED.value, "words": "its result is torn"})
    return found


def checks(text: str) -> Sequence[HealthCheck]:
    """Make checks of the results that CONFIG has; one skipped check where they can't be read."""
    try:
        return [
            HealthCheck(f"burn-in {one['name']}", Outcome(one["outcome"]), str(one["words"]))
            for one in json.loads(text)
        ]
    except (ValueError, KeyError, TypeError):
        return [HealthCheck("burn-in", Outcome.SKIPPED, "its results can't be read")]
