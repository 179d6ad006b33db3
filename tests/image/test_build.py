"""A build's output, what the cache saves, and what an interrupted or failed one leaves."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from image import mirror, namespace
from tests.image.conftest import KICKSTARTS, ROOT, node_image, node_image_argv

MIB = 1 << 20

PXE_FILES = {
    "README.txt",
    "boot.ipxe",
    "grub/grub.cfg",
    "grubx64.efi",
    "initrd",
    "ipxe.lkrn",
    "ldlinux.c32",
    "node.iso",
    "pxelinux.0",
    "pxelinux.cfg/default",
    "root.squashfs",
    "shimx64.efi",
    "vmlinuz",
}


def pxe_size(output: Path) -> int:
    return sum((output / name).stat().st_size for name in ("vmlinuz", "initrd", "root.squashfs"))


def test_the_output_is_whole(aos: Path) -> None:
    assert subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=aos, check=False).returncode == 0
    assert {str(p.relative_to(aos / "pxe")) for p in (aos / "pxe").rglob("*") if p.is_file()} == PXE_FILES
    manifest = json.loads((aos / "manifest.json").read_text())
    root = (aos / "root.squashfs").read_bytes()
    assert manifest["files"]["root.squashfs"] == {
        "sha256": hashlib.sha256(root).hexdigest(),
        "size": len(root),
    }
    assert manifest["suites"] == ["trixie", "trixie-updates", "trixie-security"]
    assert manifest["packages"]["nodecrust"].startswith("0.")
    assert "dracut" not in manifest["packages"]
    assert manifest["largest"][0]["name"].startswith("linux-image-")
    for name in ("vmlinuz", "initrd", "root.squashfs", "node.iso"):
        assert (aos / name).stat().st_ino == (aos / "pxe" / name).stat().st_ino
    label = subprocess.run(
        ["blkid", "-o", "value", "-s", "LABEL", aos / "node.iso"], capture_output=True, text=True, check=True
    )
    assert label.stdout.strip() == manifest["boot"]["label"]


def test_sizes(aos: Path, node: Path) -> None:
    assert (node / "initrd").stat().st_size < 45 * MIB
    assert pxe_size(node) < 300 * MIB
    # The aim is 120 MiB; docs/benchmarks.md says where it stands. This only keeps it from growing.
    assert pxe_size(aos) < 170 * MIB


def test_an_unchanged_kickstart_is_a_matter_of_seconds(aos: Path, tmp_path: Path) -> None:
    start = time.monotonic()
    outcome = node_image("build", KICKSTARTS / "aos.ks", "--output", tmp_path / "out")
    assert outcome.status == 0
    assert "packages                        cached" in outcome.stderr
    assert "image                           cached" in outcome.stderr
    assert time.monotonic() - start < 60
    for name in ("vmlinuz", "initrd", "root.squashfs", "node.iso"):
        assert (tmp_path / "out" / name).read_bytes() == (aos / name).read_bytes()


def test_a_change_of_our_code_touches_no_package(aos: Path, tmp_path: Path) -> None:
    for name in ("node", "image"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    # Never the same twice: what an earlier run built would be found in the cache.
    (tmp_path / "node/changed.py").write_text(f'"""New: {uuid.uuid4()}."""\n')
    argv = [
        sys.executable,
        "-P",
        "-m",
        "image.cli",
        "build",
        KICKSTARTS / "aos.ks",
        "--output",
        tmp_path / "out",
    ]
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(argv, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"packages +cached", done.stderr)
    assert re.search(r"initrd +cached", done.stderr)
    assert (tmp_path / "out/initrd").read_bytes() == (aos / "initrd").read_bytes()
    assert (tmp_path / "out/root.squashfs").read_bytes() != (aos / "root.squashfs").read_bytes()


def test_nothing_of_the_build_machine_is_in_the_image(aos: Path, in_root: Callable[[Path, str], str]) -> None:
    source = mirror.discover(None, None, os.environ)
    hosts = {
        re.sub(r"^\w+://([^/]*@)?([^/:]+).*", r"\2", address) for address in (source.main, source.security)
    }
    words = (
        {*hosts, socket.gethostname() + "."}
        if len(socket.gethostname()) < 4
        else {*hosts, socket.gethostname()}
    )
    pattern = "\n".join(sorted(words))
    found = in_root(
        aos, f"cd $root; grep -rlF -e '{pattern}' etc var usr/lib/nodecrust usr/lib/os-release || true"
    )
    # Debian's own packages name Debian's own servers.
    assert [path for path in found.split() if "debian" not in pattern or path.startswith("etc/apt")] == []
    names = in_root(
        aos, "cd $root; ls etc/hostname etc/apt/sources.list etc/ssh/ssh_host_* 2>/dev/null || true"
    )
    assert names == ""
    assert in_root(aos, "cat $root/etc/machine-id $root/etc/fstab; grep ^root: $root/etc/shadow").startswith(
        "root:*:"
    )


def test_our_package_works_in_the_image(aos: Path, in_root: Callable[[Path, str], str]) -> None:
    said = in_root(aos, "chroot $root nodectl --help; chroot $root dpkg -s nodecrust")
    assert "install" in said
    assert "Status: install ok installed" in said
    identity = json.loads(in_root(aos, "cat $root/usr/lib/nodecrust/image.json"))
    manifest = json.loads((aos / "manifest.json").read_text())
    assert (identity["name"], identity["version"]) == (manifest["name"], manifest["version"])


def test_owners_and_capabilities_are_the_image_s_own(aos: Path) -> None:
    listing = subprocess.run(
        ["unsquashfs", "-lln", aos / "root.squashfs"], capture_output=True, text=True, check=True
    )
    lines = [line.split() for line in listing.stdout.splitlines() if "squashfs-root" in line]
    owners = {line[-1 if "->" not in line else -3]: line[1] for line in lines}
    assert owners["squashfs-root/usr/bin/sudo"] == "0/0"
    assert owners["squashfs-root/etc/shadow"] == "0/42"
    assert not any(
        owner.startswith("100") and int(owner.split("/")[0]) >= 100_000 for owner in owners.values()
    )


def test_the_node_carries_its_own_boot_files(node: Path, in_root: Callable[[Path, str], str]) -> None:
    sums = in_root(node, "cd $root/usr/lib/nodecrust/boot; sha256sum initrd vmlinuz")
    manifest = json.loads((node / "manifest.json").read_text())
    assert dict(reversed(line.split()) for line in sums.splitlines()) == {
        name: manifest["files"][name]["sha256"] for name in ("initrd", "vmlinuz")
    }
    needed = in_root(
        node,
        "for name in grub-install efibootmgr mkfs.vfat mkfs.ext4 mkfs.xfs virsh qemu-system-x86_64; do "
        "chroot $root sh -c 'command -v $1' sh $name; done",
    )
    assert len(needed.split()) == 7
    in_root(node, "chroot $root python3 -c 'import parted, pyudev, libvirt, urwid'")


# What is wrong, with the kickstart as text.


@pytest.fixture
def wrong(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    def build(text: str, *words: str) -> tuple[int, str]:
        (tmp_path / "wrong.ks").write_text(text)
        outcome = node_image("build", tmp_path / "wrong.ks", "--output", tmp_path / "out", *words)
        assert not (tmp_path / "out").exists()
        assert [path.name for path in tmp_path.iterdir()] == ["wrong.ks"]
        assert "Traceback" not in outcome.stderr
        return outcome.status, outcome.stderr

    return build


def test_every_unknown_package_is_named_with_its_line(wrong: Callable[..., tuple[int, str]]) -> None:
    status, said = wrong("%packages\nlinux-image-amd64\nno-such-thing\n\nneither-this\n%end\n")
    assert status == 2
    assert "wrong.ks:3: no-such-thing: no such package" in said
    assert "wrong.ks:5: neither-this: no such package" in said


def test_a_missing_include(wrong: Callable[..., tuple[int, str]]) -> None:
    status, said = wrong("lang C\n%include gone.ks\n")
    assert status == 2
    assert "wrong.ks:2: %include gone.ks" in said


def test_a_syntax_error(wrong: Callable[..., tuple[int, str]]) -> None:
    status, said = wrong("lang C\nlang --nosuch\n")
    assert status == 2
    assert "wrong.ks:2: " in said


def test_a_failing_post_says_its_last_words(aos: Path, wrong: Callable[..., tuple[int, str]]) -> None:
    status, said = wrong(f"%include {KICKSTARTS}/aos.ks\n%post\necho all is lost\nexit 3\n%end\n")
    assert status == 1
    assert "wrong.ks:2: %post failed" in said
    assert "all is lost" in said


def test_a_mirror_that_is_away(wrong: Callable[..., tuple[int, str]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    status, said = wrong("%packages\ncurl\n%end\n", "--mirror", f"http://127.0.0.1:{port}/debian")
    assert status == 75
    assert "the mirror can't be reached" in said
    assert f"127.0.0.1:{port}/debian " not in said


def test_a_folder_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    outcome = node_image("build", KICKSTARTS / "aos.ks", "--output", tmp_path)
    assert outcome.status == 2
    assert (tmp_path / "letter.txt").read_text() == "dear"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_build_leaves_nothing(aos: Path, tmp_path: Path, number: signal.Signals) -> None:
    kickstart = tmp_path / "slow.ks"
    kickstart.write_text(
        f"%include {KICKSTARTS}/aos.ks\n%post\necho {number}; exec sleep 600.{int(number)}\n%end\n"
    )
    # Whoever starts the tests in a shell's background has SIGINT ignored, which children inherit.
    argv = ["env", "--default-signal=INT", *node_image_argv("build", kickstart, "--output", tmp_path / "out")]
    with subprocess.Popen(
        argv, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as build:
        try:
            deadline = time.monotonic() + 300
            while not running(f"sleep 600.{int(number)}"):
                assert time.monotonic() < deadline
                assert build.poll() is None
                time.sleep(0.2)
            build.send_signal(number)
            build.communicate(timeout=60)
        finally:
            build.kill()
    assert build.returncode == (-9 if number == signal.SIGKILL else 130)
    deadline = time.monotonic() + 20
    while running(f"sleep 600.{int(number)}"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
    assert not (tmp_path / "out").exists()
    left = list(tmp_path.glob("nodecrust-*"))
    assert bool(left) == (number == signal.SIGKILL)
    # What nobody could clear away goes with the next build.
    os.environ["TMPDIR"], before = str(tmp_path), os.environ.get("TMPDIR")
    try:
        with namespace.work_area() as work:
            assert list(tmp_path.glob("nodecrust-*")) == [work]
    finally:
        os.environ.pop("TMPDIR")
        if before is not None:
            os.environ["TMPDIR"] = before


def running(command: str) -> bool:
    """Whether a process of this very command line runs."""
    wanted = command.replace(" ", "\0") + "\0"
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().decode(errors="replace") == wanted:
                return True
        except OSError:
            continue
    return False


@pytest.mark.soak
def test_a_vendor_s_package_stays(aos: Path, tmp_path: Path) -> None:
    """A script may install a package; the purge of what only the build needed leaves it and what it needs."""
    fields = ("Package: vendor-thing", "Version: 7", "Architecture: all", "Maintainer: V <v@x>")
    control = "\n".join([*fields, "Depends: zstd", "Description: x", ""])
    (tmp_path / "deb/DEBIAN").mkdir(parents=True)
    (tmp_path / "deb/DEBIAN/control").write_text(control)
    subprocess.run(["dpkg-deb", "--build", tmp_path / "deb", tmp_path / "vendor.deb"], check=True)
    kickstart = tmp_path / "vendor.ks"
    kickstart.write_text(
        f"%include {KICKSTARTS}/aos.ks\n%post --nochroot --interpreter '/bin/sh -e'\n"
        f'cp {tmp_path}/vendor.deb "$INSTALL_ROOT"/run/\n'
        'chroot "$INSTALL_ROOT" dpkg -i /run/vendor.deb\n%end\n'
    )
    outcome = node_image("build", kickstart, "--output", tmp_path / "out")
    assert outcome.status == 0, outcome.stderr
    packages = json.loads((tmp_path / "out/manifest.json").read_text())["packages"]
    assert packages["vendor-thing"] == "7"
    assert {"nodecrust", "zstd"} <= set(packages)
    assert "dracut" not in packages
