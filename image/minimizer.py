"""image-minimizer: which files leave the image. Pure; ThinCrust's language and meaning.

    drop PATH       these files go, and what is below a folder
    keep PATH       these stay, whatever any drop says
    droprpm NAME    the files of a package of the distribution go
    keeprpm NAME    the files of a package stay

Drops minus keeps, wherever they stand; then the folders that this emptied. `*` and `?` match within a
name, `**` across folders.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from image.origin import Complaint, Origin

VERBS = ("drop", "keep", "droprpm", "keeprpm")

# Folders that are links into /usr on a merged system; rules may use either name.
_MERGED = re.compile(r"^/(bin|sbin|lib|lib32|lib64|libx32)(?=/|$)")


@dataclass(frozen=True)
class Rule:
    """One line: a verb and its path or package."""

    origin: Origin
    verb: str
    subject: str


@dataclass(frozen=True)
class Removal:
    """What goes: files (links and devices too), then folders, deepest first; rules that met nothing."""

    files: tuple[str, ...]
    folders: tuple[str, ...]
    idle: tuple[Rule, ...]


def parse(body: str, start: Origin) -> tuple[list[Rule], list[Complaint]]:
    """The rules of a script whose section starts at a line, and what is wrong with others."""
    rules: list[Rule] = []
    complaints: list[Complaint] = []
    for number, line in enumerate(body.splitlines(), start=start.line + 1):
        words = line.partition("#")[0].split(maxsplit=1)
        if not words:
            continue
        origin = Origin(start.path, number)
        verb, subject = words[0], words[1].strip() if len(words) == 2 else ""
        if verb not in VERBS:
            complaints.append(Complaint(origin, f"image-minimizer knows no {verb}, only {', '.join(VERBS)}"))
        elif not subject:
            complaints.append(Complaint(origin, f"{verb} what?"))
        elif verb in ("drop", "keep") and not subject.startswith("/"):
            complaints.append(Complaint(origin, f"{verb} {subject}: the path must start with /"))
        else:
            rules.append(Rule(origin, verb, subject))
    return rules, complaints


def merged_path(path: str) -> str:
    """A path with /bin, /lib and their kin under /usr, where a merged system has them."""
    return _MERGED.sub(r"/usr/\1", path)


def pattern(subject: str) -> re.Pattern[str]:
    """What a path of a rule matches: itself and all below it."""
    text = merged_path(subject.rstrip("/") or "/")
    parts = re.split(r"(\*\*|\*|\?|\[[^]/]+\])", text)
    known = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    expression = "".join(
        known.get(part) or (part if part.startswith("[") and part.endswith("]") else re.escape(part))
        for part in parts
    )
    return re.compile(("" if text == "/" else expression) + r"(/.*)?\Z", re.DOTALL)


def _matching(subject: str, paths: Sequence[str]) -> set[str]:
    """The paths, out of a sorted list, that a rule matches."""
    expression = pattern(subject)
    # What stands before the first glob narrows tens of thousands of paths to a few.
    start = re.split(r"[*?\[]", merged_path(subject.rstrip("/")), maxsplit=1)[0]
    found = set()
    for index in range(bisect.bisect_left(paths, start), len(paths)):
        if not paths[index].startswith(start):
            break
        if expression.match(paths[index]):
            found.add(paths[index])
    return found


def resolve(
    rules: Sequence[Rule],
    files: Set[str],
    folders: Set[str],
    package_files: Mapping[str, Iterable[str]],
) -> Removal:
    """What the rules remove from a tree of these files and folders (absolute paths, `/usr` merged).

    `package_files` gives a package's paths. Folders that were empty before stay unless a drop names
    them. Order of the rules doesn't matter.
    """
    sorted_files, sorted_folders = sorted(files), sorted(folders)
    chosen: dict[bool, set[str]] = {True: set(), False: set()}
    named_folders: set[str] = set()
    idle = []
    for rule in rules:
        drops = rule.verb.startswith("drop")
        if rule.verb.endswith("rpm"):
            matched = {merged_path(path) for path in package_files.get(rule.subject, ())}
            met = rule.subject in package_files
        else:
            matched = _matching(rule.subject, sorted_files)
            below = _matching(rule.subject, sorted_folders)
            if drops:
                named_folders |= below
            else:
                chosen[False] |= below
            met = bool(matched or below)
        chosen[drops] |= matched
        if not met:
            idle.append(rule)
    gone = (chosen[True] - chosen[False]) & files
    emptied = _emptied(gone, files, folders, named_folders - chosen[False])
    return Removal(tuple(sorted(gone)), emptied, tuple(idle))


def _emptied(gone: Set[str], files: Set[str], folders: Set[str], named: Set[str]) -> tuple[str, ...]:
    """Folders that hold nothing any more and did before, or that a drop named."""
    occupied: set[str] = set()
    touched: set[str] = set(named)
    for path in files:
        (touched if path in gone else occupied).update(_above(path))
    # A folder that was empty, and that no drop named, keeps those above it.
    result: set[str] = set()
    children: dict[str, list[str]] = {}
    for folder in folders:
        children.setdefault(folder.rpartition("/")[0], []).append(folder)
    for folder in sorted(folders, key=lambda one: -one.count("/")):
        if folder in occupied or folder not in touched:
            continue
        if all(child in result for child in children.get(folder, ())):
            result.add(folder)
    return tuple(sorted(result, key=lambda one: (-one.count("/"), one)))


def _above(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(2, len(parts) + 1)]
