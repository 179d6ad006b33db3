"""Where a command gets its machine from: a recorded one, or this one."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from node.errors import InputError
from node.model.inventory import Inventory, from_json

_RECORD = "Record one by: nodectl inventory --json > FILE"


def this_machine() -> Inventory:
    """Take the inventory of the machine we run on."""
    from node.system.probe import take_inventory  # noqa: PLC0415 - libparted and udev only when needed

    return take_inventory()


def recorded_machine(path: Path) -> Inventory:
    """Read what `nodectl inventory --json` wrote; InputError where it is not that."""
    try:
        text = path.read_bytes()
        found = from_json(text)
        # Every field has a default: any object would do else, and be a machine without a disk.
        form = json.loads(text).get("format")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}", mend="Name a recorded machine") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InputError(
            f"{path} is not a recorded machine",
            details=f"{where}: {first['msg']}",
            mend=_RECORD,
        ) from None
    if form != Inventory.format:
        what = "is missing" if form is None else f"is {form}, which this version of Nodecrust doesn't know"
        raise InputError(f"{path} is not a recorded machine", details=f"format: {what}", mend=_RECORD)
    return found
