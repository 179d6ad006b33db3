"""What comes before disks are chosen: one volume on the controller."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from node.errors import NodeError
from node.model.inventory import Inventory
from node.model.step import PrepareStep
from node.model.system import System

TOOL = Path(__file__).with_name("raidsim.py")
# What the controller calls the volume, and the kernel the vendor of its disk.
VOLUME, VENDOR = "nodecrust", "RAIDSIM"


@dataclass(frozen=True)
class MakeVolume(PrepareStep):
    """Make the volume. `consent` are serial numbers of controllers whose other volumes may go."""

    timeout_s: ClassVar[float] = 600.0

    level: str
    drives: tuple[str, ...] = ()
    consent: tuple[str, ...] = ()

    def summary(self) -> str:
        """Say it."""
        which = f"drives {', '.join(self.drives)}" if self.drives else "all free drives"
        lost = f"; DELETES other volumes of {', '.join(self.consent)}" if self.consent else ""
        return f"Make a RAID {self.level} volume of {which}{lost}"

    def done(self, inventory: Inventory) -> bool:
        """Tell whether the volume's disk is there."""
        return any(disk.vendor == VENDOR and disk.model == model(self.level) for disk in inventory.disks)

    def apply(self, system: System) -> None:
        """Make it; nothing where it was made before, since power may have failed just after that."""
        controller = _show(system)
        others = [volume for volume in controller["volumes"] if volume["name"] != VOLUME]
        mine = [volume for volume in controller["volumes"] if volume["name"] == VOLUME]
        if mine and mine[0]["level"] == self.level:
            return
        if (others or mine) and controller["serial"] not in self.consent:
            names = ", ".join(volume["name"] for volume in (*others, *mine))
            raise NodeError(
                f"the controller {controller['serial']} has volumes: {names}",
                mend=f"If their data may go, add to the answers: raid: {{consent: [{controller['serial']}]}}",
            )
        for volume in (*others, *mine):
            _run(system, "delete", volume["name"])
        _run(system, "create", VOLUME, "--level", self.level, "--drives", ",".join(self.drives))
        system.say(f"the controller {controller['serial']} has a volume of level {self.level}")

    def undo(self, system: System) -> None:
        """Delete what was made. What was deleted by consent is gone."""
        if any(volume["name"] == VOLUME for volume in _show(system)["volumes"]):
            _run(system, "delete", VOLUME)


def model(level: str) -> str:
    """Give what the kernel shows as the model of the volume's disk."""
    return f"VOLUME-RAID{level}"


def _show(system: System) -> dict[str, Any]:
    output = _run(system, "show")
    try:
        found = json.loads(output)
        return {"serial": str(found["serial"]), "volumes": list(found["volumes"])}
    except (ValueError, KeyError, TypeError):
        raise NodeError(
            "the RAID controller's tool prints nothing that can be understood",
            details=output[:200],
            mend="Is this the tool of this controller? See raidsim show",
        ) from None


def _run(system: System, *words: str) -> str:
    return system.commands.run(["python3", TOOL, *words], timeout_s=300.0).output
