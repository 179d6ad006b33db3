"""nodectl config show."""

from __future__ import annotations

import json
from typing import Any

import click

from node.agent.masking import masked, to_yaml
from node.agent.trial import read_trial
from node.cli.config_desk import open_office, require_root
from node.cli.options import json_option
from node.installer.problem_text import wrapped


@click.command()
@click.option("--all", "whole", is_flag=True, help="Show what has its default, too.")
@json_option
def command(*, whole: bool, as_json: bool) -> None:
    """Show the configuration, secrets masked.

    Keys that nobody set have their default and are left out.
    """
    require_root("read the configuration")
    office = open_office()
    desk = office.desk
    stored = desk.read()
    sections: dict[str, Any] = dict(stored.state.sections)
    if whole:
        for section in office.kept_sections:
            values = section.model.model_validate(sections.get(section.key, {}))
            sections[section.key] = values.model_dump(mode="json")
    shown = masked({key: values for key, values in sections.items() if values}, desk.models)
    trial = read_trial(desk.places.run)
    if as_json:
        document = {
            "version": stored.state.version,
            "install": dict(stored.state.install),
            "sections": shown,
            "source": stored.source,
            "warnings": list(stored.warnings),
            "trial": {
                "remaining_s": trial.remaining_s,
                "reason": trial.reason,
                "failed": trial.failed,
            }
            if trial
            else None,
        }
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for warning in stored.warnings:
        click.echo("\n".join(wrapped("Warning: ", warning)), err=True)
    if trial:
        words = (
            f"a change ({trial.reason}) that failed could not be taken back whole yet"
            if trial.failed
            else f"a change ({trial.reason}) is in force and not yet here; {trial.remaining_s} s are left"
        )
        click.echo("\n".join(wrapped("On trial: ", words)), err=True)
    click.echo(to_yaml(shown) or "# Nothing is set; every key has its default.\n", nl=False)
