"""The way on from a configuration that only a newer image reads: give it up for one that this image knows."""

from __future__ import annotations

import json

import click

from node.agent.configuration import refuse_beside_trial
from node.agent.lock import exclusive, to_the_end
from node.cli.config_change import who
from node.cli.config_desk import Office
from node.errors import InputError, NodeError
from node.installer.problem_text import wrapped
from node.model.problem import errors
from node.model.state import State
from node.persist.store import FutureStateError, StoredState

_NEXT = "It counts from the next restart on; nodectl config apply brings it into force now."


def replace_state(office: Office, number: int | None, *, dry_run: bool, as_json: bool) -> None:
    """Put version `number`, else the newest that this image knows, in the place of a newer state.

    InputError where the state isn't newer, or where no version is known here. Nothing of the running node is
    touched: what it has in force isn't what the newer state says either.
    """
    places = office.desk.places
    with exclusive(places.run), to_the_end():
        refuse_beside_trial(places)
        newer = _newer(office)
        found = StoredState(office.version(number)) if number is not None else newer.fallback
        if found is None:
            raise InputError(
                "no version that is kept is one that this image knows",
                mend="Boot an image that knows the configuration, or install the node anew",
            )
        _require_good(office, found.state)
        kept = (
            ""
            if dry_run
            else office.replace_newer(found.state, f"config rollback --replace-newer, by {who()}")
        )
    source = f"version {number}" if number is not None else found.source
    if as_json:
        data = {"changed": not dry_run, "dry_run": dry_run, "from": source, "kept": kept}
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    elif dry_run:
        click.echo(f"{source} would be stored in its place, and a copy of the newer one kept.")
    else:
        click.echo("\n".join(wrapped("", f"Stored: {source}. The newer one is kept as {kept}. {_NEXT}")))


def _newer(office: Office) -> FutureStateError:
    try:
        office.desk.read()
    except FutureStateError as error:
        return error
    except NodeError:
        pass
    raise InputError(
        "the configuration is not of a newer image",
        mend="Leave --replace-newer out, or see nodectl config history",
    )


def _require_good(office: Office, state: State) -> None:
    """A state that would be refused when it is applied, or lets nobody in, is no way on."""
    checked = office.desk.check(state.sections, state.sections)
    if errors(checked.problems):
        raise InputError("the configuration stays as it was", problems=checked.problems)
