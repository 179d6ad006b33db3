"""Tables that we write, read back by sfdisk, sgdisk and blkid."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from node.errors import NodeError
from node.model.layout import Role
from node.model.size import MIB
from node.system.live import LiveSystem
from tests.loop.conftest import run
from tests.loop.layouts import WHOLE, identity, layout

SECTORS = pytest.mark.parametrize("sector_size", [512, 4096])


@SECTORS
def test_table_is_exact(loop_disk: Callable[..., str], system: LiveSystem, sector_size: int) -> None:
    node = loop_disk(sector_size=sector_size)
    wanted = layout(system.disks.probe(node))
    system.disks.write_table(wanted)

    table = json.loads(run("sfdisk", "--json", node))["partitiontable"]
    assert (table["label"], table["sectorsize"]) == ("gpt", sector_size)
    assert table["id"].lower() == str(wanted.table_uuid)
    assert [
        (
            p["node"],
            p["start"] * sector_size,
            p["size"] * sector_size,
            p["type"].lower(),
            p["uuid"].lower(),
            p["name"],
        )
        for p in table["partitions"]
    ] == [
        (wanted.node_of(p), p.start, p.size, str(p.type_uuid), str(p.uuid), p.label)
        for p in wanted.partitions
    ]
    assert "No problems found" in run("sgdisk", "--verify", node)

    found = system.disks.probe(node)
    assert (found.table, found.table_uuid) == ("gpt", str(wanted.table_uuid))
    assert [(p.number, p.node, p.start, p.size, p.type_uuid, p.uuid, p.label) for p in found.partitions] == [
        (p.number, wanted.node_of(p), p.start, p.size, str(p.type_uuid), str(p.uuid), p.label)
        for p in wanted.partitions
    ]
    for partition in wanted.partitions:
        assert Path(wanted.node_of(partition)).is_block_device()


@SECTORS
def test_backup_table_serves_when_the_primary_is_lost(
    loop_disk: Callable[..., str], system: LiveSystem, sector_size: int
) -> None:
    node = loop_disk(sector_size=sector_size)
    wanted = layout(system.disks.probe(node))
    system.disks.write_table(wanted)
    with system.open_device(node) as device:
        device.seek(sector_size)
        device.write(bytes(sector_size))
    found = system.disks.probe(node)
    assert [p.uuid for p in found.partitions] == [str(p.uuid) for p in wanted.partitions]


@SECTORS
def test_filesystems_are_as_asked(
    loop_disk: Callable[..., str], system: LiveSystem, sector_size: int
) -> None:
    node = loop_disk(sector_size=sector_size)
    wanted = layout(system.disks.probe(node))
    system.disks.write_table(wanted)
    made = [p for p in wanted.partitions if p.filesystem]
    for p in made:
        system.disks.make_filesystem(
            wanted.node_of(p), kind=p.filesystem, label=p.label, uuid=p.filesystem_uuid
        )
    found = {p.node: p for p in system.disks.probe(node).partitions}
    for p in made:
        read = found[wanted.node_of(p)]
        assert (read.filesystem, read.filesystem_label, read.filesystem_uuid) == (
            p.filesystem,
            p.label,
            p.filesystem_uuid,
        )
        values = run("blkid", "-p", "-o", "export", wanted.node_of(p))
        assert f"TYPE={p.filesystem}\n" in values
        assert f"UUID={p.filesystem_uuid}\n" in values
        checks = {"ext4": ["e2fsck", "-fn"], "vfat": ["fsck.vfat", "-n"], "xfs": ["xfs_repair", "-n"]}
        if p.filesystem in checks:
            run(*checks[p.filesystem], wanted.node_of(p))


def test_erased_disk_is_empty_and_starts_nothing(loop_disk: Callable[..., str], system: LiveSystem) -> None:
    node = loop_disk()
    wanted = layout(system.disks.probe(node))
    system.disks.write_table(wanted)
    with system.open_device(node) as device:
        device.write(b"\xeb\x63" * 220)
    system.disks.erase_boot_code(wanted.disk)
    with Path(node).open("rb") as device:
        assert device.read(MIB) == bytes(MIB)
        device.seek(-MIB, 2)
        assert device.read(MIB) == bytes(MIB)
    assert system.disks.probe(node).contents.finding == "empty"
    assert not list(Path("/dev").glob(Path(node).name + "p*"))


def test_erasing_takes_whole_disk_signatures_along(loop_disk: Callable[..., str], system: LiveSystem) -> None:
    node = loop_disk()
    run("mkfs.btrfs", "-q", node)  # its superblock copy at 64 MiB comes back when only the ends are cleared
    assert system.disks.probe(node).contents.holdings[0].detail == "btrfs"
    system.disks.erase_boot_code(identity(system.disks.probe(node)))
    assert json.loads(run("wipefs", "--json", node) or "{}").get("signatures", []) == []


@SECTORS
def test_kept_partitions_stay_to_the_byte(
    loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path, sector_size: int
) -> None:
    node = loop_disk(sector_size=sector_size)
    first = layout(system.disks.probe(node))
    system.disks.write_table(first)
    keep = (Role.CONFIG, Role.LOGGING, Role.DATA)
    before = {}
    for role in keep:
        partition = first.get(role)
        assert partition
        with system.open_device(first.node_of(partition)) as device:
            for at in range(0, min(partition.size, 30 * MIB), MIB):
                device.write(f"{role} {at}".encode().ljust(MIB, b"\xa5"))
        before[role] = run("sha256sum", first.node_of(partition)).split()[0]

    roles = (
        (Role.BIOS_GRUB, 1, ""),
        (Role.ESP, 50, "vfat"),
        (Role.BOOT, 50, "ext4"),
        (Role.ROOT_A, 60, ""),
        (Role.ROOT_B, 20, ""),
        (Role.SWAP, 20, "swap"),
        *[entry for entry in WHOLE if entry[0] in keep],
    )
    second = layout(system.disks.probe(node), roles, keep=keep, seed=uuid4())
    system.disks.replace_partitions(second)

    assert "No problems found" in run("sgdisk", "--verify", node)
    found = system.disks.probe(node)
    assert [(p.number, p.start, p.size, p.uuid, p.type_uuid, p.label) for p in found.partitions] == [
        (p.number, p.start, p.size, str(p.uuid), str(p.type_uuid), p.label) for p in second.partitions
    ]
    for role in keep:
        partition = second.get(role)
        assert partition
        assert run("sha256sum", second.node_of(partition)).split()[0] == before[role]


def test_numbers_may_change_when_fewer_partitions_stand_before_the_kept(
    loop_disk: Callable[..., str], system: LiveSystem
) -> None:
    node = loop_disk()
    first = layout(system.disks.probe(node))
    system.disks.write_table(first)
    config = first.get(Role.CONFIG)
    assert config
    kept = replace(config, keep=True, number=4)
    others = tuple(p for p in first.partitions if p.role in (Role.ESP, Role.BOOT, Role.ROOT_A))
    fewer = replace(
        first, partitions=(*(replace(p, number=n) for n, p in enumerate(others, 1)), kept), table_uuid=uuid4()
    )
    system.disks.replace_partitions(fewer)
    found = system.disks.probe(node)
    assert [(p.number, p.label, p.start) for p in found.partitions] == [
        (p.number, p.label, p.start) for p in fewer.partitions
    ]
    assert "No problems found" in run("sgdisk", "--verify", node)


def test_moved_kept_partition_is_refused_before_any_write(
    loop_disk: Callable[..., str], system: LiveSystem
) -> None:
    node = loop_disk()
    first = layout(system.disks.probe(node))
    system.disks.write_table(first)
    partitions = tuple(
        replace(p, keep=True, start=p.start + MIB) if p.role is Role.DATA else p for p in first.partitions
    )
    before = run("sfdisk", "--dump", node)
    with pytest.raises(NodeError, match="DATA can't be kept"):
        system.disks.replace_partitions(replace(first, partitions=partitions))
    assert run("sfdisk", "--dump", node) == before


def test_disk_in_use_is_never_written(
    loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path
) -> None:
    node = loop_disk()
    wanted = layout(system.disks.probe(node))
    system.disks.write_table(wanted)
    boot = wanted.get(Role.BOOT)
    assert boot
    system.disks.make_filesystem(wanted.node_of(boot), kind="ext4", label="BOOT", uuid=boot.filesystem_uuid)
    system.mounts.mount(wanted.node_of(boot), tmp_path / "there")
    for write in (
        lambda: system.disks.write_table(wanted),
        lambda: system.disks.replace_partitions(wanted),
        lambda: system.disks.erase_boot_code(wanted.disk),
        lambda: system.disks.wipe_signatures(wanted.node_of(boot)),
        lambda: system.disks.release(node),
    ):
        with pytest.raises(NodeError, match="there"):
            write()
    system.mounts.unmount(tmp_path / "there")
    assert not system.mounts.is_mounted(tmp_path / "there")
    system.disks.release(node)


def test_disk_of_another_size_is_refused(loop_disk: Callable[..., str], system: LiveSystem) -> None:
    node = loop_disk()
    disk = replace(identity(system.disks.probe(node)), size=123 * MIB)
    with pytest.raises(NodeError, match="another disk than planned"):
        system.disks.erase_boot_code(disk)


def test_signatures_of_a_partition_go(loop_disk: Callable[..., str], system: LiveSystem) -> None:
    node = loop_disk()
    wanted = layout(system.disks.probe(node))
    system.disks.write_table(wanted)
    data = wanted.get(Role.DATA)
    assert data
    system.disks.make_filesystem(wanted.node_of(data), kind="xfs", label="DATA", uuid=data.filesystem_uuid)
    system.disks.wipe_signatures(wanted.node_of(data))
    assert system.disks.probe(node).partitions[-1].filesystem == ""
