"""Sizes and places on the disk: promises that hold for any disk, and some figures."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from node.model.answers import Answers
from node.model.inventory import BootImage, Disk, Firmware, Inventory, Partition
from node.model.layout import KEPT_ON_REINSTALL, Layout, Role
from node.model.size import GIB, MIB, TIB
from node.plugins import storage as plugin
from node.plugins.storage.answers import REST, Sizes, StorageAnswers
from node.plugins.storage.arrangement import arrange, divide
from node.plugins.storage.check import check
from node.plugins.storage.needs import Need, needs

ID = UUID("00000000-0000-4000-8000-000000000001")
SECOND = UUID("00000000-0000-4000-8000-000000000002")


def disk(size: int, sector_size: int = 512) -> Disk:
    return Disk("vda", "/dev/vda", size=size, sector_size=sector_size, serial="A1")


def machine(memory: int = 2 * GIB, image: int = 280 * MIB, firmware: str = "bios") -> Inventory:
    return Inventory(
        memory=memory,
        firmware=Firmware(kind=firmware),
        image=BootImage(size=image, kernel_size=10 * MIB, initrd_size=40 * MIB),
    )


def laid_out(
    a_disk: Disk, inventory: Inventory | None = None, storage: StorageAnswers | None = None
) -> Layout:
    found = arrange(a_disk, inventory or machine(), storage or StorageAnswers(), ID)
    assert found.problems == ()
    assert found.layout
    return found.layout


def as_found(layout: Layout, a_disk: Disk) -> Disk:
    """Give the disk as it is found once the layout is on it."""
    return replace(
        a_disk,
        partitions=tuple(
            Partition(
                number=p.number,
                node=layout.node_of(p),
                start=p.start,
                size=p.size,
                type_uuid=str(p.type_uuid),
                uuid=str(p.uuid),
                label=p.label,
                filesystem=p.filesystem,
                filesystem_uuid=p.filesystem_uuid,
            )
            for p in layout.partitions
        ),
    )


def check_promises(layout: Layout, a_disk: Disk) -> None:
    end = MIB
    for partition in layout.partitions:
        assert partition.start >= end
        assert partition.size > 0
        if not partition.keep:
            assert partition.start % MIB == 0
            assert partition.size % MIB == 0
        end = partition.start + partition.size
    assert end <= a_disk.size - MIB
    numbers = [partition.number for partition in layout.partitions]
    assert len(set(numbers)) == len(numbers)
    assert len({partition.uuid for partition in layout.partitions}) == len(numbers)


sizes_of_disks = st.integers(64 * MIB, 20 * TIB)
explicit = st.one_of(st.none(), st.integers(64 * MIB, 40 * GIB))
subsets = st.sets(st.sampled_from(list(Role)), min_size=1).map(tuple)


@given(
    size=sizes_of_disks,
    sector_size=st.sampled_from([512, 4096]),
    memory=st.integers(0, 4 * TIB),
    image=st.integers(0, 3 * GIB),
    roles=subsets,
    boot=explicit,
    root=explicit,
    swap=st.one_of(explicit, st.just(0), st.just(REST)),
    data=explicit,
)
def test_partitions_lie_within_the_disk_aligned_apart_and_large_enough(
    size, sector_size, memory, image, roles, boot, root, swap, data
):
    inventory, a_disk = machine(memory, image), disk(size, sector_size)
    storage = StorageAnswers(roles=roles, sizes=Sizes(boot=boot, root=root, swap=swap, data=data))
    found = arrange(a_disk, inventory, storage, ID)
    wanted = needs(inventory, storage, sector_size)
    room = size // MIB * MIB - 2 * MIB
    if found.layout is None:
        assert [p.code for p in found.problems] == ["disk-too-small"]
        assert sum(need.least for need in wanted) > room
        return
    check_promises(found.layout, a_disk)
    assert [p.role for p in found.layout.partitions] == [need.role for need in wanted]
    for partition, need in zip(found.layout.partitions, wanted, strict=True):
        assert partition.size >= need.least
        if need.fixed:
            assert partition.size == need.least
        elif need.cap is not None:
            assert partition.size <= max(need.cap, need.wanted)


@given(
    room=st.integers(0, 100_000),
    sizes=st.lists(
        st.tuples(st.integers(1, 500), st.integers(0, 2000), st.sampled_from([0.0, 0.1, 0.5, 1.0])),
        max_size=9,
    ),
)
def test_no_more_is_given_out_than_there_is(room, sizes):
    wanted = [Need(Role.DATA, least * MIB, (least + more) * MIB, share=share) for least, more, share in sizes]
    assume(sum(need.least for need in wanted) <= room * MIB)
    given_out = divide(wanted, room * MIB)
    assert sum(given_out) <= room * MIB
    assert all(size >= need.least and size % MIB == 0 for size, need in zip(given_out, wanted, strict=True))
    if any(need.share == 1.0 for need in wanted) and sum(n.wanted for n in wanted) <= room * MIB:
        assert sum(given_out) == room * MIB


@given(
    size=st.integers(2 * GIB, 4 * TIB),
    image=st.integers(10 * MIB, 2 * GIB),
    new_image=st.integers(10 * MIB, 3 * GIB),
    numbers=st.permutations(range(1, 10)),
)
def test_what_is_kept_stays_to_the_byte(size, image, new_image, numbers):
    a_disk = disk(size)
    first = arrange(a_disk, machine(image=image), StorageAnswers(), ID).layout
    assume(first is not None)
    found = as_found(first, a_disk)
    # Another tool may have numbered them, and placed CONFIG off any MiB.
    found = replace(
        found,
        partitions=tuple(replace(p, number=n) for p, n in zip(found.partitions, numbers, strict=True)),
    )
    again = arrange(found, machine(image=new_image), StorageAnswers(keep=True), SECOND)
    if again.layout is None:
        assert [p.code for p in again.problems] == ["disk-too-small"]
        assert new_image > image
        return
    check_promises(again.layout, a_disk)
    before = {p.label: p for p in found.partitions}
    for role in KEPT_ON_REINSTALL:
        kept = again.layout.get(role)
        assert kept
        assert kept.keep
        old = before[role.value]
        assert (kept.start, kept.size, kept.number, str(kept.uuid), kept.filesystem_uuid) == (
            old.start,
            old.size,
            old.number,
            old.uuid,
            old.filesystem_uuid,
        )
    assert not any(p.keep for p in again.layout.partitions if p.role not in KEPT_ON_REINSTALL)


def test_the_same_input_gives_the_same_layout():
    assert laid_out(disk(100 * GIB)) == laid_out(disk(100 * GIB))


def test_a_usual_disk():
    sizes = {p.label: p.size for p in laid_out(disk(100 * GIB)).partitions}
    assert sizes == {
        "BIOS-GRUB": MIB,
        "ESP": 512 * MIB,
        "BOOT": GIB,
        "ROOT-A": GIB,
        "ROOT-B": GIB,
        "SWAP": 2 * GIB,
        "CONFIG": 256 * MIB,
        "LOGGING": 8 * GIB,
        "DATA": 100 * GIB - 2 * MIB - MIB - 768 * MIB - 5 * GIB - 8 * GIB,
    }


def test_swap_is_capped_however_much_memory_there_is():
    swap = laid_out(disk(4 * TIB), machine(memory=TIB)).get(Role.SWAP)
    assert swap
    assert swap.size == 8 * GIB


def test_a_disk_too_small_says_by_how_much_and_what_for():
    wanted = sum(need.least for need in needs(machine(), StorageAnswers(), 512))
    (problem,) = arrange(disk(wanted), machine(), StorageAnswers(), ID).problems
    assert problem.code == "disk-too-small"
    assert "too small by 2 MiB" in problem.what
    assert "ROOT-A 315 MiB" in problem.what
    assert arrange(disk(wanted + 2 * MIB), machine(), StorageAnswers(), ID).layout


def test_fat32_has_room_for_its_clusters_on_large_sectors():
    inventory = machine(firmware="uefi")
    least = sum(need.least for need in needs(inventory, StorageAnswers(), 4096)) + 2 * MIB
    esp = laid_out(disk(least, 4096), inventory).get(Role.ESP)
    assert esp
    assert esp.size >= 260 * MIB


def test_rest_takes_what_the_others_leave():
    layout = laid_out(disk(100 * GIB), storage=StorageAnswers(sizes=Sizes(logging=REST, data=GIB)))
    last = layout.partitions[-1]
    assert last.size == GIB
    assert last.start + last.size == 100 * GIB - MIB


def test_no_swap_by_a_size_of_nothing():
    assert laid_out(disk(100 * GIB), storage=StorageAnswers(sizes=Sizes(swap=0))).get(Role.SWAP) is None


def codes(inventory: Inventory, a_disk: Disk, **storage: object) -> list[str]:
    return [p.code for p in check(a_disk, inventory, StorageAnswers.model_validate(storage))]


@pytest.mark.parametrize(
    ("firmware", "sector_size", "expected"),
    [("bios", 512, []), ("uefi", 512, []), ("uefi", 4096, []), ("bios", 4096, ["sector-size"]),
     ("uefi", 520, ["sector-size"])],
)  # fmt: skip
def test_sectors_that_the_firmware_does_not_start_from(firmware: str, sector_size: int, expected: list[str]):
    assert codes(machine(firmware=firmware), disk(100 * GIB, sector_size)) == expected


def test_a_subset_of_roles_must_make_sense():
    assert codes(machine(), disk(GIB), roles=["CONFIG", "SWAP"]) == []
    assert codes(machine(), disk(GIB), roles=["ESP", "BOOT", "CONFIG", "SWAP", "DATA"]) == []
    assert codes(machine(), disk(GIB), roles=["ROOT-A", "BIOS-GRUB", "BOOT"]) == ["no-config"]
    assert codes(machine(), disk(GIB), roles=["ROOT-A", "ESP", "BOOT", "CONFIG"]) == ["roles-incomplete"]
    assert codes(machine(), disk(GIB), roles=["ROOT-B", "CONFIG"]) == ["roles-incomplete"]


def test_sizes_below_what_a_role_can_live_with():
    assert codes(machine(), disk(100 * GIB), sizes={"root": "100MiB", "config": "1MiB"}) == [
        "size-too-small",
        "size-too-small",
    ]


def test_nothing_to_keep():
    (problem,) = arrange(disk(100 * GIB), machine(), StorageAnswers(keep=True), ID).problems
    assert problem.code == "nothing-to-keep"
    assert "CONFIG" in problem.what


def test_the_size_of_what_is_kept_can_not_be_chosen():
    assert codes(machine(), disk(100 * GIB), keep=True, sizes={"data": "1GiB"}) == ["size-kept"]


def test_the_plugin_names_every_problem_at_once():
    held = replace(disk(64 * MIB, 4096), read_only=True)
    storage = StorageAnswers.model_validate({"disk": {"serial": "A1"}, "sizes": {"root": "1MiB"}})
    inventory = replace(machine(), disks=(held,))
    proposal = plugin.node_disk_layout(inventory, Answers({"storage": storage}), str(ID))
    assert proposal.layout is None
    assert [p.code for p in proposal.problems] == [
        "disk-read-only",
        "disk-too-small",
        "sector-size",
        "size-too-small",
    ]
