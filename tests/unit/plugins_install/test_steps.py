"""What each step asks of the system, and how it takes that back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from pydantic import ValidationError

from node.errors import NodeError
from node.hookspecs import Target
from node.model.answers import Answers, SectionModel
from node.model.install import InstallAnswers
from node.model.inventory import Contents, Finding, Holding, Inventory
from node.model.layout import Role
from node.model.mask import MASK
from node.model.size import MIB
from node.model.state import State
from node.model.step import PHASES, PlannedStep, Step, step_from_data, step_to_data
from node.persist.store import state_from_text, state_to_text
from node.plugin_manager import Plugins
from node.plugins import bootloader, payload, state, storage
from node.plugins.access.answers import AccessAnswers
from node.plugins.access.host_key import MakeHostKey
from node.plugins.bootloader.answers import BootAnswers
from node.plugins.bootloader.arguments import carried_over
from node.plugins.bootloader.grub import menu
from node.plugins.bootloader.steps import BIOS_GRUB, KERNELS, SHIM, SIGNED_GRUB, AddBootEntry, WriteEspLoaders
from node.plugins.state.steps import RecordInstall, RetireInstalls, WriteState, overlay
from node.plugins.storage.answers import StorageAnswers
from node.plugins.storage.fstab import fstab
from node.plugins.storage.steps import CheckDisk, MountTarget, PartitionDisk
from node.testing.fake_system import FakeSystem
from node.testing.machines import machine

ID = "00000000-0000-4000-8000-000000000001"
AT = "2026-01-02T03:04:05+00:00"
HASH = "$y$j9T$abcdefghijklmnop$ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq"


def planned(inventory: Inventory, *sections: SectionModel, install_id: str = ID) -> list[PlannedStep]:
    answers = Answers({section.key: section for section in sections})
    proposal = storage.node_disk_layout(inventory, answers, install_id)
    assert proposal.problems == ()
    assert proposal.layout
    args = bootloader.node_kernel_args(answers, inventory)
    target = Target(proposal.layout, install_id, AT, tuple(args))
    steps = [
        *storage.node_plan(inventory, target),
        *payload.node_plan(inventory, target),
        *bootloader.node_plan(answers, inventory, target),
        *state.node_plan(answers, inventory, target),
    ]
    return sorted(steps, key=lambda step: PHASES.index(step.phase))


def virtual_machine(firmware: str = "bios") -> Inventory:
    found = machine("vm-virtio-blank")
    image = replace(found.image, path="/run/node/fetched/root.squashfs", size=100 * MIB, sha256="ab" * 32)
    return replace(
        found, firmware=replace(found.firmware, kind=firmware), image=image, consoles=("tty0", "ttyS0,115200")
    )


def machine_with_files(inventory: Inventory) -> FakeSystem:
    system = FakeSystem(inventory)
    for path in (SHIM, SIGNED_GRUB, BIOS_GRUB, KERNELS / "vmlinuz", KERNELS / "initrd"):
        system.file_contents[path] = f"bytes of {path.name}".encode()
    return system


def test_the_steps_of_a_plain_installation_in_order():
    names = [(p.phase, type(p.step).__name__) for p in planned(virtual_machine("uefi"))]
    assert names == [
        ("check", "CheckDisk"),
        ("release", "ReleaseDisk"),
        ("partition", "PartitionDisk"),
        *[("format", "MakeFilesystem")] * 6,
        *[("mount", "MountTarget")] * 3,
        ("payload", "WriteRootImage"),
        ("payload", "CopyKernel"),
        ("configure", "WriteGrubConfig"),
        ("configure", "WriteState"),
        ("verify", "VerifyRootImage"),
        ("verify", "VerifyKernel"),
        ("boot", "InstallBiosGrub"),
        ("boot", "WriteEspLoaders"),
        ("boot", "AddBootEntry"),
        ("record", "KeepLog"),
        ("record", "RecordInstall"),
    ]


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_a_whole_run_forwards_and_backwards_leaves_nothing_mounted(firmware: str):
    inventory = virtual_machine(firmware)
    system = machine_with_files(inventory)
    system.boot_order, system.boot_labels = ("0001",), {"0001": "PXE"}
    steps = [p.step for p in planned(inventory)]
    for step in steps:
        step.apply(system)
    assert len(system.mounted) == 3
    first_write = system.names().index("disks.erase_boot_code")
    assert set(system.names()[:first_write]) == {"disks.probe", "disks.release"}
    esp = system.root / "esp/EFI/BOOT/BOOTX64.EFI"
    assert system.file_contents[esp] == system.file_contents[SHIM]
    for step in reversed(steps):
        step.undo(system)
    assert system.mounted == {}
    assert esp not in system.file_contents
    assert (system.boot_order, system.boot_labels) == (("0001",), {"0001": "PXE"})
    assert system.names()[-1] == "disks.erase_boot_code"


def test_every_step_is_data_and_can_be_made_again():
    for each in planned(virtual_machine("uefi")):
        assert step_from_data(step_to_data(each.step, reveal=True)) == each.step
        assert each.step.summary()
        assert "\n" not in each.step.summary()


def test_no_hash_is_in_the_plan():
    access = AccessAnswers.model_validate({"admin": {"password_hash": HASH}})
    text = json.dumps([step_to_data(p.step) for p in planned(virtual_machine(), access)])
    assert HASH not in text
    assert MASK in text
    write = next(p.step for p in planned(virtual_machine(), access) if isinstance(p.step, WriteState))
    assert HASH in write.secrets
    assert yaml.safe_load(write.document)["sections"]["access"]["admin"]["password_hash"] == HASH


def test_no_write_reaches_beyond_the_new_partitions():
    inventory = virtual_machine()
    system = machine_with_files(inventory)
    step = next(p.step for p in planned(inventory) if isinstance(p.step, PartitionDisk))
    step.apply(system)
    assert step.layout
    for start, size in system.device_writes[step.layout.disk.node]:
        assert any(p.start <= start and start + size <= p.start + p.size for p in step.layout.partitions)
    names = system.names()
    assert names.index("open_device") < names.index("disks.write_table")


def test_four_k_sectors_get_no_bios_loader():
    inventory = virtual_machine("uefi")
    disks = tuple(replace(disk, sector_size=4096) for disk in inventory.disks)
    names = [type(p.step).__name__ for p in planned(replace(inventory, disks=disks))]
    assert "InstallBiosGrub" not in names
    assert "WriteEspLoaders" in names


def test_a_node_that_boots_over_the_network_keeps_only_what_it_wants():
    roles = StorageAnswers(roles=(Role.CONFIG, Role.SWAP))
    names = [type(p.step).__name__ for p in planned(virtual_machine(), roles)]
    assert names == [
        "CheckDisk", "ReleaseDisk", "PartitionDisk", "MakeFilesystem", "MakeFilesystem", "MountTarget",
        "WriteState", "KeepLog", "RecordInstall",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"serial": "other"}, "another disk than planned: its serial"),
        ({"size": 5 * MIB}, "its size"),
        ({"sector_size": 4096}, "its sector size"),
        ({"contents": Contents(Finding.UNKNOWN)}, "was empty and is unknown"),
        ({"contents": Contents(Finding.HOLDS, (Holding("filesystem", "ext4"),))}, "was empty and is holds"),
    ],
)
def test_a_disk_that_is_not_what_it_was_is_refused(change: dict[str, Any], words: str):
    inventory = virtual_machine()
    check = planned(inventory)[0].step
    assert isinstance(check, CheckDisk)
    check.apply(FakeSystem(inventory))
    changed = tuple(replace(disk, **change) for disk in inventory.disks)
    with pytest.raises(NodeError, match=words):
        check.apply(FakeSystem(replace(inventory, disks=changed)))


@pytest.mark.parametrize("undo", [False, True])
def test_another_disk_under_the_same_name_is_never_written(undo: bool):
    inventory = virtual_machine()
    step = next(p.step for p in planned(inventory) if isinstance(p.step, PartitionDisk))
    swapped = tuple(replace(disk, serial="other") for disk in inventory.disks)
    system = FakeSystem(replace(inventory, disks=swapped))
    with pytest.raises(NodeError, match="another disk"):
        (step.undo if undo else step.apply)(system)
    assert system.names() == ["disks.probe"]


def test_a_loader_that_the_firmware_needs_must_be_there():
    system = FakeSystem(virtual_machine("uefi"))
    with pytest.raises(NodeError, match="without which UEFI"):
        WriteEspLoaders("stub", required=True).apply(system)
    WriteEspLoaders("stub", required=False).apply(system)
    assert "will not start under UEFI" in system.messages[-1]
    assert system.called("files.write") == []


def test_the_loader_that_firmware_looks_for_comes_last():
    system = machine_with_files(virtual_machine("uefi"))
    WriteEspLoaders("stub", required=True).apply(system)
    assert str(system.calls[-1].arguments["target"]).endswith("EFI/BOOT/BOOTX64.EFI")


def test_a_boot_entry_replaces_only_its_own():
    system = FakeSystem(virtual_machine("uefi"))
    system.boot_order = ("0003", "0001", "0002")
    system.boot_labels = {"0001": "PXE", "0002": "Nodecrust OTHER", "0003": "Nodecrust A"}
    step = AddBootEntry("/dev/vda", 2, "Nodecrust A")
    step.apply(system)
    assert sorted(system.boot_labels.values()) == ["Nodecrust A", "Nodecrust OTHER", "PXE"]
    step.undo(system)
    assert system.boot_order == ("0001", "0002")


def kept_system(document: str) -> FakeSystem:
    system = FakeSystem()
    system.mounted[system.root / "config"] = "/dev/vda7"
    system.file_contents[system.root / "config/node.yaml"] = document.encode()
    return system


NETPLAN = {"ethernets": {"ens3": {"addresses": ["192.0.2.9/24"]}}, "vlans": {"v7": {"id": 7, "link": "ens3"}}}


def test_a_kept_configuration_stays_but_for_what_was_said():
    old = State(
        install={"id": "old"},
        sections={
            "network": {"hostname": "kept", "netplan": NETPLAN},
            "locale": {"timezone": "Europe/Berlin"},
            "of_a_plugin_that_is_gone": {"a": 1},
        },
    )
    # What the image says of itself is in the answers too, and nobody said it to this node.
    new = State(
        install={"id": "new"},
        sections={
            "network": {"hostname": "new"},
            "locale": {"timezone": "Etc/UTC", "lang": "C.UTF-8"},
            "logging": {"forward": ["udp://192.0.2.9"]},
        },
    )
    document = overlay(old, new, ["network.hostname"]).sections
    assert document == {
        "network": {"hostname": "new", "netplan": NETPLAN},
        "locale": {"timezone": "Europe/Berlin"},
        "of_a_plugin_that_is_gone": {"a": 1},
        "logging": {"forward": ["udp://192.0.2.9"]},
    }
    system = kept_system(state_to_text(old))
    step = WriteState(state_to_text(new), at=AT, keep=True, said=("network.hostname",))
    step.apply(system)
    written = yaml.safe_load(system.file_contents[system.root / "config/node.yaml"])
    assert written["install"] == {"id": "new"}
    assert written["sections"] == document
    step.undo(system)
    assert state_from_text(system.file_contents[system.root / "config/node.yaml"].decode()) == old


def test_what_was_said_to_be_the_default_is_not_kept():
    old = State(sections={"access": {"no_login": True, "admin": {"name": "alice", "ssh_keys": ["old"]}}})
    new = State(sections={"access": {"admin": {"ssh_keys": ["new"]}}})
    said = ["access.no_login", "access.admin.ssh_keys", "access.admin.password_hash"]
    assert overlay(old, new, said).sections == {"access": {"admin": {"name": "alice", "ssh_keys": ["new"]}}}
    assert overlay(old, State(sections={"access": {}}), ["access.admin.name"]).sections == {
        "access": {"no_login": True, "admin": {"ssh_keys": ["old"]}}
    }


def test_a_section_of_another_version_is_kept_whole_or_taken_whole():
    old = State(sections={"fans": {"speed": 3, "quiet": True}}, section_versions={"fans": 2})
    new = State(sections={"fans": {"rpm": 900}}, section_versions={"fans": 3})
    assert overlay(old, new, []) == old
    taken = overlay(old, new, ["fans.rpm"])
    assert (taken.sections, taken.section_versions) == ({"fans": {"rpm": 900}}, {"fans": 3})
    first = State(sections={"fans": {"rpm": 900}})
    assert overlay(old, first, ["fans.rpm"]).section_versions == {}


def test_a_kept_state_that_is_broken_is_set_aside_and_said():
    system = kept_system("{ torn")
    WriteState(state_to_text(State(install={"id": "new"})), at=AT, keep=True).apply(system)
    assert "can't be used" in system.messages[0]
    assert system.file_contents[system.root / "config/broken/000001.yaml"] == b"{ torn"


RECORD = RecordInstall(install_id=ID, reinstall="again", image_version="1", sha256="ab", at=AT)


def installs(system: FakeSystem) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(system.file_contents[system.root / "config/installs.json"])
    return found


def test_records_are_set_aside_until_the_new_one_is_there():
    system = kept_system("")
    path = system.root / "config/installs.json"
    system.file_contents[path] = json.dumps(
        {"version": 1, "installs": [{"id": "old", "reinstall": "x"}]}
    ).encode()
    RetireInstalls().apply(system)
    assert installs(system)["installs"] == []
    RetireInstalls().apply(system)  # a second try after a power cut
    RECORD.apply(system)
    assert [each["id"] for each in installs(system)["installs"]] == ["old", ID]
    assert "earlier" not in installs(system)
    RECORD.undo(system)
    assert installs(system)["installs"] == []
    assert [each["id"] for each in installs(system)["earlier"]] == ["old"]


def test_a_record_is_never_written_beside_its_partition():
    system = FakeSystem()
    with pytest.raises(NodeError, match="isn't mounted"):
        RECORD.apply(system)
    RECORD.undo(system)
    assert system.called("files.write") == []


def test_a_torn_record_is_begun_anew():
    system = kept_system("")
    system.file_contents[system.root / "config/installs.json"] = b'{"installs": ['
    RECORD.apply(system)
    assert [each["id"] for each in installs(system)["installs"]] == [ID]


def test_the_state_carries_what_fstab_needs():
    inventory = virtual_machine()
    write = next(p.step for p in planned(inventory, InstallAnswers()) if isinstance(p.step, WriteState))
    install = yaml.safe_load(write.document)["install"]
    assert install["id"] == ID
    lines = [line.split() for line in fstab(install).splitlines()[1:]]
    assert {line[1]: line[2] for line in lines} == {
        "/boot": "ext4",
        "/boot/efi": "vfat",
        "none": "swap",
        "/config": "ext4",
        "/var/log": "ext4",
        "/data": "ext4",
    }
    assert all("nofail" in line[3] or "noauto" in line[3] for line in lines)
    assert fstab({}) == ""
    assert fstab({"layout": [{"role": "SWAP"}, {"role": "ROOT-C", "partuuid": "x"}]}) == ""


@pytest.mark.parametrize(
    "line", ["node.image=x", "quiet root=/dev/sda", 'a="b', "two\nlines", "initrd=/x", "a=it's", "a=b\\c"]
)
def test_kernel_arguments_that_would_break_the_boot_are_refused(line: str):
    with pytest.raises(ValidationError):
        BootAnswers(append=line)


def test_kernel_arguments_come_from_consoles_image_and_answers():
    image = replace(virtual_machine().image, append="quiet console=tty0 node.answers=http://x BOOTIF=01-aa")
    found = carried_over(("tty0", "ttyS0,115200"), image, 'mitigations=off x="a b" quiet')
    assert found == ["console=tty0", "console=ttyS0,115200", "quiet", "mitigations=off", 'x="a b"']


def test_what_an_installed_node_reads_itself_may_be_asked_for():
    assert BootAnswers(append="quiet node.console=login").append == "quiet node.console=login"


def test_the_menu_quotes_what_its_shell_would_read():
    text = menu(boot_uuid="u-u", arguments=["a=b", 'x="c d"', "it's", "$(x)"], timeout_s=5)
    # GRUB puts "..." around x=c d by itself, and would escape quotes that are there already.
    assert """linux /a/vmlinuz a=b 'x=c d' 'it'\\''s' '$(x)'""" in text
    assert "set timeout=5" in text
    assert "serial" not in text


