"""What a new rendering changes in the files of a running root."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from node.errors import NodeError
from node.model.state import RenderedFile
from node.system.account_lines import line_key, owner_number
from node.system.snapshots import Snapshot, take

Argv = tuple[str, ...]


@dataclass(frozen=True)
class FileChange:
    """One file: what it is, what it will be, and how the change comes into force (`RenderedFile.live`).

    `live_back` brings its taking back into force. `was_rendered` and `is_rendered` say whether the old and
    the new state render it at all.
    """

    path: str
    before: Snapshot
    after: Snapshot
    live: tuple[Argv, ...] | None
    live_back: tuple[Argv, ...] | None
    on_trial: bool = False
    was_rendered: bool = True
    is_rendered: bool = True


def compare(
    old: Sequence[RenderedFile],
    new: Sequence[RenderedFile],
    *,
    root: Path,
    image: Path,
    thorough: bool = False,
) -> tuple[FileChange, ...]:
    """Give the files of `root` that differ from `new`, in the order of rendering.

    A file that only `old` has becomes again what it is in `image`, the read-only root below, or goes.
    Files that both renderings have alike are looked at only when `thorough`: somebody who changed one by
    hand did so on purpose, until it is asked that all be as the state says. NodeError names an owner that
    the root doesn't know.
    """
    paths = dict.fromkeys(file.path for file in (*new, *old))
    passwd = _wanted_text("/etc/passwd", old, new, root, image)
    group = _wanted_text("/etc/group", old, new, root, image)
    changes = []
    for path in paths:
        olds, news = _of(path, old), _of(path, new)
        if not thorough and olds == news:
            continue
        before = _take(root, path)
        after = _after(path, olds, news, before=before, image=image, accounts=(passwd, group))
        if before != after:
            on_trial = any(file.on_trial for file in (*olds, *news))
            # What leaves the file, or puts it there again, has only the other's commands.
            live, live_back = _live(news or olds), _live(olds or news)
            changes.append(FileChange(path, before, after, live, live_back, on_trial, bool(olds), bool(news)))
    return tuple(changes)


def commands_of(changes: Iterable[FileChange]) -> tuple[Argv, ...]:
    """Give the commands that bring changes into force, each once, in the order in which they first come."""
    return _once(change.live for change in changes)


def commands_back(changes: Iterable[FileChange]) -> tuple[Argv, ...]:
    """Give those that bring their taking back into force: a command may name what the file says."""
    return _once(change.live_back for change in changes)


def at_restart(changes: Iterable[FileChange]) -> tuple[str, ...]:
    """Give the files whose change counts only from the next restart on."""
    return tuple(change.path for change in changes if change.live is None)


def changed_since(changes: Iterable[FileChange], *, root: Path) -> tuple[str, ...]:
    """Give the files that are no longer as they were when the changes were made out."""
    return tuple(change.path for change in changes if _take(root, change.path) != change.before)


def _live(files: Sequence[RenderedFile]) -> tuple[Argv, ...] | None:
    lives = [file.live for file in files]
    return None if None in lives else tuple(argv for one in lives for argv in one or ())


def _once(lives: Iterable[tuple[Argv, ...] | None]) -> tuple[Argv, ...]:
    return tuple(dict.fromkeys(argv for live in lives for argv in live or ()))


def _of(path: str, files: Sequence[RenderedFile]) -> list[RenderedFile]:
    # As at boot: whole files come after the lines that are added, and so overrule them.
    return sorted((file for file in files if file.path == path), key=lambda file: not file.append)


def _after(
    path: str,
    olds: list[RenderedFile],
    news: list[RenderedFile],
    *,
    before: Snapshot,
    image: Path,
    accounts: tuple[str, str],
) -> Snapshot:
    if not news and not any(file.append for file in olds):
        return _take(image, path)
    if not news:
        # The image's own owner and mode, where it has the file.
        kept = _take(image, path)
        shape = kept if kept.exists else before
        text = _lined(before.text, olds, [], kept.text)
        return Snapshot(text.encode(), "", shape.mode, shape.owner, shape.group) if text else Snapshot()
    last = news[-1]
    if last.target:
        return Snapshot(target=last.target)
    text = _lined(before.text, olds, news, _take(image, path).text) if last.append else last.contents
    try:
        owner = owner_number(accounts[0], last.owner, database="passwd")
        group = owner_number(accounts[1], last.group, database="group")
    except LookupError as error:
        raise NodeError(f"{path} can't be written: {error.args[0]}") from None
    return Snapshot(text.encode(), "", last.mode, owner, group)


def _lined(live: str, olds: list[RenderedFile], news: list[RenderedFile], image: str) -> str:
    """Give the live text with our lines anew; lines that we no longer give are the image's again, or gone."""
    lines = {line_key(line): line for line in live.splitlines() if line}
    images = {line_key(line): line for line in image.splitlines() if line}
    ours = {line_key(line): line for file in news for line in file.contents.splitlines() if line}
    for key in {line_key(line) for file in olds for line in file.contents.splitlines() if line} - ours.keys():
        if key in images:
            lines[key] = images[key]
        else:
            lines.pop(key, None)
    return "".join(f"{line}\n" for line in {**lines, **ours}.values())


def _wanted_text(
    path: str, old: Sequence[RenderedFile], new: Sequence[RenderedFile], root: Path, image: Path
) -> str:
    """Give the text that /etc/passwd or /etc/group will have, where the owners of the others are found."""
    return _lined(_take(root, path).text, _of(path, old), _of(path, new), _take(image, path).text)


def _take(root: Path, path: str) -> Snapshot:
    try:
        return take(root / path.lstrip("/"))
    except OSError as error:
        raise NodeError(f"{path} can't be read: {error.strerror or error}") from None
