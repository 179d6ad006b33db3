"""Whether the plugins in a tree work there: imported by its own Python, and loaded by its own nodectl."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from image.plugins.given import refuse
from image.plugins.plugin import Distribution, Plugin
from image.process import last_words, run
from node.errors import CommandFailedError, InputError, NodeError

# For one distribution, of the clock. A node gives it 5 s; a build machine may be busy.
TRIAL_TIMEOUT_S = 60
_A_CALL_S = 10

_TRIAL = Path(__file__).with_name("trial.py")
# What a plugin did that is not as it should be and hurts nobody.
_HARMLESS = ("plugin-untidy",)

_TIMED_OUT = (124, 137)  # timeout(1), by SIGTERM and then by SIGKILL
_SIGNALLED = 128  # and more: as a shell adds the signal's number

# What a plugin may print, in bytes, and the memory that it may take, while it is tried.
_MOST_WORDS = 1 << 20
_MOST_MEMORY = 4 << 30


def try_out(tree: Path, plugins: Sequence[Plugin]) -> None:
    """Raise InputError that names each distribution, with its version, that can't be loaded, and why.

    The tree's /run and /proc are mounted (`chroot.mounted`).
    """
    script = tree / "run/trial.py"
    script.write_bytes(_TRIAL.read_bytes())
    errors = []
    for plugin in plugins:
        for one in plugin.distributions:
            if one.points and (why := _imported(tree, one)):
                brief = f"{one} ({plugin.source}) can't be imported in the image"
                errors.append(InputError(brief, details=why))
    refuse(errors)
    refuse(_loaded(tree, plugins))


def _imported(tree: Path, one: Distribution) -> str:
    """Why a distribution's plugins can't be imported; "" where they can."""
    status, said, errors = _inside(tree, ["python3", "-I", "-B", "/run/trial.py", one.name])
    if status in _TIMED_OUT:
        return f"its import took longer than {TRIAL_TIMEOUT_S} s"
    if status > _SIGNALLED:
        return f"its import crashed ({_signal(status - _SIGNALLED)})"
    if status:
        return last_words(f"{said}\n{errors}", 3) or f"it ended with status {status} and without a word"
    return ""


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _loaded(tree: Path, plugins: Sequence[Plugin]) -> list[InputError]:
    """What nodectl of the tree says of the plugins: their range of API versions, hooks and sections."""
    owners = {
        point: f"{one} ({plugin.source})"
        for plugin in plugins
        for one in plugin.distributions
        for point in one.points
    }
    # Each may take its time to be asked for its sections.
    limit_s = TRIAL_TIMEOUT_S + _A_CALL_S * len(owners)
    status, said, words = _inside(tree, ["nodectl", "plugins", "--json"], limit_s)
    try:
        told: dict[str, Any] = json.loads(said)
    except ValueError as error:
        words = last_words(f"{said}\n{words}", 5)
        raise NodeError(f"nodectl plugins of the image ended with status {status}", details=words) from error
    problems = [one for one in told["problems"] if one["owner"] in owners and one["code"] not in _HARMLESS]
    errors = [InputError(f"{owners[one['owner']]}: {one['what']}") for one in problems]
    blamed = {one["owner"] for one in problems}
    states = {one["name"]: one.get("state", "loaded") for one in told["plugins"]}
    errors += [
        InputError(f"{owners[name]}: its plugin {name} is {states.get(name, 'not found')} in the image")
        for name in sorted(set(owners) - blamed)
        if states.get(name) != "loaded"
    ]
    return errors


def _inside(tree: Path, argv: Sequence[str], limit_s: int = TRIAL_TIMEOUT_S) -> tuple[int, str, str]:
    """Run a command in the tree within limits; its status and what it printed, one stream and the other."""
    out = tree / "run/said"
    limits = ["prlimit", f"--fsize={_MOST_WORDS}", f"--as={_MOST_MEMORY}"]
    limited: list[str | Path] = ["timeout", "-k", "5", str(limit_s), *limits, "chroot", tree, *argv]
    script = 'out=$1; shift; exec "$@" >"$out" 2>"$out.err"'
    env = {"HOME": "/root", "TMPDIR": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}  # noqa: S108 - the tree's own
    status = 0
    try:
        run(["sh", "-c", script, "sh", out, *limited], env=env)
    except CommandFailedError as error:
        status = error.status or 1
        if status < 0:
            # timeout(1) ends itself by the signal that ended what it watched.
            status = _SIGNALLED - status
    said = out.read_text(encoding="utf-8", errors="replace")
    errors = out.with_name("said.err").read_text(encoding="utf-8", errors="replace")
    return status, said, errors
