"""The words of `nodectl persist`, and the same as plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from node.model.size import format_size
from node.persist.kept_changes import Change, What
from node.persist.kept_diff import Diff, KeptState
from node.persist.kept_saving import Saved

FORMAT = 1
_SHOWN = 5


def shown(path: str) -> str:
    """Give a path for a terminal: nothing in it acts there, whatever bytes it has."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def saved_lines(saved: Saved) -> list[str]:
    """Say what was stored, left out and not saved."""
    lines = [f"saved: {shown(path)}" for path in saved.changed]
    lines += [f"left out: {shown(path)}: {why}" for path, why in sorted(saved.left_out.items())]
    return [*lines, *(f"NOT saved: {shown(path)}: {why}" for path, why in sorted(saved.not_saved.items()))]


def saved_to_data(saved: Saved) -> dict[str, Any]:
    """Give the document of --json."""
    return {
        "format": FORMAT,
        "saved": list(saved.changed),
        "left_out": dict(saved.left_out),
        "not_saved": dict(saved.not_saved),
    }


def kept_lines(kept: Sequence[KeptState]) -> list[str]:
    """Give a line for each kept path, and below it what isn't as it should be."""
    if not kept:
        return ["nothing is kept; nodectl persist add PATH keeps a file, a folder or a symlink"]
    lines = []
    for each in kept:
        by = f", by the plugin {each.by}" if each.by else ""
        lines.append(f"{shown(each.path)}  ({kept_words(each)}{by})")
        lines += _under("changed since it was saved", each.unsaved)
        lines += _under(
            "NOT put back", [f"{shown(path)}: {why}" for path, why in (each.failed or {}).items()]
        )
        left_out = [f"{shown(path)}: {why}" for path, why in (each.left_out or {}).items()]
        lines += _under("left out", left_out)
    return lines


def kept_words(kept: KeptState) -> str:
    """Say what a kept path is and how it is."""
    if kept.waits:
        return "not put back at this start; what is stored stays as it is"
    if not kept.kind:
        return "nothing there yet"
    if kept.kind == "absent":
        what = "kept removed"
    elif kept.kind == "folder":
        what = f"folder, {_count(kept.files, 'file')}, {format_size(kept.size)}"
    else:
        what = f"{kept.kind}, {format_size(kept.size)}" if kept.kind == "file" else kept.kind
    return f"{what}, {'not saved yet' if kept.unsaved else 'saved'}"


def kept_to_data(kept: KeptState) -> dict[str, Any]:
    """Give a kept path as plain data."""
    data = dataclasses.asdict(kept)
    data["unsaved"] = list(kept.unsaved)
    return data | {"failed": dict(kept.failed or {}), "left_out": dict(kept.left_out or {})}


def change_lines(changes: Iterable[Change], *, indent: str = "") -> list[str]:
    """Give a line for each change: how it differs, its path, and what there is to say of it."""
    lines = []
    for change in changes:
        notes = []
        if change.is_folder and change.what is What.NEW:
            notes.append(f"folder, {_count(change.files, 'file')}, {format_size(change.size)}")
        elif change.is_folder:
            notes.append("folder")
        if change.why:
            notes.append(change.why)
        suffix = f"  ({'; '.join(notes)})" if notes else ""
        lines.append(f"{indent}{change.what.value:<14} {shown(change.path)}{suffix}")
    return lines


def change_to_data(change: Change) -> dict[str, Any]:
    """Give a change as plain data."""
    return dataclasses.asdict(change) | {"what": change.what.name.lower()}


def diff_lines(diff: Diff, *, with_expected: bool) -> list[str]:
    """Give the three parts in words."""
    lines = [f"Warning: {warning}" for warning in diff.warnings]
    lines += ["Kept, and there again after a restart:", *(f"  {line}" for line in kept_lines(diff.kept)), ""]
    if diff.unknown:
        return [*lines, f"What a restart would lose is not known: {diff.unknown}."]
    if diff.lost:
        lines += ["LOST with the next restart:", *change_lines(diff.lost, indent="  ")]
        lines.append("Keep what you need by nodectl persist add PATH.")
    else:
        lines.append("A restart would lose nothing that was changed here.")
    if with_expected:
        lines += ["", "Changed by the system itself, and missed by nobody:"]
        lines += change_lines(diff.expected, indent="  ") or ["  nothing"]
    elif diff.expected:
        lines.append(f"({_count(len(diff.expected), 'change')} by the system itself; --all shows them)")
    lines += ["", "Of what is kept, this differs from the image:"]
    lines += change_lines(diff.image, indent="  ") or ["  nothing"]
    if diff.rendered:
        made = _count(diff.rendered, "more file")
        lines.append(f"({made} of this root made from the configuration; nodectl config show)")
    return lines


def diff_to_data(diff: Diff) -> dict[str, Any]:
    """Give the document of --json."""
    return {
        "format": FORMAT,
        "kept": [kept_to_data(each) for each in diff.kept],
        "lost": [change_to_data(each) for each in diff.lost],
        "expected": [change_to_data(each) for each in diff.expected],
        "image": [change_to_data(each) for each in diff.image],
        "rendered": diff.rendered,
        "warnings": list(diff.warnings),
        "unknown": diff.unknown,
    }


def _under(title: str, items: Sequence[str]) -> list[str]:
    lines = [f"    {title}: {shown(item)}" for item in items[:_SHOWN]]
    return [*lines, f"    and {len(items) - _SHOWN} more"] if len(items) > _SHOWN else lines


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
