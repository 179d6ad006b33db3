from uuid import UUID

from node.model.inventory import (
    Contents,
    Disk,
    Finding,
    Holding,
    Inventory,
    Nic,
    Partition,
    from_json,
)
from node.model.layout import Role, identifier, partition_node


def test_an_inventory_is_the_same_after_being_saved() -> None:
    inventory = Inventory(
        disks=(
            Disk(
                name="sda",
                node="/dev/sda",
                size=10,
                by_id=("ata-X",),
                contents=Contents(Finding.HOLDS, (Holding("lvm", "vg0", "/dev/sda1"),)),
                partitions=(Partition(1, "/dev/sda1", 1, 2),),
            ),
        ),
        nics=(Nic("eth0", "52:54:00:00:00:01", link=None),),
        facts={"vendor": {"raid": [1, 2]}},
    )
    assert from_json(inventory.to_json()) == inventory


def test_a_kernel_name_is_no_identity() -> None:
    disk = Disk(name="sda", node="/dev/sda", size=1, serial="S1", by_id=("ata-X_S1",))
    assert disk.identities == ("S1", "ata-X_S1")


def test_partition_nodes_follow_the_kernel() -> None:
    assert partition_node("/dev/sda", 2) == "/dev/sda2"
    assert partition_node("/dev/nvme0n1", 2) == "/dev/nvme0n1p2"


def test_identifiers_depend_on_installation_and_role_alone() -> None:
    one, two = UUID(int=1), UUID(int=2)
    assert identifier(one, Role.BOOT) == identifier(one, Role.BOOT)
    assert len({identifier(i, r) for i in (one, two) for r in Role}) == 2 * len(Role)
