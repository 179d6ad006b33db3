"""A simulated RAID controller with its command line tool, in the place of a vendor's own.

Its state is a JSON file, RAIDSIM_STATE or /run/raidsim.json: `{"serial", "drives": [...], "volumes": [...]}`.
Ends with 0; 2 for wrong usage; 3 where the controller refuses.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

LEAST = {"0": 1, "1": 2, "5": 3, "10": 4}


def fresh() -> dict[str, Any]:
    """Give a controller as it leaves the factory: four drives and no volume."""
    return {"serial": "SIM0001", "drives": ["D1", "D2", "D3", "D4"], "volumes": []}


def main(words: list[str], state: Path) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="raidsim")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("show", help="print the controller as JSON")
    create = commands.add_parser("create", help="make a volume")
    create.add_argument("name")
    create.add_argument("--level", choices=sorted(LEAST), required=True)
    create.add_argument("--drives", default="")
    commands.add_parser("delete", help="delete a volume with all its data").add_argument("name")
    asked = parser.parse_args(words)
    controller = json.loads(state.read_text()) if state.exists() else fresh()
    if asked.command == "show":
        print(json.dumps(controller))
        return 0
    if asked.command == "create":
        refused = _create(
            controller, asked.name, asked.level, [one for one in asked.drives.split(",") if one]
        )
    else:
        refused = _delete(controller, asked.name)
    if refused:
        print(f"raidsim: {refused}", file=sys.stderr)
        return 3
    new = state.with_suffix(".new")
    new.write_text(json.dumps(controller))
    new.replace(state)
    return 0


def _create(controller: dict[str, Any], name: str, level: str, drives: list[str]) -> str:
    used = {drive for volume in controller["volumes"] for drive in volume["drives"]}
    free = [drive for drive in controller["drives"] if drive not in used]
    taken = drives or free
    if any(volume["name"] == name for volume in controller["volumes"]):
        return f"there is a volume {name}"
    if wrong := [drive for drive in taken if drive not in free]:
        return f"not free: {', '.join(wrong)}"
    if len(taken) < LEAST[level]:
        return f"level {level} needs {LEAST[level]} drives; {len(taken)} are free"
    controller["volumes"].append({"name": name, "level": level, "drives": taken})
    return ""


def _delete(controller: dict[str, Any], name: str) -> str:
    left = [volume for volume in controller["volumes"] if volume["name"] != name]
    if len(left) == len(controller["volumes"]):
        return f"there is no volume {name}"
    controller["volumes"] = left
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(os.environ.get("RAIDSIM_STATE", "/run/raidsim.json"))))
