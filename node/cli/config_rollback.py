"""nodectl config rollback."""

from __future__ import annotations

import json
from typing import Any

import click

from node.agent.configuration import take_back
from node.agent.lock import WAIT_S
from node.agent.trial import disarm, read_trial
from node.cli.config_change import change, change_options, manner
from node.cli.config_desk import Office, open_office, require_root
from node.cli.config_newer import replace_state
from node.errors import InputError, NodeError


@click.command()
@click.argument("number", required=False, type=int, metavar="[NUMBER]")
@click.option(
    "--replace-newer",
    is_flag=True,
    help="Give up a configuration of a newer image, which this one can't read; a copy is kept.",
)
@change_options
def command(*, number: int | None, replace_newer: bool, **options: Any) -> None:
    """Go back to an earlier version.

    Without NUMBER: take back the change that is on trial, or else go back to the version before the current
    one. What was installed where stays as it is.
    """
    require_root("change the configuration")
    office = open_office()
    if replace_newer:
        replace_state(office, number, dry_run=options["dry_run"], as_json=options["as_json"])
        return
    if number is None and read_trial(office.desk.places.run) and not options["dry_run"]:
        _take_back_trial(office, as_json=options["as_json"])
        return
    chosen = _before_current(office) if number is None else number
    then = office.version(chosen)
    change(office.desk, lambda _: then.sections, manner(options), what=f"config rollback to version {chosen}")


def _take_back_trial(office: Office, *, as_json: bool) -> None:
    desk = office.desk
    failures = take_back(desk.places, desk.commands, why="was taken back by hand", wait_s=WAIT_S)
    if failures:
        raise NodeError(
            "the change on trial could not be taken back whole",
            details="\n".join(failures),
            mend="A restart of the node brings the old configuration",
        )
    disarm(desk.commands)
    click.echo(json.dumps({"taken_back": True}) if as_json else "The change on trial is taken back.")


def _before_current(office: Office) -> int:
    versions = office.history()
    places = [place for place, each in enumerate(versions) if each.current]
    for each in versions[places[0] + 1 if places else 0 :]:
        if not each.broken:
            return each.number
    raise InputError("there is no earlier version", mend="See nodectl config history")
