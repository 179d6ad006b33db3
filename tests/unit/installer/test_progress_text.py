from __future__ import annotations

from node.installer.progress_text import ProgressLines
from node.model.event import Event, EventKind

MIB = 1 << 20


def test_lines_with_bytes_and_rate_now_and_then():
    lines: list[str] = []
    observe = ProgressLines(lines.append, every_s=5)
    observe(Event(EventKind.STEP_STARTED, 10.0, 13, 23, "Copy the root image (163 MiB) to /dev/vda4"))
    for tenth in range(120):
        observe(Event(EventKind.STEP_PROGRESS, 10 + tenth / 10, done=tenth * MIB, total=163 * MIB))
    observe(Event(EventKind.STEP_DONE, 26.0))
    observe(Event(EventKind.STEP_STARTED, 26.0, 14, 23, "Write the boot menu"))
    observe(Event(EventKind.STEP_DONE, 26.1))
    observe(Event(EventKind.RUN_DONE, 95.0))
    assert lines == [
        "[13/23] Copy the root image (163 MiB) to /dev/vda4",
        "        50 MiB of 163 MiB (30%), 10 MiB/s",
        "        100 MiB of 163 MiB (61%), 10 MiB/s",
        "        done in 16 s",
        "[14/23] Write the boot menu",
        "Everything is done, in 1 min 35 s.",
    ]


def test_failures_are_told():
    lines: list[str] = []
    observe = ProgressLines(lines.append)
    observe(Event(EventKind.STEP_FAILED, 1.0, 1, 2, "Copy", message="no space " * 20))
    observe(Event(EventKind.UNDO_STARTED, 2.0, step="Clear the disk"))
    assert lines[0].startswith("        FAILED: no space")
    assert lines[-1] == "        taking back: Clear the disk"
    assert max(map(len, lines)) < 80
