"""nodectl persist add."""

from __future__ import annotations

import json
from pathlib import Path

import click

from node.cli.options import json_option
from node.cli.persist_places import kept_places
from node.cli.persist_text import saved_lines, saved_to_data, shown
from node.persist.kept_saving import Saved
from node.persist.kept_set import add
from node.system.commands import LiveCommands

WATCHER = "nodecrust-kept.service"


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def command(paths: tuple[Path, ...], *, as_json: bool) -> None:
    """Keep files, folders or symlinks from now on.

    A folder is kept with all in it: what differs from the image, what is removed, and what comes later. A
    symlink is kept as such, not what it leads to. Nothing is kept where one of the paths is refused.
    """
    places = kept_places("keep files")
    wanted = [places.canonical(path) for path in paths]
    saved = add(places, wanted)
    _start_watcher()
    if as_json:
        click.echo(json.dumps(saved_to_data(saved) | {"paths": wanted}, indent=2))
        return
    for path in wanted:
        click.echo(f"kept from now on: {shown(path)}{_symlink_words(places.root, path)}")
    for line in saved_lines(_only_odd(saved)):
        click.echo(line)


def _symlink_words(root: Path, path: str) -> str:
    where = root / path.lstrip("/")
    return f" (the symlink itself; it leads to {shown(str(where.readlink()))})" if where.is_symlink() else ""


def _only_odd(saved: Saved) -> Saved:
    return Saved((), saved.left_out, saved.not_saved)


def _start_watcher() -> None:
    """Have later changes saved by themselves; where systemd doesn't run, nobody does that."""
    if Path("/run/systemd/system").is_dir():
        LiveCommands().run(["systemctl", "start", "--no-block", WATCHER], check=False)
