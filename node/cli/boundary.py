"""What an error looks like: words on a terminal, one JSON document for a script, a reference for a bug."""

from __future__ import annotations

import hashlib
import json
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from node.cli.logs import append_to_log
from node.errors import InputError, NodeError, StepFailedError

EXIT_BUG = 70


def report_error(error: NodeError, *, as_json: bool) -> None:
    """Tell an error of ours: to standard output as JSON, or to standard error in words."""
    if as_json:
        click.echo(json.dumps({"error": error_to_data(error)}, indent=2, ensure_ascii=False))
        return
    click.echo(click.style("nodectl: ", bold=True) + click.style(error.brief, fg="red"), err=True)
    if isinstance(error, StepFailedError):
        click.echo(f"  step: {error.step} (of {error.owner or 'nodecrust'})", err=True)
        click.echo(f"  the disk: {error.disk_state}", err=True)
    for line in error.details.splitlines():
        click.echo(f"  {line}", err=True)
    if isinstance(error, InputError) and error.problems:
        from node.installer.problem_text import problem_lines  # noqa: PLC0415 - pydantic is slow to load

        for line in problem_lines(error.problems):
            click.echo(line, err=True)
    if error.mend:
        click.echo(f"  {error.mend}", err=True)


def error_to_data(error: NodeError) -> dict[str, Any]:
    """Give an error as plain data, with its exit code."""
    data: dict[str, Any] = {
        "exit_code": error.exit_code,
        "brief": error.brief,
        "details": error.details,
        "mend": error.mend,
        "problems": [],
    }
    if isinstance(error, InputError) and error.problems:
        from node.installer.problem_text import problem_to_data  # noqa: PLC0415 - as above

        data["problems"] = [problem_to_data(problem) for problem in error.problems]
    if isinstance(error, StepFailedError):
        data |= {"step": error.step, "owner": error.owner, "disk_state": error.disk_state}
    return data


def report_crash(error: Exception, *, as_json: bool) -> int:
    """Write the traceback to a log, show a short reference of it, and give the exit code of a bug."""
    text = "".join(traceback.format_exception(error))
    frames = [f"{Path(f.filename).name}:{f.name}" for f in traceback.extract_tb(error.__traceback__)]
    # The same bug has the same reference on every machine.
    reference = hashlib.sha256("|".join([type(error).__name__, *frames]).encode()).hexdigest()[:8]
    log = append_to_log(f"{datetime.now(UTC).isoformat(timespec='seconds')} reference {reference}\n{text}\n")
    brief = f"a bug of ours, reference {reference} ({type(error).__name__})"
    mend = f"The details are in {log}; please report them." if log else "No log could be written."
    report_error(NodeError(brief, mend=mend), as_json=False)
    if as_json:
        data = error_to_data(NodeError(brief, mend=mend)) | {"exit_code": EXIT_BUG}
        click.echo(json.dumps({"error": data}, indent=2))
    return EXIT_BUG
