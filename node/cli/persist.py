"""nodectl persist: the group of its commands."""

from __future__ import annotations

import click

from node.cli.lazy import CommandEntry, LazyGroup

COMMANDS = {
    "add": CommandEntry("node.cli.persist_add", "Keep files, folders or symlinks from now on."),
    "drop": CommandEntry("node.cli.persist_drop", "Keep them no longer."),
    "list": CommandEntry("node.cli.persist_list", "List what is kept, and how it is."),
    "diff": CommandEntry(
        "node.cli.persist_diff", "Show what a restart would lose, and what differs from the image."
    ),
    "save": CommandEntry("node.cli.persist_save", "Store changes of kept files at once."),
}


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    epilog="What has a key of its own (names, network, users, time, keyboard ...) is kept by nodectl config. "
    "docs/kept-files.md tells what survives what.",
)
def command() -> None:
    """Keep files that the configuration knows nothing of.

    The root is made anew of the image at every start. What is kept is put back before anything starts,
    with owner, mode and attributes, and later changes of it are saved by themselves.
    """
