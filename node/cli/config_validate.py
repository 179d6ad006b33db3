"""nodectl config validate."""

from __future__ import annotations

import json

import click

from node.agent.configuration import Checked
from node.cli.config_desk import check_layer, check_stored, open_office, require_root
from node.cli.config_values import read_layer
from node.cli.options import json_option
from node.errors import InputError
from node.installer.problem_text import problem_lines, problem_to_data
from node.model.problem import errors


@click.command()
@click.argument("file", required=False, metavar="[FILE]")
@json_option
def command(*, file: str | None, as_json: bool) -> None:
    """Check a file, or what is stored.

    Every problem is shown, with its line. Without FILE (- for standard input) the stored configuration is
    checked, which takes root.
    """
    if file is None:
        require_root("read the configuration")
    office = open_office()
    checked: Checked = check_layer(office, read_layer(file), {}) if file else check_stored(office)
    if errors(checked.problems):
        raise InputError("the configuration has problems", problems=checked.problems)
    if as_json:
        problems = [problem_to_data(problem) for problem in checked.problems]
        click.echo(json.dumps({"valid": True, "problems": problems}, indent=2, ensure_ascii=False))
        return
    for line in problem_lines(checked.problems):
        click.echo(line)
    click.echo("The configuration is valid.")
