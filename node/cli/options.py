"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def json_option(command: Decorated) -> Decorated:
    """Add --json: one JSON document on standard output, errors included."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, errors included.")(command)


def inventory_option(command: Decorated) -> Decorated:
    """Add --inventory: a recorded machine in place of this one."""
    return click.option(
        "--inventory",
        "inventory_path",
        type=click.Path(path_type=Path),
        help="A recorded machine (nodectl inventory --json); this one otherwise.",
    )(command)
