"""Disks that old contents keep busy, released for real. LVM needs the kernel's device-mapper, RAID its md."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.errors import NodeError
from node.model.layout import Role
from node.system.live import LiveSystem
from tests.loop.conftest import run
from tests.loop.layouts import layout


def divided(system: LiveSystem, node: str) -> dict[Role, str]:
    wanted = layout(system.disks.probe(node))
    system.disks.write_table(wanted)
    return {p.role: wanted.node_of(p) for p in wanted.partitions}


@pytest.fixture
def own_mounts() -> Iterator[None]:
    """Places of ours that a test may mount on, taken away again."""
    place = Path("/run/node/target")
    there = place.exists()
    yield
    if not there:
        subprocess.run(["rmdir", "-p", "--ignore-fail-on-non-empty", place], check=False, capture_output=True)


def test_swap_is_switched_off(loop_disk: Callable[..., str], system: LiveSystem) -> None:
    node = loop_disk()
    swap = divided(system, node)[Role.SWAP]
    system.disks.make_filesystem(swap, kind="swap", label="SWAP", uuid="3c1d6e5a-8e37-4a43-9a52-0f8a2f6f1c11")
    if subprocess.run(["swapon", swap], check=False, capture_output=True).returncode != 0:
        pytest.skip("no swap can be switched on here")
    assert system.disks.probe(node).users == (f"swap ({Path(swap).name})",)
    with pytest.raises(NodeError, match="in use by swap"), system.open_device(node):
        pass
    system.disks.release(node)
    assert system.disks.probe(node).users == ()
    assert swap not in Path("/proc/swaps").read_text()


@pytest.mark.usefixtures("own_mounts")
def test_own_mounts_are_taken_down(loop_disk: Callable[..., str], system: LiveSystem) -> None:
    node = loop_disk()
    boot = divided(system, node)[Role.BOOT]
    system.disks.make_filesystem(boot, kind="ext4", label="BOOT", uuid="3c1d6e5a-8e37-4a43-9a52-0f8a2f6f1c11")
    system.mounts.mount(boot, Path("/run/node/target/looptest"))
    system.disks.release(node)
    assert not system.mounts.is_mounted(Path("/run/node/target/looptest"))
    Path("/run/node/target/looptest").rmdir()


def test_mount_of_another_namespace_is_noticed(
    loop_disk: Callable[..., str], system: LiveSystem, tmp_path: Path
) -> None:
    node = loop_disk()
    boot = divided(system, node)[Role.BOOT]
    system.disks.make_filesystem(boot, kind="ext4", label="BOOT", uuid="3c1d6e5a-8e37-4a43-9a52-0f8a2f6f1c11")
    script = f"mount {boot} {tmp_path} && echo mounted && cat"
    with subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline() == "mounted\n"
        with pytest.raises(NodeError, match="in use") as caught:
            system.disks.release(node)
        assert "another container" in caught.value.mend
        other.stdin.close()
    system.disks.release(node)


def test_stale_volume_group_is_taken_down(loop_disk: Callable[..., str], system: LiveSystem) -> None:
    node = loop_disk()
    if subprocess.run(["dmsetup", "version"], check=False, capture_output=True).returncode != 0:
        pytest.skip("the kernel has no device-mapper")
    sectors = 204800
    run("dmsetup", "create", "nodecrust-looptest", "--table", f"0 {sectors} linear {node} 2048")
    assert "nodecrust-looptest" in system.disks.probe(node).users[0]
    system.disks.release(node)
    assert system.disks.probe(node).users == ()
