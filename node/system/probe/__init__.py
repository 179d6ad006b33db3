"""Takes the inventory of the machine that this runs on."""

from __future__ import annotations

import logging
import os
import platform
import socket
from collections.abc import Callable
from typing import TypeVar

from node.model.inventory import (
    BootImage,
    Cpu,
    Disk,
    Firmware,
    Installation,
    Inventory,
    Nic,
    Unknown,
    Virtualization,
)
from node.system.block import BlockDevices
from node.system.commands import LiveCommands
from node.system.probe.boot_media import boot_devices
from node.system.probe.disks import find_disk, find_disks
from node.system.probe.firmware import find_firmware
from node.system.probe.image import find_image
from node.system.probe.installations import find_installations
from node.system.probe.nics import find_nics
from node.system.probe.processors import find_consoles, find_cpu, find_memory
from node.system.probe.virtualization import find_virtualization
from node.system.udev import settle

__all__ = ["find_disk", "take_inventory"]

log = logging.getLogger(__name__)
Part = TypeVar("Part")

# For tests: loop devices count as disks.
INCLUDE_LOOP_VARIABLE = "NODECRUST_INCLUDE_LOOP"


def take_inventory(*, include_loop: bool | None = None) -> Inventory:
    """Give everything that can be known of this machine, on any Linux, as root or not; never raises.

    What can't be read is listed in `unknown` with the reason, and a disk that can't be read is unknown, never
    empty. Writes nothing.
    """
    if include_loop is None:
        include_loop = os.environ.get(INCLUDE_LOOP_VARIABLE) == "1"
    unknown: list[Unknown] = []

    def part(where: str, probe: Callable[[], Part], otherwise: Part) -> Part:
        try:
            return probe()
        except Exception as error:
            log.debug("probing %s", where, exc_info=True)
            unknown.append(Unknown(where, str(error) or type(error).__name__))
            return otherwise

    def with_unknown(found: tuple[Part, tuple[Unknown, ...]]) -> Part:
        unknown.extend(found[1])
        return found[0]

    nothing: tuple[Unknown, ...] = ()
    no_devices: tuple[str, ...] = ()
    no_disks: tuple[Disk, ...] = ()
    no_installations: tuple[Installation, ...] = ()
    no_nics: tuple[Nic, ...] = ()
    # Names that come while we look would make a disk another one when it is looked at again.
    part("udev", lambda: settle(LiveCommands()), None)
    block = BlockDevices()
    cpu = part("cpu", find_cpu, Cpu())
    firmware = with_unknown(part("firmware", find_firmware, (Firmware(), nothing)))
    image = with_unknown(part("image", find_image, (BootImage(), nothing)))
    devices = part("boot_medium", lambda: boot_devices(image, block), no_devices)
    disks = part(
        "disks", lambda: find_disks(boot_devices=devices, include_loop=include_loop, block=block), no_disks
    )
    unknown += [Unknown(f"disks.{disk.name}", disk.contents.why) for disk in disks if disk.contents.why]
    return Inventory(
        hostname=socket.gethostname(),
        architecture=platform.machine(),
        cpu=cpu,
        memory=part("memory", find_memory, 0),
        firmware=firmware,
        virtualization=with_unknown(
            part("virtualization", lambda: find_virtualization(cpu, firmware), (Virtualization(), nothing))
        ),
        disks=disks,
        nics=part("nics", find_nics, no_nics),
        image=image,
        installations=with_unknown(
            part(
                "installations",
                lambda: find_installations(disks, commands=LiveCommands()),
                (no_installations, nothing),
            )
        ),
        unknown=tuple(unknown),
        consoles=part("consoles", find_consoles, no_devices),
    )
