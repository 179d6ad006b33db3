"""Whole installations on loop devices by the real system, and every step of them failing in turn."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from node.boot.boot import boot
from node.boot.places import Places
from node.errors import NodeError, StepFailedError
from node.model.install import InstallAnswers
from node.model.layout import TYPE_UUIDS, Layout, Role
from node.model.plan import Plan
from node.model.size import GIB, MIB
from node.model.step import PlannedStep, Step
from node.plugins import bootloader, state
from node.plugins.bootloader import steps as boot_steps
from node.plugins.storage import StorageAnswers
from node.system.commands import LiveCommands
from node.system.probe.installations import find_installations
from tests.loop.bench_node import SERIAL, BenchNode, own_mounts, tool

# A cut or a failure at the last step of each phase, and in the long version at every step.
thoroughly = pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.soak)])


def chosen(plan: Plan, *, every: bool) -> list[int]:
    """Give the numbers (from 1) of the steps to try."""
    phases = [planned.phase for planned in plan.steps]
    return [
        number
        for number, phase in enumerate(phases, 1)
        if every or number == len(phases) or phases[number] != phase
    ]


KEEP = StorageAnswers(consent=(SERIAL,), keep=True)


@pytest.fixture(scope="module", autouse=True)
def _apart() -> None:
    own_mounts()


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    (folder / "tree").mkdir()
    (folder / "tree/random").write_bytes(random.Random(7).randbytes(9 * MIB + 12345))
    tool("mksquashfs", folder / "tree", folder / "root.squashfs", "-quiet", "-no-progress")
    return folder / "root.squashfs"


@pytest.fixture
def make_node(
    tmp_path: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., BenchNode]]:
    files = tmp_path / "image"
    files.mkdir()
    for name in ("vmlinuz", "initrd"):
        (files / name).write_bytes(random.Random(name).randbytes(MIB))
    for name in ("shim", "grub"):
        (files / name).write_bytes(f"MZ {name}".encode())
    (tmp_path / "no-variables").mkdir()
    (tmp_path / "install.log").write_text("a log\n")
    monkeypatch.setattr(boot_steps, "KERNELS", files)
    monkeypatch.setattr(boot_steps, "SHIM", files / "shim")
    monkeypatch.setattr(boot_steps, "SIGNED_GRUB", files / "grub")
    monkeypatch.setattr(state, "INSTALL_LOG", tmp_path / "install.log")
    made: list[BenchNode] = []

    def make(*, sector_size: int = 512, firmware: str = "bios", size: int = 8 * GIB) -> BenchNode:
        disk = tmp_path / f"disk{len(made)}"
        with disk.open("wb") as file:
            file.truncate(size)
        node = tool(
            "losetup", "--find", "--show", "--partscan", "--sector-size", str(sector_size), disk
        ).strip()
        made.append(BenchNode(node, tmp_path, firmware=firmware, image=image, image_bytes=image.read_bytes()))
        return made[-1]

    yield make
    for bench in made:
        bench.unmount()
        tool("partx", "--delete", bench.node, check=False)
        tool("losetup", "--detach", bench.node)


@pytest.mark.parametrize(("sector_size", "firmware"), [(512, "bios"), (512, "uefi"), (4096, "uefi")])
def test_a_whole_installation(make_node: Callable[..., BenchNode], sector_size: int, firmware: str):
    node = make_node(sector_size=sector_size, firmware=firmware)
    plan = node.plan()
    node.install(plan)
    assert node.mounted() == []
    assert node.records()[-1]["event"] == "run-done"
    check_table(node, plan)
    check_filesystems(node, plan)
    check_contents(node, plan)
    assert any(node.boot_code()) == (sector_size == 512)
    found, unknown = find_installations((node.disk(),), commands=LiveCommands())
    assert unknown == ()
    assert [(i.complete, i.install_id) for i in found] == [(True, str(plan.install_id))]


def check_table(node: BenchNode, plan: Plan) -> None:
    """What sfdisk reads is what was planned, to the byte."""
    assert plan.layout
    sector = plan.layout.disk.sector_size
    rows = [
        (row["node"], row["start"] * sector, row["size"] * sector, row["type"], row["uuid"], row["name"])
        for row in node.table()
    ]
    assert rows == [
        (
            plan.layout.node_of(p),
            p.start,
            p.size,
            str(TYPE_UUIDS[p.role]).upper(),
            str(p.uuid).upper(),
            p.label,
        )
        for p in plan.layout.partitions
    ]
    assert "No errors detected" in tool("sfdisk", "--verify", node.node)


def check_filesystems(node: BenchNode, plan: Plan) -> None:
    """blkid reads the planned labels and identifiers, and every fsck is content."""
    assert plan.layout
    for partition in plan.layout.partitions:
        device = plan.layout.node_of(partition)
        if not partition.filesystem:
            continue
        found = dict(line.split("=", 1) for line in tool("blkid", "-p", "-o", "export", device).splitlines())
        assert (found["TYPE"], found["LABEL"], found["UUID"]) == (
            partition.filesystem,
            partition.label,
            partition.filesystem_uuid,
        )
        if partition.filesystem == "vfat":
            assert found["VERSION"] == "FAT32"
            tool("fsck.vfat", "-n", device)
        elif partition.filesystem == "ext4":
            tool("e2fsck", "-fn", device)


def check_contents(node: BenchNode, plan: Plan) -> None:
    assert plan.layout
    slot = plan.layout.get(Role.ROOT_A)
    assert slot
    assert node.read(slot.start, len(node.image_bytes)) == node.image_bytes
    with node.looking_into(node.partition(plan, Role.BOOT)) as boot:
        for name in ("vmlinuz", "initrd"):
            assert (boot / "a" / name).read_bytes() == (boot_steps.KERNELS / name).read_bytes()
        line = (boot / "a/cmdline").read_text()
        assert line.startswith(f"node.image=PARTUUID={slot.uuid} node.image.size={len(node.image_bytes)} ")
        assert line.endswith(" console=tty0 console=ttyS0,115200\n")
        assert line.strip() in (boot / "grub/grub.cfg").read_text()
        assert (boot / "grub/grubenv").stat().st_size == 1024
    with node.looking_into(node.partition(plan, Role.ESP)) as esp:
        assert (esp / "EFI/BOOT/BOOTX64.EFI").read_bytes() == b"MZ shim"
        assert (esp / "EFI/debian/grubx64.efi").read_bytes() == b"MZ grub"
        boot_partition = plan.layout.get(Role.BOOT)
        assert boot_partition
        assert boot_partition.filesystem_uuid in (esp / "EFI/debian/grub.cfg").read_text()
    with node.looking_into(node.partition(plan, Role.CONFIG)) as config:
        document = yaml.safe_load((config / "node.yaml").read_text())
        assert document["install"]["id"] == str(plan.install_id)
        assert {entry["role"] for entry in document["install"]["layout"]} == {r.value for r in Role}
        assert (config / "node.yaml").stat().st_mode & 0o777 == 0o600
        assert json.loads((config / "installs.json").read_text())["installs"][-1]["slot"] == "a"
        assert (config / "install.log").read_text() == "a log\n"
        key = config / "ssh/ssh_host_ed25519_key"
        assert key.stat().st_mode & 0o777 == 0o600
        assert key.with_name(f"{key.name}.pub").read_text().startswith("ssh-ed25519 ")


ONLY_DATA = (Role.SWAP, Role.CONFIG, Role.LOGGING, Role.DATA)


@pytest.mark.parametrize("roles", [ONLY_DATA, (Role.CONFIG,)])
def test_a_node_that_boots_over_the_network_keeps_only_what_is_its_own(
    make_node: Callable[..., BenchNode], tmp_path: Path, roles: tuple[Role, ...]
):
    node = make_node(size=4 * GIB)
    plan = node.plan(StorageAnswers(consent=(SERIAL,), roles=roles))
    assert plan.layout
    node.install(plan)
    check_table(node, plan)
    check_filesystems(node, plan)
    assert not any(node.boot_code())
    found, unknown = find_installations((node.disk(),), commands=LiveCommands())
    assert unknown == ()
    assert [(i.complete, i.install_id) for i in found] == [(True, str(plan.install_id))]
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "var/log").mkdir(parents=True)
    for name in ("passwd", "group", "shadow", "gshadow"):
        (root / "etc" / name).write_text("root:x:0:0::/root:/bin/bash\nshadow:x:42:\n")
    with node.looking_into(node.partition(plan, Role.CONFIG)) as config:
        places = Places(root=root, config=config, run=tmp_path / "run", network=tmp_path / "networks",
                        set_host_name=lambda _: None)  # fmt: skip
        # CONFIG is looked into read-only here.
        (alarm,) = boot(places)
    assert "could not be kept as the last good one" in alarm
    lines = [line.split() for line in (root / "etc/fstab").read_text().splitlines() if line[0] != "#"]
    assert [(fields[0], fields[1]) for fields in lines] == [
        (f"PARTUUID={partition.uuid}", MOUNTED[partition.role]) for partition in plan.layout.partitions
    ]


MOUNTED = {Role.SWAP: "none", Role.CONFIG: "/config", Role.LOGGING: "/var/log", Role.DATA: "/data"}


def test_the_menu_and_the_stub_are_what_grub_understands(make_node: Callable[..., BenchNode], tmp_path: Path):
    node = make_node()
    config = next(p.step for p in node.plan().steps if isinstance(p.step, bootloader.WriteGrubConfig))
    script = tmp_path / "grub.cfg"
    script.write_text(config.menu)
    tool("grub-script-check", script)


@dataclass(frozen=True)
class Broken(Step):
    """A step that fails after its work, so that its undo has everything to do."""

    inner: Step

    def summary(self) -> str:
        return self.inner.summary()

    def apply(self, system: Any) -> None:
        self.inner.apply(system)
        raise NodeError("broken on purpose")

    def undo(self, system: Any) -> None:
        self.inner.undo(system)

    def finish(self, system: Any) -> None:
        self.inner.finish(system)

    def aftermath(self) -> str:
        return self.inner.aftermath()


def broken_at(plan: Plan, index: int) -> Plan:
    steps = list(plan.steps)
    steps[index] = replace(steps[index], step=Broken(steps[index].step))
    return replace(plan, steps=tuple(steps))


def is_clear(node: BenchNode) -> bool:
    size = node.disk().size
    return not any(node.read(0, MIB)) and not any(node.read(size - MIB, MIB))


@thoroughly
def test_a_step_that_fails_leaves_a_disk_that_boots_nothing(make_node: Callable[..., BenchNode], every: bool):
    node = make_node()
    plan = node.plan()
    partition = next(i for i, p in enumerate(plan.steps) if p.phase == "partition")
    for index in (number - 1 for number in chosen(plan, every=every)):
        planned = plan.steps[index]
        with pytest.raises(StepFailedError) as caught:
            node.install(broken_at(plan, index))
        name = type(planned.step).__name__
        assert node.mounted() == [], name
        assert is_clear(node), name
        wanted = "nothing was written" if index < partition else "not bootable"
        assert wanted in caught.value.disk_state, name
        assert "not taken back" not in caught.value.disk_state, name
        failed = [r for r in node.records() if r["event"] == "step-failed"][-1]
        assert failed["step"] == planned.step.summary()
        assert node.records()[-1]["event"] == "run-failed"


def test_an_image_that_is_not_the_promised_one_leaves_a_clear_disk(make_node: Callable[..., BenchNode]):
    node = make_node()
    plan = node.plan()
    spoilt = node.folder / "spoilt.squashfs"
    spoilt.write_bytes(node.image_bytes[:-4096] + bytes(4096))
    short = node.folder / "short.squashfs"
    short.write_bytes(node.image_bytes[:-4096])
    for source, words in ((spoilt, "SHA-256"), (short, "ends at byte")):
        steps = tuple(
            replace(p, step=replace(p.step, source=source))
            if type(p.step).__name__ == "WriteRootImage"
            else p
            for p in plan.steps
        )
        with pytest.raises(StepFailedError, match=words):
            node.install(replace(plan, steps=steps))
        assert is_clear(node)
        assert node.mounted() == []


def test_a_disk_that_changed_since_the_plan_is_not_touched(make_node: Callable[..., BenchNode]):
    node = make_node()
    plan = node.plan()
    tool("mkfs.ext4", "-q", node.node)
    before = node.read(0, 4 * MIB)
    with pytest.raises(StepFailedError, match="has changed") as caught:
        node.install(plan)
    assert caught.value.disk_state == "nothing was written to any disk"
    assert node.read(0, 4 * MIB) == before


@thoroughly
@pytest.mark.parametrize("kind", ["step-done", pytest.param("step-started", marks=pytest.mark.soak)])
def test_a_power_cut_at_any_step_leaves_nothing_half_done_that_boots(
    make_node: Callable[..., BenchNode], kind: str, every: bool
):
    node = make_node()
    plan = node.plan()
    phases = [planned.phase for planned in plan.steps]
    for number in chosen(plan, every=every):
        planned = plan.steps[number - 1]
        # What the installation before left must not come back to life in the one that is cut.
        node.install(node.plan())
        node.install_until_killed(node.plan(), kind=kind, number=number)
        name = f"{kind} of {type(planned.step).__name__}"
        last = node.records()[-1]
        assert (last["event"], last["number"]) == (kind, number), name
        done = phases[: number if kind == "step-done" else number - 1]
        if "partition" not in done:
            pass  # nothing was written, or it was cut somewhere in between
        elif "boot" not in done:
            assert not any(node.boot_code()), name
            assert not has_loader(node), name
        else:
            check_contents_whole(node, plan)
        complete = [i.complete for i in find_installations((node.disk(),), commands=LiveCommands())[0]]
        assert any(complete) == ("partition" not in done or len(done) == len(phases)), name


def has_loader(node: BenchNode) -> bool:
    for partition in node.disk().partitions:
        if partition.filesystem == "vfat":
            with node.looking_into(partition.node) as esp:
                return (esp / "EFI/BOOT/BOOTX64.EFI").exists()
    return False


def check_contents_whole(node: BenchNode, plan: Plan) -> None:
    assert plan.layout
    slot = plan.layout.get(Role.ROOT_A)
    assert slot
    assert node.read(slot.start, len(node.image_bytes)) == node.image_bytes
    with node.looking_into(node.partition(plan, Role.BOOT)) as boot:
        assert {path.name for path in (boot / "a").iterdir()} == {"vmlinuz", "initrd", "cmdline"}


def fingerprint(node: BenchNode, layout: Layout, role: Role) -> str:
    partition = layout.get(role)
    assert partition
    digest = hashlib.sha256()
    for start in range(partition.start, partition.start + partition.size, 64 * MIB):
        digest.update(node.read(start, min(64 * MIB, partition.start + partition.size - start)))
    return digest.hexdigest()


@pytest.fixture
def installed(make_node: Callable[..., BenchNode]) -> tuple[BenchNode, Plan]:
    """A node with something of its own on CONFIG, LOGGING and DATA."""
    node = make_node(size=1600 * MIB)
    plan = node.plan(InstallAnswers(reinstall="first"))
    node.install(plan)
    where = node.folder / "rw"
    where.mkdir()
    for role in (Role.CONFIG, Role.LOGGING, Role.DATA):
        tool("mount", node.partition(plan, role), where)
        (where / "own").write_text(f"{role} of the node")
        tool("umount", where)
    return node, plan


def test_keep_leaves_data_to_the_byte_and_config_to_the_file(installed: tuple[BenchNode, Plan]):
    node, first = installed
    assert first.layout
    before = [fingerprint(node, first.layout, role) for role in (Role.LOGGING, Role.DATA)]
    second = node.plan(KEEP, InstallAnswers(reinstall="again"), install=2)
    assert second.layout
    node.install(second)
    check_table(node, second)
    check_filesystems(node, second)
    check_contents(node, second)
    assert before == [fingerprint(node, second.layout, role) for role in (Role.LOGGING, Role.DATA)]
    for role in (Role.CONFIG, Role.LOGGING, Role.DATA):
        assert first.layout.get(role) == replace(second.layout.get(role), keep=False)  # type: ignore[type-var]
    with node.looking_into(node.partition(second, Role.CONFIG)) as config:
        assert (config / "own").read_text() == "CONFIG of the node"
    found = find_installations((node.disk(),), commands=LiveCommands())[0]
    assert [(i.complete, i.done) for i in found] == [(True, ("first", "again"))]


@thoroughly
def test_keep_that_fails_keeps_the_data_and_boots_nothing(installed: tuple[BenchNode, Plan], every: bool):
    node, first = installed
    assert first.layout
    data = fingerprint(node, first.layout, Role.DATA)
    for index in (number - 1 for number in chosen(node.plan(KEEP, install=2), every=every)):
        plan = node.plan(KEEP, install=2)
        phase, name = plan.steps[index].phase, type(plan.steps[index].step).__name__
        with pytest.raises(StepFailedError) as caught:
            node.install(broken_at(plan, index))
        assert node.mounted() == [], name
        assert fingerprint(node, first.layout, Role.DATA) == data, name
        with node.looking_into(node.partition(first, Role.CONFIG)) as config:
            assert (config / "own").read_text() == "CONFIG of the node", name
            assert yaml.safe_load((config / "node.yaml").read_text())["install"]["id"] == str(
                first.install_id
            )
        if phase in ("check", "release"):
            assert any(node.boot_code()), name
            continue
        assert "are kept" in caught.value.disk_state, name
        assert not any(node.boot_code()), name
        assert not has_loader(node), name
        (found,) = find_installations((node.disk(),), commands=LiveCommands())[0]
        # Damaged, so that no unattended run takes the kept data for leftovers of nobody.
        assert (found.complete, found.install_id) == (False, str(first.install_id)), name


@thoroughly
def test_keep_that_is_cut_is_never_taken_for_finished(installed: tuple[BenchNode, Plan], every: bool):
    node, first = installed
    assert first.layout
    data = fingerprint(node, first.layout, Role.DATA)
    plan = node.plan(KEEP, install=2)
    phases = [planned.phase for planned in plan.steps]
    start = phases.index("partition") + 1
    for number in (n for n in chosen(plan, every=every) if n >= start):
        node.install(node.plan(KEEP))
        plan = node.plan(KEEP, install=2)
        node.install_until_killed(plan, kind="step-done", number=number)
        name = type(plan.steps[number - 1].step).__name__
        complete = any(i.complete for i in find_installations((node.disk(),), commands=LiveCommands())[0])
        assert complete == (number == len(plan.steps)), name
        if "boot" not in phases[:number]:
            assert not any(node.boot_code()), name
            assert not has_loader(node), name
        assert fingerprint(node, first.layout, Role.DATA) == data, name


def test_a_mount_that_stays_is_named_before_anything_is_written(
    installed: tuple[BenchNode, Plan], tmp_path: Path
):
    node, first = installed
    where = tmp_path / "held"
    where.mkdir()
    plan = node.plan(install=2)
    tool("mount", node.partition(first, Role.DATA), where)
    try:
        with pytest.raises(StepFailedError, match=str(where)) as caught:
            node.install(plan)
    finally:
        subprocess.run(["umount", where], check=True)
    assert caught.value.disk_state == "nothing was written to any disk"
    assert any(node.boot_code())
    assert PlannedStep("check", plan.steps[0].step, "storage") in plan.steps
