"""nodectl persist save."""

from __future__ import annotations

import json

import click

from node.cli.options import json_option
from node.cli.persist_places import kept_places
from node.cli.persist_text import saved_lines, saved_to_data
from node.persist.kept_set import save


@click.command()
@json_option
def command(*, as_json: bool) -> None:
    """Store changes of kept files at once.

    This happens by itself a moment after a change, and when the node shuts down.
    """
    saved = save(kept_places("save kept files"))
    if as_json:
        click.echo(json.dumps(saved_to_data(saved), indent=2))
        return
    for line in saved_lines(saved) or ["everything that is kept is saved already"]:
        click.echo(line)
