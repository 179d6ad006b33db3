"""GRUB on a disk, started for real by a BIOS."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from node.errors import NodeError
from node.model.layout import Role
from node.system import boot as boot_module
from node.system.live import LiveSystem
from tests.loop.layouts import layout

MESSAGE = "reached grub.cfg of BOOT"
needs_grub = pytest.mark.skipif(
    not (Path("/usr/lib/grub/i386-pc/boot.img").exists() and shutil.which("grub-mkimage")),
    reason="needs grub-pc-bin and grub-common",
)


def with_boot(system: LiveSystem, node: str, folder: Path) -> None:
    wanted = layout(system.disks.probe(node))
    system.disks.write_table(wanted)
    boot = wanted.get(Role.BOOT)
    assert boot
    system.disks.make_filesystem(wanted.node_of(boot), kind="ext4", label="BOOT", uuid=boot.filesystem_uuid)
    system.mounts.mount(wanted.node_of(boot), folder)


@needs_grub
@pytest.mark.timeout(120)
def test_bios_starts_grub_and_reads_its_configuration(
    loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path
) -> None:
    qemu = shutil.which("qemu-system-x86_64")
    if not qemu:
        pytest.skip("needs qemu-system-x86")
    node = loop_disk()
    with_boot(system, node, tmp_path / "boot")
    system.boot.install_grub_bios(node, tmp_path / "boot")
    config = f"serial --unit=0\nterminal_output serial\necho {MESSAGE}\nhalt\n"
    system.files.write(tmp_path / "boot/grub/grub.cfg", config.encode())
    system.mounts.unmount(tmp_path / "boot")
    done = subprocess.run(
        [qemu, "-accel", "tcg", "-m", "128", "-display", "none", "-serial", "stdio", "-monitor", "none",
         "-no-reboot", "-nic", "none", "-drive", f"file={node},format=raw,if=virtio"],
        capture_output=True, text=True, errors="replace", timeout=100, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert MESSAGE in done.stdout, done.stdout[-500:] + done.stderr[-500:]


@needs_grub
def test_sector_0_is_written_last_and_after_a_flush(
    loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = loop_disk()
    with_boot(system, node, tmp_path / "boot")
    order: list[str] = []
    write, flush = boot_module.write_at, boot_module.os.fsync

    def written(descriptor: int, offset: int, data: bytes) -> None:
        order.append(f"write {offset} {len(data)}")
        write(descriptor, offset, data)

    def flushed(descriptor: int) -> None:
        order.append("flush")
        flush(descriptor)

    monkeypatch.setattr(boot_module, "write_at", written)
    monkeypatch.setattr(boot_module.os, "fsync", flushed)
    system.boot.install_grub_bios(node, tmp_path / "boot")
    core, first, code, second = order[-4:]
    assert (first, code, second) == ("flush", "write 0 440", "flush")
    assert core.startswith("write 1048576 ")
    with Path(node).open("rb") as device:
        sector = device.read(512)
    assert struct.unpack_from("<Q", sector, 0x5C) == (2048,)
    assert sector[510:] == b"\x55\xaa"


@needs_grub
def test_folder_that_is_not_boot_is_refused(
    loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path
) -> None:
    node = loop_disk()
    system.disks.write_table(layout(system.disks.probe(node)))
    with pytest.raises(NodeError, match="nothing is mounted"):
        system.boot.install_grub_bios(node, tmp_path)


@needs_grub
def test_disk_without_bios_grub_is_refused(
    loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path
) -> None:
    node = loop_disk()
    system.disks.write_table(layout(system.disks.probe(node), [(Role.DATA, 310, "xfs")]))
    with pytest.raises(NodeError, match="has no BIOS-GRUB partition"):
        system.boot.install_grub_bios(node, tmp_path)


def test_firmware_without_variables_has_no_entries(tmp_path: Path) -> None:
    live = boot_module.LiveBoot(LiveSystem().commands, efivars=tmp_path / "none")
    assert live.boot_entries() == ((), {})
    assert live.add_boot_entry(disk="/dev/sda", partition=2, label="Nodecrust", loader="\\EFI\\x.efi") == ""
    live.restore_boot_order(["0001"], remove=["0002"])