def test_only_bios_is_told_of_the_serial_line():
    text = menu(boot_uuid="u", arguments=["console=tty0", "console=ttyS1,57600n8"], timeout_s=3)
    assert "serial --unit=1 --speed=57600" in text
    assert text.index("grub_platform") < text.index("serial --unit")


@pytest.mark.parametrize(
    ("change", "code"),
    [({"path": ""}, "no-image"), ({"size": 0}, "no-image"), ({"sha256": ""}, "image-unverified")],
)
def test_there_must_be_an_image_to_install(change: dict[str, Any], code: str):
    inventory = virtual_machine()
    without = replace(inventory, image=replace(inventory.image, **change))
    assert [p.code for p in payload.node_validate(Answers({}), without)] == [code]
    diskless = Answers({"storage": StorageAnswers(roles=(Role.CONFIG,))})
    assert payload.node_validate(diskless, without) == []
    assert payload.node_validate(Answers({}), inventory) == []


def test_a_mount_is_released_by_undo_and_by_finish():
    system = FakeSystem()
    step: Step = MountTarget("/dev/vda3", Path("boot"), "ext4")
    for release in (step.undo, step.finish):
        step.apply(system)
        assert list(system.mounted) == [system.root / "boot"]
        release(system)
        assert system.mounted == {}


def test_all_built_in_plugins_load():
    plugins = Plugins()
    plugins.load()
    assert plugins.problems == []
    assert UUID(ID)


@pytest.mark.parametrize("kept", [False, True])
def test_a_host_key_is_made_on_config_where_it_has_none_and_its_fingerprint_told(kept: bool):
    system = machine_with_files(virtual_machine("bios"))
    key = system.root / "config/ssh/ssh_host_ed25519_key"
    public = key.with_name("ssh_host_ed25519_key.pub")
    if kept:
        system.file_contents |= {key: b"private", public: b"public"}
    system.outputs["ssh-keygen"] = "256 SHA256:abc no comment (ED25519)\n"
    MakeHostKey().apply(system)
    commands = [[str(word) for word in call.arguments["argv"]] for call in system.called("commands.run")]
    assert any("-t" in argv and str(key) in argv for argv in commands) is not kept
    assert ["ssh-keygen", "-l", "-f", str(public)] in commands
    assert system.messages == ["SSH host key: SHA256:abc (ED25519)"]
