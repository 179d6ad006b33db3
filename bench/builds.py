"""How long a build takes: from nothing, unchanged, and after a change of our own code alone."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.images import build
from bench.measure import Report, Row, seconds

_PROBE = Path("node/_bench_change.py")


def measure() -> Report:
    """Build node.ks three times in a cache of its own."""
    # Beside the usual cache: a build needs gigabytes, which a tmpfs may not have.
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="nodecrust-bench-") as folder:
        os.environ["NODECRUST_CACHE"] = str(Path(folder, "cache"))
        output = Path(folder, "out")
        cold = seconds(lambda: build("kickstarts/node.ks", output))
        warm = seconds(lambda: build("kickstarts/node.ks", output))
        with _changed_code():
            code = seconds(lambda: build("kickstarts/node.ks", output))
        del os.environ["NODECRUST_CACHE"]
    rows = (
        Row("unchanged", f"{warm:.1f} s", f"cold {cold:.0f} s", f"{warm / cold:.2f}", "10 s", warm <= 10),
        Row(
            "our code changed",
            f"{code:.0f} s",
            f"cold {cold:.0f} s",
            f"{code / cold:.2f}",
            "0.5",
            code <= cold / 2,
        ),
    )
    return Report("Building node.ks", "make bench ONLY=builds", "One run each, cache empty at first.", rows)


@contextlib.contextmanager
def _changed_code() -> Iterator[None]:
    _PROBE.write_text('"""A change of our code, for the time of a benchmark."""\n', encoding="utf-8")
    try:
        yield
    finally:
        _PROBE.unlink()
