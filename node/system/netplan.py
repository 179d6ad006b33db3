"""Asks netplan itself whether it would take a document, in a process of its own and an empty root."""

from __future__ import annotations

import copy
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from node.errors import CommandFailedError
from node.model.near import nearest
from node.model.netplan import WORDS, KeyPath, dotted, path_at, to_yaml
from node.model.origin import Origin
from node.model.problem import Blame, Problem, Severity
from node.model.system import Commands

WHERE = "network.netplan"
_NAME = "90-nodecrust.yaml"
_TIMEOUT_S = 20.0
# netplan stops at its first error. What it names is taken out and it is asked again, so that all are listed;
# with a bound, should it ever name the same thing by two names.
_MOST_QUESTIONS = 32
# netplan's own form: FILE:LINE:COLUMN: Error in network definition: WORDS. Since 1.0 it leaves the place out
# of what it finds after reading, and the words begin with the name of the definition.
_ERROR = re.compile(
    rf"{re.escape(_NAME)}:(?:(?P<line>\d+):(?P<column>\d+):)? (?:Error in network definition: )?(?P<what>.+)"
)
_UNKNOWN = re.compile(r"(?:unknown|invalid|unsupported) [\w -]*'(?P<word>[^']+)'")
# A value of these kinds is no misspelt word (netplan, src/parse.c).
_KINDS = {"boolean value": "Write true or false", "unsigned int value": "Write a whole number"}
# What `netplan generate` calls. It is asked directly, in 4 ms instead of 250; the command of netplan 1.1
# also has systemd reload itself where another root is given.
_GENERATORS = (Path("/usr/libexec/netplan/generate"), Path("/usr/lib/netplan/generate"))
_DEFINITION_DEPTH = 2


def check_netplan(
    document: Mapping[str, Any],
    *,
    commands: Commands,
    origin: Callable[[str], Origin],
    live: bool = False,
    generator: Path | None = None,
) -> tuple[Problem, ...]:
    """Give a problem for each error that netplan finds in what stands below `network:`.

    `origin` gives the origin of a dotted key of the answers. Without netplan on this machine there is one
    problem that says so: a warning, or an error on a `live` image, which would go on to install it.
    """
    if not document:
        return ()
    generator = generator or next((path for path in _GENERATORS if path.exists()), None)
    if generator is None:
        return (_not_checked("netplan is not installed here", origin(WHERE), live=live),)
    rest = copy.deepcopy({"version": 2, **document})
    found: list[Problem] = []
    taken: list[KeyPath] = []
    for _ in range(_MOST_QUESTIONS):
        text = to_yaml(rest)
        try:
            words = _ask(generator, text, commands)
        except CommandFailedError as error:
            return (*found, _not_checked(error.brief, origin(WHERE), live=live))
        if not words:
            break
        match = _ERROR.search(words)
        if match is None:
            found.append(_refused((), " ".join(words.split()), origin))
            break
        path = (
            path_at(text, line=int(match["line"]), column=int(match["column"]))
            if match["line"]
            else _definition(rest, match["what"])
        )
        if _follows(match["what"], path, taken):
            path = path[:_DEFINITION_DEPTH]
        else:
            found.append(_refused(path, match["what"].strip(), origin))
        if not path or path in taken or not _take_out(rest, path):
            break
        taken.append(path)
    return tuple(found)


def _ask(generator: Path, text: str, commands: Commands) -> str:
    """Give netplan's words about a file, "" where it takes it."""
    with tempfile.TemporaryDirectory(prefix="nodecrust-netplan-") as name:
        file = Path(name, "etc/netplan", _NAME)
        file.parent.mkdir(parents=True)
        file.touch(mode=0o600)
        file.write_text(text)
        ran = commands.run([generator, "--root-dir", name], timeout_s=_TIMEOUT_S, check=False)
    return "" if ran.status == 0 else (ran.errors + ran.output).strip() or f"netplan ended with {ran.status}"


def _follows(what: str, path: KeyPath, taken: list[KeyPath]) -> bool:
    """Tell whether netplan misses only what we took out: a property of this definition, or a definition."""
    definition = path[:_DEFINITION_DEPTH]
    if "missing '" in what and any(
        len(gone) > len(definition) and gone[: len(definition)] == definition for gone in taken
    ):
        return True
    names = [gone[-1] for gone in taken if len(gone) == _DEFINITION_DEPTH]
    return "not defined" in what and any(f"'{name}'" in what for name in names)


def _definition(document: Mapping[str, Any], what: str) -> KeyPath:
    """Give the path of the definition that the words begin with, () where none has this name."""
    name = what.partition(":")[0]
    return next(
        (
            (kind, name)
            for kind, definitions in document.items()
            if isinstance(definitions, dict) and name in definitions
        ),
        (),
    )


def _take_out(document: dict[str, Any], path: KeyPath) -> bool:
    """Remove what stands at `path`; False where it isn't there as such (a key that is not text)."""
    *parents, last = path
    place: Any = document
    try:
        for part in parents:
            place = place[part]
        del place[last]
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _refused(path: KeyPath, what: str, origin: Callable[[str], Origin]) -> Problem:
    where = ".".join(part for part in (WHERE, dotted(path)) if part)
    return Problem(
        code="netplan-refused",
        where=where,
        what=f"netplan says: {what}",
        mend=_mend(what),
        origin=origin(where),
        owner="network",
    )


def _mend(what: str) -> str:
    if kind := next((kind for kind in _KINDS if f"invalid {kind} '" in what), ""):
        return _KINDS[kind]
    unknown = _UNKNOWN.search(what)
    near = nearest(unknown["word"], WORDS) if unknown else ""
    return f"Did you mean '{near}'?" if near else "Correct it as netplan's YAML reference has it"


def _not_checked(why: str, origin: Origin, *, live: bool) -> Problem:
    return Problem(
        code="netplan-not-checked",
        where=WHERE,
        what=f"not checked: {why}",
        mend="Install netplan.io, or check it on a machine that has it",
        origin=origin,
        owner="network",
        severity=Severity.ERROR if live else Severity.WARNING,
        blame=Blame.MACHINE,
    )
