"""nodectl config edit."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from node.agent.configuration import refuse_beside_trial
from node.agent.masking import masked, unmasked
from node.cli.config_change import change, change_options, manner
from node.cli.config_desk import Office, check_layer, open_office, require_root
from node.cli.config_form import form, read_form, with_problems
from node.errors import InputError
from node.model.answers import Layer
from node.model.problem import errors
from node.model.state import State


@click.command()
@change_options
def command(**options: Any) -> None:
    """Change the configuration in an editor.

    $VISUAL or $EDITOR opens what is set, with all other keys as comments. On problems it opens again.
    """
    require_root("change the configuration")
    office = open_office()
    # Not only when the work in the editor is done.
    refuse_beside_trial(office.desk.places)
    before = office.desk.read().state
    layer = _edited(office, before)
    if layer is None:
        click.echo(json.dumps({"changed": False}) if options["as_json"] else "Nothing was changed.")
        return
    # What isn't written out any more goes back to its default; empty sections say nothing.
    sections = {key: value or {} for key, value in layer.values.items()}
    change(office.desk, lambda _: sections, manner(options), what="config edit")


def _edited(office: Office, before: State) -> Layer | None:
    """Let the operator edit until nothing is wrong; None where nothing was changed or it was given up."""
    shown = masked(before.sections, office.desk.models)
    first = text = form(office.kept_sections, shown)
    while True:
        text = _in_editor(text, office.desk.places.run)
        if text == first:
            return None
        try:
            layer = _with_secrets(read_form(text), before)
            checked = check_layer(office, layer, before.sections)
            if not errors(checked.problems):
                return layer
            problems = checked.problems
        except InputError as error:
            problems = error.problems
        if not sys.stdin.isatty() or not _again(len(errors(problems))):
            raise InputError("the configuration stays as it was", problems=problems)
        text = with_problems(text, problems)


def _with_secrets(layer: Layer, before: State) -> Layer:
    values = unmasked(layer.values, before.sections)
    return Layer(layer.precedence, values, layer.name, layer.places)


def _again(count: int) -> bool:
    words = "There is one problem" if count == 1 else f"There are {count} problems"
    return click.confirm(f"{words}. Edit again?", default=True)


def _in_editor(text: str, folder: Path) -> str:
    """Give the text as the editor leaves it. It lies in memory, root's alone, and goes when that is done."""
    where = folder if folder.is_dir() else None
    number, name = tempfile.mkstemp(prefix="config-", suffix=".yaml", dir=where)
    path = Path(name)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
        click.edit(filename=name)
        return path.read_text(encoding="utf-8", errors="replace")
    finally:
        path.unlink(missing_ok=True)
