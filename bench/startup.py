"""How long a user waits for `nodectl` to say anything, against an interpreter that does nothing."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from bench.measure import Report, Row, pairs, quietly

_LIMIT_S = 0.5


def measure() -> Report:
    """Time `nodectl --help` and a whole plan."""
    nodectl = str(Path(sys.executable).parent / "nodectl")
    machines = Path("node/demo/machines")
    machine = machines / "vm-virtio-blank.json"
    answers = "tests/data/minimal-answers.yaml"
    rows = []
    for what, argv in (
        ("nodectl --help", [nodectl, "--help"]),
        ("nodectl plan", [nodectl, "plan", "--answers", answers, "--inventory", str(machine)]),
    ):
        ours, other, ratio = pairs(partial(quietly, argv), partial(quietly, [sys.executable, "-c", ""]))
        rows.append(
            Row(
                what,
                f"{ours:.2f} s",
                f"python -c '' {other:.2f} s",
                f"{ratio:.1f}x",
                f"{_LIMIT_S} s",
                ours <= _LIMIT_S,
            )
        )
    return Report(
        "Start-up of nodectl", "make bench ONLY=startup", "Median of five pairs, run in turn.", tuple(rows)
    )
