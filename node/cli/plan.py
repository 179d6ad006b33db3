"""nodectl plan."""

from __future__ import annotations

from pathlib import Path

import click

from node.cli.machine import recorded_machine, this_machine
from node.cli.options import inventory_option, json_option
from node.installer.flow import load_plugins, look, read_file, refusal
from node.installer.plan_text import plan_lines, plan_to_json


@click.command()
@click.option(
    "--answers",
    "answers_path",
    type=click.Path(path_type=Path),
    required=True,
    help="What is asked for: YAML, JSON or a kickstart.",
)
@inventory_option
@json_option
def command(*, answers_path: Path, inventory_path: Path | None, as_json: bool) -> int:
    """Show what an installation would do, disk by disk.

    Nothing is written, and a recorded machine needs no root. Ends with the exit code that the installation
    would be refused with.
    """
    layer, problems = read_file(answers_path)
    inventory = recorded_machine(inventory_path) if inventory_path else this_machine()
    shown = look(load_plugins(), [layer], inventory, problems=problems, for_show=True)
    if as_json:
        click.echo(plan_to_json(shown.plan, inventory))
    else:
        for line in plan_lines(shown.plan, inventory):
            click.echo(line)
    error = refusal(shown.plan.problems)
    return error.exit_code if error else 0
