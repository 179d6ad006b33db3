"""nodectl config history."""

from __future__ import annotations

import json

import click

from node.agent.masking import difference
from node.cli.config_desk import Office, open_office, require_root
from node.cli.options import json_option
from node.errors import NodeError
from node.installer.problem_text import wrapped


@click.command()
@click.argument("number", required=False, type=int, metavar="[NUMBER]")
@json_option
def command(*, number: int | None, as_json: bool) -> None:
    """List the versions that are kept.

    With NUMBER, show what going back to that version would change.
    """
    require_root("read the configuration")
    office = open_office()
    if number is not None:
        now, then = office.desk.read().state.sections, office.version(number).sections
        text = difference(now, then, office.desk.models)
        if as_json:
            click.echo(json.dumps({"number": number, "difference": text}, indent=2, ensure_ascii=False))
        else:
            click.echo(text or "No difference.\n", nl=False)
        return
    versions, warnings = office.history(), _warnings(office)
    if as_json:
        data = [
            {
                "number": each.number,
                "at": each.at.isoformat() if each.at else None,
                "reason": each.reason,
                "current": each.current,
                "broken": each.broken,
            }
            for each in versions
        ]
        click.echo(json.dumps({"versions": data, "warnings": warnings}, indent=2, ensure_ascii=False))
        return
    for warning in warnings:
        click.echo("\n".join(wrapped("Warning: ", warning)), err=True)
    for each in versions:
        at = each.at.strftime("%Y-%m-%d %H:%M UTC") if each.at else "unknown time"
        mark = "*" if each.current else " "
        broken = f" (can't be used: {each.broken})" if each.broken else ""
        click.echo(f"{mark} {each.number:>6}  {at:<20}  {each.reason}{broken}")
    if not versions:
        click.echo("No version is kept.")


def _warnings(office: Office) -> list[str]:
    """Say what is wrong with the state in force: none of the versions is marked then."""
    try:
        return list(office.desk.read().warnings)
    except NodeError as error:
        details = f" ({error.details})" if error.details else ""
        return [f"{error.brief}{details}{f'. {error.mend}' if error.mend else ''}"]
