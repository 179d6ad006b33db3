"""What the programs that read our files make of them, where they are installed."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from node.boot.root_files import write_file
from node.model.state import RenderedFile, State
from node.plugins import access, kernel
from node.system.commands import LiveCommands

YESCRYPT = "$y$j9T$3D7rGrtk7qgVa7H6/XiTl0$RnruFvSSlh.KU19zk26e2eCHtMF3J5mjsMmWKmEExc3"
ME = pwd.getpwuid(os.getuid())

pytestmark = pytest.mark.effects("processes", "writes")


def needs(program: str):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def write(root: Path, files: list[RenderedFile]) -> None:
    group = grp.getgrgid(os.getgid()).gr_name
    for file in sorted(files, key=lambda file: not file.append):
        write_file(root, replace(file, owner=ME.pw_name, group=group))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "passwd").write_text(
        f"root:x:0:0:root:/root:/bin/sh\n{ME.pw_name}:x:{ME.pw_uid}:{ME.pw_gid}::/:/bin/sh\n"
        if ME.pw_uid
        else "root:x:0:0:root:/root:/bin/sh\n"
    )
    (etc / "group").write_text(f"{grp.getgrgid(os.getgid()).gr_name}:x:{os.getgid()}:\n")
    (etc / "shadow").write_text("root:*:20000:0:99999:7:::\n")
    (etc / "gshadow").write_text("root:*::\n")
    return tmp_path


@needs("pwck")
def test_pwck_finds_no_fault_with_the_accounts(root: Path):
    admin = {"password_hash": YESCRYPT, "password_max_days": 90, "expires": "2027-06-30"}
    state = State(
        install={"at": "2026-11-23T05:00:00+00:00"},
        sections={"access": {"admin": admin, "root": {"password_hash": YESCRYPT, "locked": True}}},
    )
    write(root, list(access.node_render(state)))
    assert sorted((root / "etc/shadow").read_text().splitlines()) == [
        f"admin:{YESCRYPT}:20780:0:90:7::20999:",
        f"root:!{YESCRYPT}::0:99999:7:::",
    ]
    assert (root / "etc/shadow").stat().st_mode & 0o777 == 0o640
    found = LiveCommands().run(["pwck", "-q", "-r", root / "etc/passwd", root / "etc/shadow"], check=False)
    # It also looks for home folders, which aren't here, and says so only without -q.
    assert "invalid" not in found.output + found.errors


@needs("sysctl")
def test_sysctl_reads_the_settings_as_they_were_meant(root: Path):
    settings = {"vm.swappiness": 10, "net/ipv4/conf/eth9.100/forwarding": 1, "kernel.lacking": "a b"}
    write(root, list(kernel.node_render(State(sections={"kernel": {"sysctl": settings}}))))
    file = root / "etc/sysctl.d/90-nodecrust.conf"
    if "--dry-run" not in LiveCommands().run(["sysctl", "--help"], check=False).output:
        pytest.skip("this sysctl has no --dry-run")
    found = LiveCommands().run(["sysctl", "--dry-run", "-p", file], check=False)
    assert found.output.splitlines() == ["vm.swappiness = 10"]
    assert "/proc/sys/net/ipv4/conf/eth9.100/forwarding" in found.errors
    assert "/proc/sys/kernel/lacking" in found.errors
