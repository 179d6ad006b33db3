"""What the commands that change the configuration share: options, the way of a change, its words."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from node.agent.configuration import Desk, Proposal, Sections, carry_out, propose
from node.agent.trial import DEFAULT_TIMEOUT_S, LEAST_TIMEOUT_S, MOST_TIMEOUT_S, Trial
from node.cli.options import json_option
from node.installer.problem_text import COLUMNS, problem_lines, problem_to_data, wrapped

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
CONFIRM = "nodectl config confirm"


@dataclass(frozen=True)
class Manner:
    """How a change is made. `timeout_s` is None where nothing is tried first."""

    dry_run: bool = False
    as_json: bool = False
    timeout_s: int | None = DEFAULT_TIMEOUT_S


def change_options(command: Decorated) -> Decorated:
    """Add --dry-run, --timeout, --no-trial and --json, as `dry_run`, `timeout_s`, `trial` and `as_json`."""
    options = [
        click.option("--dry-run", is_flag=True, help="Show what would change; change nothing."),
        click.option(
            "--timeout",
            "timeout_s",
            type=click.IntRange(LEAST_TIMEOUT_S, MOST_TIMEOUT_S),
            default=DEFAULT_TIMEOUT_S,
            show_default=True,
            metavar="SECONDS",
            help="How long a change of the network waits for its confirmation.",
        ),
        click.option(
            "--no-trial",
            "trial",
            is_flag=True,
            flag_value=False,
            default=True,
            help="Change even the network at once and for good.",
        ),
        json_option,
    ]
    for option in reversed(options):
        command = option(command)
    return command


def manner(options: dict[str, Any]) -> Manner:
    """Make of these options what they say."""
    timeout_s = options["timeout_s"] if options["trial"] else None
    return Manner(options["dry_run"], options["as_json"], timeout_s)


def who() -> str:
    """Give the name of whoever changes it, for the history: the one who called sudo, else root."""
    return os.environ.get("SUDO_USER") or "root"


def change(
    desk: Desk,
    edit: Callable[[Sections], Sections],
    how: Manner,
    *,
    what: str,
    thorough: bool = False,
    still: Callable[[], bool] = lambda: True,
) -> None:
    """Propose, show and carry out. `what` says for the history what is done, without any value.

    `still` tells just before it whether what it is done for is as it was.
    """
    proposal = propose(desk, edit, thorough=thorough)
    if not how.as_json:
        _show(proposal)
    trial = None
    if not how.dry_run and not proposal.is_empty:
        reason = f"{what}, by {who()}"
        trial = carry_out(desk, proposal, reason=reason, timeout_s=how.timeout_s, still=still)
    if how.as_json:
        click.echo(json.dumps(_data(proposal, trial, how), indent=2, ensure_ascii=False))
    else:
        for line in _outcome(proposal, trial, how):
            click.echo(line)


def _show(proposal: Proposal) -> None:
    for line in proposal.difference.splitlines():
        colour = {"+": "green", "-": "red"}.get(line[:1])
        click.echo(click.style(line, fg=colour) if colour else line)
    for warning in proposal.warnings:
        click.echo("\n".join(wrapped("Warning: ", warning)), err=True)
    for line in problem_lines(proposal.problems):
        click.echo(line, err=True)


def _outcome(proposal: Proposal, trial: Trial | None, how: Manner) -> list[str]:
    if proposal.is_empty:
        return ["Nothing to change."]
    waiting = set(proposal.at_restart)
    live = [change.path for change in proposal.changes if change.path not in waiting]
    lines = []
    if live:
        lines += _listed("Would be in force at once:" if how.dry_run else "In force:", live)
    if how.dry_run:
        lines += [line for argv in proposal.commands for line in wrapped("  by: ", " ".join(argv))]
    if waiting:
        lines += _listed("From the next restart on:", proposal.at_restart)
    if how.dry_run and proposal.needs_trial and how.timeout_s is not None:
        lines.append(f"It would be on trial for {how.timeout_s} s.")
    if trial:
        lines += wrapped(
            "On trial: ",
            f"it is taken back in {trial.timeout_s} s, unless it is confirmed by `{CONFIRM}`.",
        )
    elif not how.dry_run:
        lines.append("Stored." if proposal.after != proposal.before else "The node is as it is stored.")
        if not proposal.changes:
            lines += [
                "No file of the running node depends on it: it counts at the next installation,",
                "or when it is asked for.",
            ]
    return lines


def _listed(title: str, paths: Sequence[str]) -> list[str]:
    """Give paths in one line, or where they don't fit each in its own, so that none is torn apart."""
    line = f"{title} {', '.join(paths)}"
    return [line] if len(line) <= COLUMNS else [title, *(f"  {path}" for path in paths)]


def _data(proposal: Proposal, trial: Trial | None, how: Manner) -> dict[str, Any]:
    waiting = set(proposal.at_restart)
    return {
        "changed": not proposal.is_empty and not how.dry_run,
        "dry_run": how.dry_run,
        "difference": proposal.difference,
        "in_force": [change.path for change in proposal.changes if change.path not in waiting],
        "at_restart": list(proposal.at_restart),
        "commands": [list(argv) for argv in proposal.commands],
        "needs_trial": proposal.needs_trial and how.timeout_s is not None,
        "trial": {"timeout_s": trial.timeout_s, "remaining_s": trial.remaining_s} if trial else None,
        "warnings": list(proposal.warnings),
        "problems": [problem_to_data(problem) for problem in proposal.problems],
    }
