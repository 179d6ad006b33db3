"""Composes plugins, sources, planner and engine: every front end goes this way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from node.errors import InputError, NodeError, TryAgainError, UnfitMachineError
from node.installer.answers import merge, validate
from node.installer.contributions import PluginTalk
from node.installer.planner import make_plan, shown_install_id
from node.installer.required import left_out, required_by
from node.installer.sources.either import read_either
from node.model.answers import Answers, Layer
from node.model.event import Event
from node.model.inventory import Inventory
from node.model.plan import Plan
from node.model.problem import Blame, Problem, Severity
from node.plugin_manager import Plugins
from node.plugins.access import AccessAnswers
from node.plugins.network import NetworkAnswers
from node.system.accounts import check_account
from node.system.commands import LiveCommands
from node.system.netplan import check_netplan

# Only a system that runs from our image has this; there, what isn't checked now would be installed.
_RUNNING_IMAGE = Path("/run/node/image.json")
JOURNAL = Path("/run/node/journal.jsonl")
_SHOWN_AT = "1970-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Look:
    """A machine, what is asked of it and what would be done."""

    answers: Answers
    inventory: Inventory
    plan: Plan


def load_plugins() -> PluginTalk:
    """Load every plugin; those that fail are named in its problems."""
    plugins = Plugins()
    plugins.load()
    return PluginTalk(plugins)


def look(
    talk: PluginTalk,
    layers: Sequence[Layer],
    inventory: Inventory,
    *,
    problems: Sequence[Problem] = (),
    for_show: bool = False,
) -> Look:
    """Merge, validate and plan. `problems` are those of the sources.

    A plan `for_show` has identifiers that depend on nothing but its input, and no time of day.
    """
    answers, found = validate(merge(layers), talk.models())
    plan = make_plan(
        answers,
        inventory,
        talk.contributions(required_by(answers)),
        problems=(
            *problems,
            *found,
            *left_out(answers),
            *_netplan_problems(answers),
            *_account_problems(answers),
        ),
        install_id=shown_install_id(answers, inventory) if for_show else uuid4(),
        started_at=_SHOWN_AT if for_show else datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return Look(answers, inventory, plan)


def _account_problems(answers: Answers) -> tuple[Problem, ...]:
    """Ask the image that runs, and is to be installed, whether the admin's name is one of its own."""
    where = "access.admin.name"
    return check_account(answers[AccessAnswers].admin.name, where=where, origin=answers.origin(where))


def _netplan_problems(answers: Answers) -> tuple[Problem, ...]:
    """Ask netplan itself, which hooks can't, being pure."""
    return check_netplan(
        answers[NetworkAnswers].netplan,
        commands=LiveCommands(),
        origin=answers.origin,
        live=_RUNNING_IMAGE.exists(),
    )


def read_file(path: Path) -> tuple[Layer, tuple[Problem, ...]]:
    """Read a file of answers; InputError where there is none."""
    try:
        contents = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror or error}", mend="Name a file of answers that can be read"
        ) from None
    return read_either(contents, name=str(path))


def refusal(problems: Sequence[Problem]) -> NodeError | None:
    """Give the error that these problems amount to, with its exit code; None where none stops the work.

    Answers that can be mended come first, then the machine, then what may pass by itself.
    """
    stopping = [problem for problem in problems if problem.severity is Severity.ERROR]
    if not stopping:
        return None
    count = "one problem" if len(stopping) == 1 else f"{len(stopping)} problems"
    blames = {problem.blame for problem in stopping}
    if Blame.ANSWERS in blames:
        return InputError(f"{count}; nothing was written", problems=problems)
    if Blame.MACHINE in blames:
        return UnfitMachineError(f"{count}; nothing was written", problems=problems)
    words = "; ".join(str(problem) for problem in stopping)
    return TryAgainError(f"{count}; nothing was written", details=words, mend="Try again later")


def install(plan: Plan, observers: Sequence[Callable[[Event], None]]) -> None:
    """Carry a plan out; StepFailedError where a step failed, what `refusal` gives where it is refused."""
    if error := refusal(plan.problems):
        raise error
    if plan.prepare:
        raise InputError("this machine is to be prepared first; nothing was written", mend="Look again")
    from node.installer.engine import run_plan  # noqa: PLC0415 - what only looks needs no engine
    from node.system.live import LiveSystem  # noqa: PLC0415 - nor libparted

    run_plan(plan, system_factory=LiveSystem, observers=observers, journal=JOURNAL)
