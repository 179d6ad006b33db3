"""nodectl config confirm."""

from __future__ import annotations

import json

import click

from node.agent.configuration import confirm
from node.cli.config_desk import open_office, require_root
from node.cli.options import json_option


@click.command()
@json_option
def command(*, as_json: bool) -> None:
    """Keep the change that is on trial.

    Only now it is stored; until then a restart brings the configuration before it.
    """
    require_root("change the configuration")
    trial = confirm(open_office().desk)
    if as_json:
        click.echo(json.dumps({"confirmed": True, "reason": trial.reason}, indent=2))
    else:
        click.echo(f"Confirmed and stored: {trial.reason}.")
