"""Recorded machines: what `nodectl inventory --json` gives, with invented names and serial numbers."""

from __future__ import annotations

from importlib.resources import files

from node.model.inventory import Inventory, from_json


def machine(name: str) -> Inventory:
    """Give a recorded machine; FileNotFoundError where there is none of that name."""
    return from_json((files(__name__) / f"{name}.json").read_bytes())


def machine_names() -> tuple[str, ...]:
    """Give the names of all recorded machines, sorted."""
    return tuple(
        sorted(
            entry.name.removesuffix(".json")
            for entry in files(__name__).iterdir()
            if entry.name.endswith(".json")
        )
    )
