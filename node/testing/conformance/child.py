"""One stage in this process: what to do is read from standard input, findings go to a file as JSON lines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from node.model.health import HealthCheck
from node.testing.conformance import stages, stepwork
from node.testing.conformance.stages import Bench

STAGES: Mapping[str, Callable[[Bench], None]] = {
    "load": stages.load,
    "schema": stages.schema,
    "planning": stages.planning,
    "steps": stepwork.steps,
    "undo": stepwork.undo,
    "kill": stepwork.kill,
    "boot": stages.rendering,
    "running": stages.running,
}


def main() -> None:
    """Run the stage that standard input names."""
    work = json.load(sys.stdin)
    sys.path[:0] = work["paths"]
    os.environ["NODECRUST_PLUGINS"] = ""
    with Path(work["output"]).open("w", encoding="utf-8") as file:

        def write(**record: object) -> None:
            file.write(json.dumps(record) + "\n")
            file.flush()

        bench = Bench(
            work["name"],
            work["value"],
            tell=lambda finding: write(finding=asdict(finding)),
            doing=lambda words: write(doing=words),
            answers=work["answers"],
            machines=work["machines"],
            recorded=work["recorded"],
            programs=work["programs"],
            found=work["found"],
            refused=work["refused"],
            note=lambda found, refused: write(known={"found": found, "refused": refused}),
        )
        STAGES[work["stage"]](bench)
        write(done=True)


def finding_of(record: Mapping[str, object]) -> HealthCheck | None:
    """Make a finding again of its line, None for another line."""
    from node.model.health import Outcome  # noqa: PLC0415 - only the parent reads

    data = record.get("finding")
    if not isinstance(data, dict):
        return None
    return HealthCheck(str(data["name"]), Outcome(data["outcome"]), str(data["words"]))


if __name__ == "__main__":
    main()
