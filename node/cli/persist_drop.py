"""nodectl persist drop."""

from __future__ import annotations

import json
from pathlib import Path

import click

from node.cli.options import json_option
from node.cli.persist_places import kept_places
from node.cli.persist_text import shown
from node.persist.kept_set import drop


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def command(paths: tuple[Path, ...], *, as_json: bool) -> None:
    """Keep files, folders or symlinks no longer.

    They stay as they are until the next start, which has the image's again, or nothing.
    """
    places = kept_places("drop kept files")
    unwanted = [places.canonical(path) for path in paths]
    drop(places, unwanted)
    if as_json:
        click.echo(json.dumps({"format": 1, "paths": unwanted}, indent=2))
        return
    for path in unwanted:
        click.echo(f"no longer kept: {shown(path)}")
