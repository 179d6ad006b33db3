"""nodectl plugins."""

from __future__ import annotations

import json

import click

from node.cli.options import json_option
from node.installer.flow import load_plugins
from node.installer.problem_text import problem_lines, problem_to_data


@click.command()
@json_option
def command(*, as_json: bool) -> None:
    """List the plugins and the hooks that each one implements.

    Those that failed are named, with what happened.
    """
    talk = load_plugins()
    talk.sections()
    problems = talk.problems()
    if as_json:
        data = {
            "plugins": [{"name": name, "hooks": list(hooks)} for name, hooks in talk.hooks().items()],
            "problems": [problem_to_data(problem) for problem in problems],
        }
        click.echo(json.dumps(data, indent=2))
        return
    for name, hooks in talk.hooks().items():
        click.echo(click.style(f"{name:<16}", bold=True) + " " + ", ".join(hooks))
    if problems:
        click.echo("\nProblems:")
        for line in problem_lines(problems):
            click.echo(line)
