"""nodectl persist diff."""

from __future__ import annotations

import json

import click

from node.cli.options import json_option
from node.cli.persist_places import kept_places
from node.cli.persist_text import change_lines, change_to_data, diff_lines, diff_to_data
from node.persist.kept_diff import read_diff, read_lost


@click.command()
@click.option("--lost", "only_lost", is_flag=True, help="Only what a restart would lose; empty for nothing.")
@click.option("--all", "with_expected", is_flag=True, help="Also what the system changes by itself, and why.")
@json_option
def command(*, only_lost: bool, with_expected: bool, as_json: bool) -> None:
    """Show what is kept, what a restart would lose, and what differs from the image."""
    places = kept_places("compare this node with its image")
    if only_lost:
        lost = read_lost(places)
        if as_json:
            click.echo(json.dumps({"format": 1, "lost": [change_to_data(each) for each in lost]}, indent=2))
        for line in () if as_json else change_lines(lost):
            click.echo(line)
        return
    diff = read_diff(places)
    if as_json:
        click.echo(json.dumps(diff_to_data(diff), indent=2))
        return
    for line in diff_lines(diff, with_expected=with_expected):
        click.echo(line)
