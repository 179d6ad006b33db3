"""nodectl config get."""

from __future__ import annotations

import json
from typing import Any

import click

from node.agent.edits import parse_path, value_at
from node.agent.masking import masked, to_yaml
from node.cli.config_desk import open_office, require_root
from node.cli.options import json_option
from node.errors import InputError
from node.installer.keys import KnownKeys


@click.command()
@click.argument("key")
@click.option("--reveal", is_flag=True, help="Print secrets, too.")
@json_option
def command(*, key: str, reveal: bool, as_json: bool) -> None:
    """Print one value.

    KEY is dotted; a section or a mapping is printed as YAML. A key that nobody set has its default.
    """
    require_root("read the configuration")
    office = open_office()
    stored = office.desk.read()
    sections: dict[str, Any] = dict(stored.state.sections)
    for section in office.kept_sections:
        values = section.model.model_validate(sections.get(section.key, {}))
        sections[section.key] = values.model_dump(mode="json")
    try:
        value = value_at(sections if reveal else masked(sections, office.desk.models), parse_path(key))
    except KeyError:
        near = KnownKeys(office.desk.models).nearest(key)
        mend = f"Did you mean {near}?" if near else "See nodectl config show --all"
        raise InputError(f"there is no {key} in the configuration", mend=mend) from None
    if as_json:
        click.echo(json.dumps({"key": key, "value": value}, indent=2, ensure_ascii=False))
    elif isinstance(value, dict | list):
        click.echo(to_yaml(value), nl=False)
    else:
        click.echo(value if isinstance(value, str) else json.dumps(value))
