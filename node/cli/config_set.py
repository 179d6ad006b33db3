"""nodectl config set."""

from __future__ import annotations

from typing import Any

import click

from node.agent.edits import edited
from node.cli.config_change import change, change_options, manner
from node.cli.config_desk import open_office, require_root
from node.cli.config_values import read_edits


@click.command()
@click.argument("edits", nargs=-1, required=True, metavar="KEY=VALUE...")
@change_options
def command(*, edits: tuple[str, ...], **options: Any) -> None:
    """Change single keys.

    KEY is dotted, with numbers for the items of lists: network.dns.0=192.0.2.53. KEY+=VALUE adds to a list,
    KEY-=VALUE takes out of it, KEY= goes back to the default. Values are words or YAML; @FILE reads a file,
    @- standard input.
    """
    require_root("change the configuration")
    office = open_office()
    read = read_edits(edits, office.desk.models)
    defaults = {key: model().model_dump(mode="json") for key, model in office.desk.models.items()}
    keys = ", ".join(dict.fromkeys(edit.key for edit in read))
    change(
        office.desk,
        lambda sections: edited(sections, read, defaults),
        manner(options),
        what=f"config set {keys}",
    )
