"""What plugin authors are given holds what it promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from node.errors import CommandFailedError, NodeError
from node.model.inventory import Inventory, from_json
from node.model.system import Completed, System
from node.testing.fake_system import FakeSystem


def test_every_recorded_machine_reads_back_equal(any_machine: Inventory):
    assert from_json(any_machine.to_json()) == any_machine
    assert all(disk.partitions or not disk.table for disk in any_machine.disks)


def test_the_fake_fulfils_the_protocol(fake_system: FakeSystem):
    system: System = fake_system
    system.commands.run(["efibootmgr", "-v"])
    system.mounts.mount("/dev/vda3", Path("/run/node/target/boot"), kind="ext4")
    assert fake_system.names() == ["commands.run", "mounts.mount"]
    assert str(fake_system.calls[0]) == "commands.run(argv=('efibootmgr', '-v'))"
    assert system.mounts.is_mounted(Path("/run/node/target/boot"))


def test_the_fake_fails_where_it_is_told_to(fake_system: FakeSystem):
    fake_system.failing["disks.release"] = NodeError("in use")
    with pytest.raises(NodeError, match="in use"):
        fake_system.disks.release("/dev/nvme0n1")
    fake_system.outputs["sgdisk"] = Completed(("sgdisk",), 4, "", "no such disk")
    with pytest.raises(CommandFailedError) as caught:
        fake_system.commands.run(["sgdisk", "-p"])
    assert caught.value.details == "no such disk"


def test_the_fake_checks_the_image(fake_system: FakeSystem):
    fake_system.file_contents[Path("/image")] = b"x" * 100
    with pytest.raises(NodeError):
        fake_system.payload.copy_image(Path("/image"), "/dev/vda4", size=100, sha256="0" * 64)


def test_machines_are_found_by_name(recorded_machine: Callable[[str], Inventory]):
    installed = recorded_machine("vm-installed")
    assert UUID(installed.installations[0].install_id)
    with pytest.raises(FileNotFoundError):
        recorded_machine("no-such-machine")
