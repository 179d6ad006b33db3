"""nodectl persist list."""

from __future__ import annotations

import json

import click

from node.cli.options import json_option
from node.cli.persist_places import kept_places
from node.cli.persist_text import kept_lines, kept_to_data
from node.persist.kept_diff import read_kept


@click.command()
@json_option
def command(*, as_json: bool) -> None:
    """List what is kept, and how it is.

    Everything is read and compared, so that big files take their time.
    """
    kept, warnings = read_kept(kept_places("read the kept files"))
    if as_json:
        data = {"format": 1, "kept": [kept_to_data(each) for each in kept], "warnings": list(warnings)}
        click.echo(json.dumps(data, indent=2))
        return
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)
    for line in kept_lines(kept):
        click.echo(line)
