"""nodectl config apply."""

from __future__ import annotations

from typing import Any

import click

from node.agent.configuration import Sections
from node.cli.config_change import change, change_options, manner
from node.cli.config_desk import check_layer, open_office, require_root
from node.cli.config_values import read_layer
from node.errors import InputError
from node.model.problem import errors


@click.command()
@click.argument("file", required=False, metavar="[FILE]")
@change_options
def command(*, file: str | None, **options: Any) -> None:
    """Bring a file, or what is stored, into force.

    Each section that FILE (- for standard input) has is replaced as a whole; the others stay. Without FILE
    the files of /etc that were changed by hand become again what is stored.
    """
    require_root("change the configuration")
    office = open_office()
    if file is None:
        change(office.desk, lambda sections: sections, manner(options), what="config apply", thorough=True)
        return
    layer = read_layer(file)
    wrong = check_layer(office, layer, office.desk.read().state.sections).problems
    if errors(wrong):
        raise InputError("the configuration stays as it was", problems=wrong)

    def replaced(sections: Sections) -> Sections:
        return {**sections, **{key: value or {} for key, value in layer.values.items()}}

    change(office.desk, replaced, manner(options), what="config apply FILE", thorough=True)
