"""The inventory with real disks in it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from node.model.inventory import Finding, Installation, Inventory, from_json
from node.model.layout import Role
from node.model.size import MIB
from node.system.live import LiveSystem
from node.system.probe import take_inventory
from tests.loop.conftest import run
from tests.loop.layouts import layout

ID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"


def test_inventory_reads_back_equal_and_loop_devices_are_no_disks(loop_disk: Callable[..., str]) -> None:
    node = loop_disk()
    assert take_inventory().disk(node) is None
    inventory = take_inventory(include_loop=True)
    disk = inventory.disk(node)
    assert disk
    assert (disk.size, disk.sector_size, disk.contents.finding) == (600 * MIB, 512, Finding.EMPTY)
    assert from_json(inventory.to_json()) == inventory
    assert inventory.memory > 0
    assert inventory.cpu.threads == os.cpu_count()


def test_one_disk_probed_is_the_same_as_in_the_inventory(
    loop_disk: Callable[..., str], system: LiveSystem
) -> None:
    node = loop_disk()
    system.disks.write_table(layout(system.disks.probe(node)))
    assert take_inventory(include_loop=True).disk(node) == system.disks.probe(node)


def test_disk_that_is_not_ours_to_read_is_unknown(loop_disk: Callable[..., str]) -> None:
    node = loop_disk()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        with os.fdopen(writer, "w") as pipe:
            pipe.write(take_inventory(include_loop=True).to_json())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        inventory = from_json(pipe.read())
    os.waitpid(child, 0)
    disk = inventory.disk(node)
    assert disk
    assert disk.contents.finding is Finding.UNKNOWN
    assert "Permission denied" in disk.contents.why
    assert any(unknown.where == f"disks.{disk.name}" for unknown in inventory.unknown)


def installation_of(node: str, inventory: Inventory) -> Installation | None:
    return next((found for found in inventory.installations if found.disk == node), None)


def installed(system: LiveSystem, node: str, folder: Path, *, complete: bool = True) -> None:
    """Put the traces of an installation on a disk."""
    wanted = layout(system.disks.probe(node))
    system.disks.write_table(wanted)
    for role in (Role.BOOT, Role.CONFIG):
        partition = wanted.get(role)
        assert partition
        there = wanted.node_of(partition)
        system.disks.make_filesystem(
            there, kind=partition.filesystem, label=partition.label, uuid=partition.filesystem_uuid
        )
        system.mounts.mount(there, folder)
        if role is Role.CONFIG:
            record = {
                "version": 1,
                "installs": [
                    {"id": "older", "reinstall": "first", "image_version": "1", "slot": "a"},
                    {"id": ID, "reinstall": "", "image_version": "2.0", "slot": "a"},
                ],
            }
            system.files.write(folder / "installs.json", json.dumps(record).encode())
            system.files.write(folder / "node.yaml", b"version: 1\nsections: {network: {hostname: n1}}\n")
        else:
            for name in ("vmlinuz", "initrd", "cmdline") if complete else ("vmlinuz",):
                system.files.write(folder / "a" / name, b"x")
        system.mounts.unmount(folder)


@pytest.mark.parametrize("complete", [True, False])
def test_installation_is_found_and_left_as_it_was(
    loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path, complete: bool
) -> None:
    node = loop_disk()
    installed(system, node, tmp_path / "there", complete=complete)
    looked_into = [f"{node}p3", f"{node}p7"]
    before = run("sha256sum", *looked_into)
    found = installation_of(node, take_inventory(include_loop=True))
    assert found
    assert (found.disk, found.install_id, found.done) == (node, ID, ("first",))
    assert (found.image_version, found.slot, found.hostname, found.complete) == ("2.0", "a", "n1", complete)
    assert run("sha256sum", *looked_into) == before
    assert "node-look-" not in Path("/proc/self/mountinfo").read_text()


def test_installation_is_found_where_config_is_mounted_already(
    loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path
) -> None:
    node = loop_disk()
    installed(system, node, tmp_path / "there")
    config = system.disks.probe(node).partitions[6]
    system.mounts.mount(config.node, tmp_path / "config")
    inventory = take_inventory(include_loop=True)
    found = installation_of(node, inventory)
    assert found
    assert found.complete
    disk = inventory.disk(node)
    assert disk
    assert disk.users == (f"{tmp_path / 'config'} ({config.node.removeprefix('/dev/')})",)


def test_broken_config_is_unknown_and_not_absent(
    loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path
) -> None:
    node = loop_disk()
    installed(system, node, tmp_path / "there")
    config = system.disks.probe(node).partitions[6]
    system.mounts.mount(config.node, tmp_path / "there")
    system.files.write(tmp_path / "there/installs.json", b"{torn")
    system.mounts.unmount(tmp_path / "there")
    inventory = take_inventory(include_loop=True)
    assert installation_of(node, inventory) is None
    assert any(u.where == f"installations.{Path(node).name}" for u in inventory.unknown)


def test_what_was_set_aside_for_a_reinstallation_that_never_ended_is_a_damaged_installation(
    loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path
) -> None:
    node = loop_disk()
    installed(system, node, tmp_path / "there")
    config = system.disks.probe(node).partitions[6]
    system.mounts.mount(config.node, tmp_path / "there")
    record = {"version": 1, "installs": [], "earlier": [{"id": "before", "reinstall": "first"}]}
    system.files.write(tmp_path / "there/installs.json", json.dumps(record).encode())
    system.mounts.unmount(tmp_path / "there")
    found = installation_of(node, take_inventory(include_loop=True))
    assert found
    assert (found.install_id, found.complete, found.done) == ("before", False, ("first",))


@pytest.mark.soak
def test_two_hundred_disks_are_quick(
    loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path
) -> None:
    image = tmp_path / "one.img"
    first = loop_disk(image=_sized(image, 600 * MIB))
    system.disks.write_table(layout(system.disks.probe(first)))
    for _ in range(199):
        loop_disk(image=image)
    begun = time.monotonic()
    inventory = take_inventory(include_loop=True)
    took = time.monotonic() - begun
    assert sum(len(disk.partitions) for disk in inventory.disks) >= 200 * 9
    assert took < 10, f"{took:.1f} s"


def _sized(path: Path, size: int) -> Path:
    path.touch()
    os.truncate(path, size)
    return path
