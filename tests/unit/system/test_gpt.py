"""Identifiers put into a table, on an image file that libparted made."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.errors import NodeError
from node.model.size import MIB
from node.system import gpt, libblkid

SIZE = 64 * MIB
SEED = UUID(int=1)


def made_by_libparted(path: Path, count: int) -> None:
    parted = pytest.importorskip("parted")
    path.touch()
    os.truncate(path, 0)
    os.truncate(path, SIZE)
    device = parted.getDevice(str(path))
    try:
        table = parted.freshDisk(device, "gpt")
        for number in range(count):
            geometry = parted.Geometry(device=device, start=2048 * (number + 1), length=2048)
            partition = parted.Partition(disk=table, type=parted.PARTITION_NORMAL, geometry=geometry)
            table.addPartition(partition, constraint=parted.Constraint(exactGeom=geometry))
        table.commitToDevice()
    finally:
        device.removeFromCache()


@pytest.mark.effects("writes")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.integers(1, 128), min_size=1, max_size=9, unique=True), seed=st.uuids())
def test_both_tables_have_every_identifier(tmp_path: Path, numbers: list[int], seed: UUID) -> None:
    path = tmp_path / "disk.img"
    made_by_libparted(path, len(numbers))
    wanted = {
        (place + 1) * MIB: gpt.Identity(number, uuid5(seed, f"type {number}"), uuid5(seed, f"own {number}"))
        for place, number in enumerate(numbers)
    }
    with path.open("r+b") as file:
        gpt.identify(file.fileno(), sector_size=512, disk_uuid=seed, partitions=wanted)
        for primary_lost in (False, True):
            if primary_lost:
                os.pwrite(file.fileno(), bytes(512), 512)
            found = libblkid.probe(file.fileno())
            assert found.table_uuid == str(seed)
            assert {
                e.start: gpt.Identity(e.number, UUID(e.type), UUID(e.uuid)) for e in found.entries
            } == wanted


@pytest.mark.effects("writes")
def test_foreign_and_missing_partitions_are_refused_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    made_by_libparted(path, 2)
    before = path.read_bytes()
    one = gpt.Identity(1, SEED, SEED)
    with path.open("r+b") as file:
        for wanted, words in (
            ({MIB: one}, "not ours"),
            ({MIB: one, 2 * MIB: gpt.Identity(2, SEED, SEED), 9 * MIB: gpt.Identity(3, SEED, SEED)}, "lacks"),
            ({MIB: one, 2 * MIB: one}, "no place"),
            ({MIB: one, 2 * MIB: gpt.Identity(129, SEED, SEED)}, "no place"),
        ):
            with pytest.raises(NodeError, match=words):
                gpt.identify(file.fileno(), sector_size=512, disk_uuid=SEED, partitions=wanted)
    assert path.read_bytes() == before


def test_disk_without_a_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(MIB))
    with path.open("r+b") as file, pytest.raises(NodeError, match="no intact"):
        gpt.identify(file.fileno(), sector_size=512, disk_uuid=SEED, partitions={})
