"""Which disk is taken, and what is said of the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from node.model.answers import Answers
from node.model.inventory import BootImage, Contents, Disk, Finding, Holding, Inventory
from node.model.origin import Origin, Precedence
from node.model.problem import Blame
from node.model.size import GIB
from node.plugins.storage.answers import REST, StorageAnswers
from node.plugins.storage.check import check_consent
from node.plugins.storage.choice import choose_disk
from node.plugins.storage.foreign import foreign
from node.testing.machines import machine


def disk(name: str, **more: Any) -> Disk:
    given = {"size": 100 * GIB, "serial": f"S-{name}", "wwn": f"0x5000{name}", "transport": "sata", **more}
    return Disk(name=name, node=f"/dev/{name}", by_id=(f"ata-{name}",), by_path=(f"pci-{name}",), **given)


SDA = disk("sda", model="FAST SSD 9", rotational=False)
SDB = disk("sdb", model="BIG HDD", rotational=True, size=400 * GIB)
STICK = disk("sdc", removable=True, transport="usb", size=8 * GIB)
HELD = Contents(Finding.HOLDS, (Holding("filesystem", 'ext4 "old"', "/dev/sda1"),))


def answers(**storage: Any) -> Answers:
    return Answers(
        {"storage": StorageAnswers.model_validate(storage)},
        {"storage.disk": Origin(Precedence.FILE, "answers.yaml, line 3")},
    )


def choose(*disks: Disk, image: BootImage = BootImage(), **storage: Any) -> Any:  # noqa: B008 - frozen
    return choose_disk(Inventory(disks=disks, image=image), answers(**storage))


@pytest.mark.parametrize(
    "rule",
    [
        {"serial": "s-SDA"},
        {"wwn": "5000sda"},
        {"wwn": "0x5000sda"},
        {"by_id": "ata-sda"},
        {"by_id": "/dev/disk/by-id/ata-sda"},
        {"by_id": "ata-*a"},
        {"by_path": "pci-sda"},
        {"model": "ssd"},
        {"model": "fast*9"},
        {"max_size": "200GiB"},
        {"rotational": False},
        {"node": "/dev/sda"},
        {"node": "sda"},
        {"prefer": "smallest"},
        {"transport": "SATA", "max_size": "100GiB", "model": "FAST"},
    ],
)
def test_a_rule_takes_the_disk_that_it_means(rule: dict[str, Any]):
    choice = choose(SDA, SDB, disk=rule)
    assert (choice.disk, choice.problems) == (SDA, ())


def test_the_only_candidate_is_taken_without_a_rule():
    assert choose(SDA, STICK).disk == SDA


def test_without_a_rule_nothing_is_guessed():
    choice = choose(SDA, SDB)
    assert choice.disk is None
    (problem,) = choice.problems
    assert problem.code == "disk-ambiguous"
    assert "/dev/sda" in problem.what
    assert "/dev/sdb" in problem.what
    assert "S-sdb" in problem.what
    assert "prefer" in problem.mend


def test_a_tie_of_size_is_no_less_a_tie():
    twin = replace(SDA, name="sdd", node="/dev/sdd", serial="S-sdd")
    choice = choose(SDA, twin, SDB, disk={"prefer": "smallest"})
    (problem,) = choice.problems
    assert problem.code == "disk-ambiguous"
    assert "/dev/sdb" not in problem.what
    assert choose(SDA, twin, SDB, disk={"prefer": "largest"}).disk == SDB


def test_one_disk_over_two_paths_is_told_apart_by_them():
    path = replace(SDA, name="sdd", node="/dev/sdd", by_path=("pci-other",))
    (problem,) = choose(SDA, path, disk={"serial": SDA.serial}).problems
    assert "by_path" in problem.mend
    assert choose(SDA, path, disk={"serial": SDA.serial, "by_path": "pci-other"}).disk == path


def test_of_a_whole_shelf_only_the_first_are_listed():
    (problem,) = choose(*(disk(f"sd{letter}") for letter in "abcdefghijkl")).problems
    assert "12 disks could be meant: /dev/sda" in problem.what
    assert problem.what.endswith("serial S-sdh); and 4 more")


@pytest.mark.parametrize(
    ("candidate", "words"),
    [
        (STICK, "removable"),
        (replace(SDA, read_only=True), "read-only"),
        (replace(SDA, boot_medium=True), "runs from"),
        (replace(SDA, size=0), "no medium"),
    ],
)
def test_some_disks_are_candidates_only_when_named(candidate: Disk, words: str):
    (problem,) = choose(candidate).problems
    assert problem.code == "no-disk-fits"
    assert words in problem.what
    (problem,) = choose(candidate, disk={"transport": candidate.transport}).problems
    assert words in problem.what
    assert choose(candidate, disk={"serial": candidate.serial}).disk == candidate
    assert choose(candidate, disk={"node": candidate.node}).disk == candidate


@pytest.mark.parametrize("pattern", [{"by_id": "*"}, {"by_path": "pci-sd?"}, {"by_id": "ata-sd[a-z]"}])
def test_a_pattern_names_no_disk(pattern: dict[str, str]):
    assert choose(SDA, STICK, disk={**pattern, "prefer": "smallest"}).disk == SDA


def test_the_medium_that_this_system_came_from_is_not_written_to_even_by_name():
    (problem,) = choose(replace(STICK, boot_medium=True), disk={"serial": "S-sdc"}).problems
    assert (problem.code, problem.blame) == ("disk-in-use", Blame.MACHINE)


def test_where_no_disk_fits_each_one_gets_its_reason():
    (problem,) = choose(SDA, SDB, STICK, disk={"model": "nvme", "min_size": "1TiB"}).problems
    for words in ("FAST SSD 9", "BIG HDD", "/dev/sdc", "serial S-sda"):
        assert words in problem.what


def test_a_machine_without_disks_says_so():
    (problem,) = choose().problems
    assert problem.code == "no-disk"


def test_the_floor_is_not_pulled_away():
    image = BootImage(path="/run/node/medium/live/root.squashfs", device="/dev/sdc1")
    choice = choose(STICK, image=image, disk={"serial": "S-sdc"})
    assert [p.code for p in choice.problems] == ["disk-in-use"]


@pytest.mark.parametrize(
    ("consent", "refused"),
    [
        ([], True),
        (["S-sda"], False),
        (["0x5000sda"], False),
        (["ata-sda"], False),
        (["/dev/disk/by-id/ata-sda"], False),
        (["S-sdb"], True),
        (["/dev/sda"], True),
        (["sda"], True),
        (["pci-sda"], True),
        (["s-sd"], True),
    ],
)
@pytest.mark.parametrize("finding", [Finding.HOLDS, Finding.UNKNOWN])
def test_contents_are_lost_only_by_consent_to_that_very_disk(
    consent: list[str], refused: bool, finding: Finding
):
    held = replace(SDA, contents=replace(HELD, finding=finding, why="an I/O error"))
    choice = choose(held, SDB, disk={"node": "/dev/sda"}, consent=consent)
    codes = [p.code for p in choice.problems]
    assert codes == (["disk-not-empty"] if refused else [])
    if refused:
        # What keeps the machine from being used is on the machine: exit code 69.
        assert choice.problems[0].blame is Blame.MACHINE
        assert ("an I/O error" if finding is Finding.UNKNOWN else 'ext4 "old"') in choice.problems[0].what
        assert "'S-sda'" in choice.problems[0].mend
        assert str(choice.problems[0].origin) == "answers.yaml, line 3"


def test_a_name_that_two_disks_share_is_no_consent():
    held = replace(SDA, contents=HELD, wwn="", by_id=())
    twin = replace(SDB, serial=held.serial)
    (problem,) = choose(held, twin, disk={"node": "/dev/sda"}, consent=[held.serial]).problems
    assert problem.code == "disk-not-empty"
    assert "names another disk as well" in problem.what
    assert "empty it by hand" in problem.mend


def test_a_consent_counts_in_any_case_where_that_is_clear():
    held = replace(SDA, contents=Contents(Finding.HOLDS, (Holding("ext4"),)))
    assert not choose(held, SDB, disk={"node": "/dev/sda"}, consent=[held.serial.swapcase()]).problems
    # Another disk whose name is the same but for its case: then only what is written alike counts.
    twin = replace(SDB, serial=held.serial.swapcase(), wwn="", by_id=())
    odd = held.serial[:-1] + held.serial[-1].swapcase()
    for given, refused in ((held.serial, False), (twin.serial, True), (odd, True)):
        choice = choose(held, twin, disk={"node": "/dev/sda"}, consent=[given])
        assert bool(choice.problems) is refused, given
    assert not check_consent(StorageAnswers(consent=(held.serial.swapcase(),)), Inventory(disks=(held,)))


def test_consents_that_name_nothing_are_named():
    storage = StorageAnswers(consent=("S-sda", "/dev/sda", "nvme0n1", "elsewhere"))
    found = [(p.code, p.severity) for p in check_consent(storage, Inventory(disks=(SDA,)))]
    assert found == [
        ("consent-kernel-name", "error"),
        ("consent-kernel-name", "error"),
        ("consent-unmatched", "warning"),
    ]


@pytest.mark.parametrize(
    ("holding", "words"),
    [
        (Holding("lvm", 'LVM2_member "vg0"', "/dev/sda2"), "volume group may span"),
        (Holding("vmfs", "VMFS_volume_member"), "VMware datastore"),
        (Holding("ceph", "ceph_bluestore"), "Ceph"),
        (Holding("md", "linux_raid_member"), "Linux RAID"),
        (Holding("zfs", "zfs_member"), "ZFS pool"),
    ],
)
def test_what_reaches_beyond_a_disk_is_named(holding: Holding, words: str):
    (problem,) = foreign(replace(SDA, contents=Contents(Finding.HOLDS, (holding,))))
    assert words in problem.what
    assert (holding.node or "/dev/sda") in problem.what
    assert problem.blame is Blame.MACHINE


def test_a_plain_filesystem_reaches_nowhere():
    assert foreign(replace(SDA, contents=HELD)) == []


def test_recorded_machines():
    equal = choose_disk(machine("vm-two-equal"), answers())
    assert [p.code for p in equal.problems] == ["disk-ambiguous"]
    unreadable = choose_disk(machine("server-unreadable-disk"), answers())
    assert unreadable.problems


@pytest.mark.parametrize(
    "wrong",
    [
        {"disk": {"serail": "x"}},
        {"disk": {"min_size": "2G", "max_size": "1G"}},
        {"sizes": {"data": "rest", "logging": -1}},
        {"sizes": {"root": "rest"}},
        {"sizes": {"swap": "-5M"}},
        {"sizes": {"swap": "much"}},
        {"roles": ["ROOT-C"]},
        {"roles": []},
        {"data_filesystem": "ntfs"},
    ],
)
def test_wrong_answers_are_refused(wrong: dict[str, Any]):
    with pytest.raises(ValidationError):
        StorageAnswers.model_validate(wrong)


def test_sizes_are_read_and_written_as_people_do():
    storage = StorageAnswers.model_validate(
        {"disk": {"serial": 123456}, "sizes": {"data": "rest", "swap": 0, "boot": "2GiB"}}
    )
    assert storage.disk.serial == "123456"
    assert (storage.sizes.data, storage.sizes.swap, storage.sizes.boot) == (REST, 0, 2 * GIB)
    again = StorageAnswers.model_validate(storage.model_dump(mode="json"))
    assert again == storage
    assert StorageAnswers.model_json_schema()


@pytest.mark.parametrize(
    ("kind", "detail", "named"), [("md", "linux_raid_member", True), ("filesystem", 'ext4 "mdata"', False)]
)
def test_what_reaches_beyond_a_disk_is_told_by_its_format_and_not_by_its_label(
    kind: str, detail: str, named: bool
):
    held = Contents(Finding.HOLDS, (Holding(kind, detail, "/dev/sda1"),))
    assert bool(foreign(replace(SDA, contents=held))) is named
