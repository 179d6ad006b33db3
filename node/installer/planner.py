"""Makes the plan: a pure and total function of answers, inventory and what the plugins contribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid5

from node.hookspecs import LayoutProposal, Target
from node.installer.disk_words import describe_disk, lost_and_kept
from node.installer.installed import existing_installation, forgotten_installation, installation_problems
from node.installer.layout_check import check_layout
from node.model.answers import Answers
from node.model.consent import consents_to
from node.model.inventory import Disk, Inventory
from node.model.layout import Layout
from node.model.plan import Chosen, Plan
from node.model.problem import Blame, Problem, Severity
from node.model.step import PHASES, PlannedStep

# The name space of plans that are only shown: the same input shows the same identifiers.
_SHOWN_PLANS = UUID("6f6d7f0a-6f4b-5d1c-9a51-6e6f64650010")


@dataclass(frozen=True)
class Contributions:
    """What the plugins have to say, each as a function that gives values of the right types and never raises.

    `problems` gives what went wrong with plugins so far, `chosen` who was preferred to others; they are asked
    last.
    """

    validate: Callable[[Answers, Inventory], Sequence[Problem]]
    veto: Callable[[Disk], Sequence[Problem]]
    prepare: Callable[[Answers, Inventory], Sequence[PlannedStep]]
    lay_out: Callable[[Inventory, Answers, str], LayoutProposal]
    kernel_args: Callable[[Answers, Inventory], Sequence[str]]
    steps: Callable[[Answers, Inventory, Target], Sequence[PlannedStep]]
    problems: Callable[[], Sequence[Problem]]
    chosen: Callable[[], Sequence[Chosen]] = tuple


def make_plan(
    answers: Answers,
    inventory: Inventory,
    contributions: Contributions,
    *,
    problems: Sequence[Problem] = (),
    install_id: UUID,
    started_at: str,
) -> Plan:
    """Give the plan. `problems` are those of the answers themselves; every further one is added.

    Refused plans have no steps. `started_at` is ISO 8601 in UTC.
    """
    found = [*problems, *installation_problems(answers, inventory)]
    existing = existing_installation(answers, inventory)
    if existing and not any(p.where.startswith("install") for p in found if p.severity is Severity.ERROR):
        # Nothing is written then, so nothing else may keep an installed node from coming up.
        return Plan(
            install_id,
            None,
            (),
            problems=tuple(replace(problem, severity=Severity.WARNING) for problem in found),
            keeps=tuple(_stays(disk) for disk in inventory.disks if not disk.boot_medium),
            boots_existing=existing.disk,
        )
    found += contributions.validate(answers, inventory)
    if prepare := _to_prepare(found, answers, inventory, contributions):
        return Plan(
            install_id,
            None,
            (),
            problems=tuple(dict.fromkeys([*found, *contributions.problems()])),
            keeps=tuple(_stays(disk) for disk in inventory.disks),
            prepare=prepare,
        )
    layout = None
    # A rule that was misspelt chooses another disk: then what the rest chooses is no news.
    if not any(p.where.partition(".")[0] == "storage" for p in problems if p.severity is Severity.ERROR):
        layout, more = _lay_out(answers, inventory, contributions, install_id)
        found += more
    steps: tuple[PlannedStep, ...] = ()
    if layout:
        found += forgotten_installation(answers, layout)
        kernel_args = tuple(contributions.kernel_args(answers, inventory))
        target = Target(layout, str(install_id), started_at, kernel_args)
        steps, more = _ordered(contributions.steps(answers, inventory, target))
        found += more
    found += contributions.problems()
    problems = tuple(dict.fromkeys(found))
    refused = any(problem.severity is Severity.ERROR for problem in problems)
    destroys, keeps = lost_and_kept(layout, inventory)
    chosen = tuple(contributions.chosen())
    return Plan(install_id, layout, () if refused else steps, problems, destroys, keeps, chosen=chosen)


def shown_install_id(answers: Answers, inventory: Inventory) -> UUID:
    """Give the identifier of a plan that is only shown: the same for the same input."""
    sections = {key: section.model_dump_json() for key, section in sorted(answers.sections.items())}
    return uuid5(_SHOWN_PLANS, f"{sections}{inventory.to_json()}")


def consented(disk: Disk, answers: Answers, inventory: Inventory) -> bool:
    """Tell whether the answers give up this disk's contents by a name that is this disk's alone."""
    given: Any = getattr(answers.sections.get("storage"), "consent", ())
    return bool(consents_to(disk, given, inventory.disks).own)


def _to_prepare(
    found: Sequence[Problem], answers: Answers, inventory: Inventory, contributions: Contributions
) -> tuple[PlannedStep, ...]:
    """Give what must come before disks are chosen; nothing while something is wrong with the answers."""
    if any(problem.severity is Severity.ERROR for problem in found):
        return ()
    steps = tuple(contributions.prepare(answers, inventory))
    refused = any(problem.severity is Severity.ERROR for problem in contributions.problems())
    return () if refused else steps


def _lay_out(
    answers: Answers, inventory: Inventory, contributions: Contributions, install_id: UUID
) -> tuple[Layout | None, list[Problem]]:
    proposal = contributions.lay_out(inventory, answers, str(install_id))
    found = list(proposal.problems)
    layout = proposal.layout
    if layout is None:
        if not found:
            found.append(
                Problem(
                    "no-layout",
                    "storage",
                    "no plugin laid out a disk, and none said why",
                    "See nodectl plugins",
                    blame=Blame.MACHINE,
                )
            )
        return None, found
    disk = inventory.disk(layout.disk.node)
    if wrong := check_layout(layout, disk):
        # A plugin that says itself why this can't be made is not to blame.
        owned_up = any(problem.severity is Severity.ERROR for problem in found)
        return None, found if owned_up else [*found, *wrong]
    if disk and not consented(disk, answers, inventory):
        found += contributions.veto(disk)
    return layout, found


def _ordered(steps: Sequence[PlannedStep]) -> tuple[tuple[PlannedStep, ...], list[Problem]]:
    """Sort by phase, within one in the order given; a phase that does not exist is a problem."""
    places: Mapping[str, int] = {phase: place for place, phase in enumerate(PHASES)}
    wrong = [
        Problem(
            "plugin-failed",
            f"plugin {planned.owner}",
            f"gave a step in the phase '{planned.phase}', which there is not",
            f"The phases are: {', '.join(PHASES)}",
            owner=planned.owner,
            blame=Blame.MACHINE,
        )
        for planned in steps
        if planned.phase not in places
    ]
    known = [planned for planned in steps if planned.phase in places]
    return tuple(sorted(known, key=lambda planned: places[planned.phase])), wrong


def _stays(disk: Disk) -> str:
    return f"{describe_disk(disk)}: stays as it is"
