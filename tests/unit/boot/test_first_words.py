"""What a node says of itself: above the prompt, on the serial line, and its host keys."""

from __future__ import annotations

import contextlib
import os
import pty
import stat
import subprocess
import time
from pathlib import Path

import pytest

from node.boot import host_keys, issue
from node.boot.consoles import active_consoles, write_line
from node.boot.image_facts import RunningImage, is_stateless, running_image
from node.boot.ready import ready_line
from node.model.status import Interface, NodeStatus, Root
from node.model.status import RunningImage as StatusImage

UNITS = Path(__file__).parents[3] / "node/boot/units"


def test_the_heading() -> None:
    image = RunningImage("node", "1.2.0", "slot", "a")
    text = issue.issue_text(image, [("ens3", ["192.0.2.7", "2001:db8::7"])], "AMD-V is there", [])
    assert text == (
        "Nodecrust node 1.2.0, running from slot a - \\n (\\l)\n"
        "  Address         192.0.2.7, 2001:db8::7 on ens3\n"
        "  Virtualization  AMD-V is there\n\n"
    )


def test_a_node_that_keeps_nothing_says_so(tmp_path: Path) -> None:
    text = issue.issue_text(RunningImage("node", "1.2.0", "url"), [], "AMD-V is there", [], stateless=True)
    assert "  Configuration   none is kept; a reboot forgets all\n" in text
    assert not is_stateless(tmp_path)
    (tmp_path / "run/node").mkdir(parents=True)
    for source, stateless in (("none", True), ("current", False), ("last-good", False)):
        (tmp_path / "run/node/rendered.json").write_text(f'{{"paths": [], "source": "{source}"}}')
        assert is_stateless(tmp_path) == stateless


def test_the_heading_without_anything_holds_no_escapes_of_others() -> None:
    text = issue.issue_text(RunningImage(), [], "not there", ["bad \\o file é"])
    assert "none yet" in text
    assert "ALARM           bad \\\\o file ?" in text


@pytest.mark.parametrize(
    ("cpuinfo", "words"),
    [
        ("flags\t\t: fpu vmx sse", "Intel VT-x is there"),
        ("flags : svm", "AMD-V is there"),
        ("flags : fpu", "not there"),
        ("", "not there"),
    ],
)
def test_virtualization_hardware(cpuinfo: str, words: str) -> None:
    assert issue.virtualization(cpuinfo).startswith(words)


def test_addresses_are_the_global_ones() -> None:
    said: list[dict[str, object]] = [
        {"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "scope": "host"}]},
        {"ifname": "ens4", "addr_info": []},
        {
            "ifname": "ens3",
            "addr_info": [{"local": "192.0.2.7", "scope": "global"}, {"local": "fe80::1", "scope": "link"}],
        },
    ]
    assert issue.addresses(said) == [("ens3", ["192.0.2.7"])]


def test_the_running_image(tmp_path: Path) -> None:
    assert running_image(tmp_path) == RunningImage()
    for name, text in {
        "usr/lib/nodecrust/image.json": '{"name": "node", "version": "1.2"}',
        "run/node/image.json": '{"source": "slot", "device": "/dev/vda4"}',
        "sys/class/block/vda4/uevent": "DEVTYPE=partition\nPARTNAME=ROOT-B\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    assert running_image(tmp_path) == RunningImage("node", "1.2", "slot", "b")
    (tmp_path / "run/node/image.json").write_text("{torn")
    assert running_image(tmp_path) == RunningImage("node", "1.2")


def test_the_ready_line() -> None:
    well = NodeStatus(
        image=StatusImage(version="1.2", slot="A"),
        root=Root(filesystem="overlay", lower_read_only=True),
        interfaces=(Interface("ens3", addresses=("192.0.2.7/24",)),),
    )
    assert ready_line(well) == "NODECRUST-READY slot=a version=1.2 health=ok"
    ill = NodeStatus(
        image=StatusImage(),
        root=well.root,
        interfaces=well.interfaces,
        alarms=("the state is torn",),
    )
    assert ready_line(ill) == "NODECRUST-READY slot=none version=unknown health=bad: the state is torn"


def test_a_console_that_takes_nothing_holds_nobody_up(tmp_path: Path) -> None:
    (tmp_path / "sys/class/tty/console").mkdir(parents=True)
    (tmp_path / "sys/class/tty/console/active").write_text("tty0 ttyS0 gone\n")
    assert active_consoles(tmp_path) == ["tty0", "ttyS0", "gone"]
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/tty0").write_text("")
    reader, writer = pty.openpty()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):  # nobody reads: fill it
        while True:
            os.write(writer, b"x" * 4096)
    (tmp_path / "dev/ttyS0").symlink_to(os.ttyname(writer))
    started = time.monotonic()
    write_line("words", active_consoles(tmp_path), folder=tmp_path / "dev", timeout_s=0.2)
    assert time.monotonic() - started < 1
    assert (tmp_path / "dev/tty0").read_text() == "words\n"
    os.close(reader)
    os.close(writer)


@pytest.mark.effects("processes")
def test_host_keys_are_made_once_and_kept(tmp_path: Path) -> None:
    ssh, config = tmp_path / "ssh", tmp_path / "config"
    ssh.mkdir()
    host_keys.make_keys(ssh)
    first = (ssh / "ssh_host_ed25519_key").read_bytes()
    host_keys.make_keys(ssh)
    host_keys.keep_keys(ssh, config)
    assert (ssh / "ssh_host_ed25519_key").read_bytes() == first
    kept = config / "ssh/ssh_host_ed25519_key"
    assert kept.read_bytes() == first
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert (config / "ssh/ssh_host_ecdsa_key.pub").exists()
    # A damaged one is not used by the next start, so it is replaced; a whole one never is.
    kept.write_bytes(b"\xff")
    host_keys.keep_keys(ssh, config)
    assert kept.read_bytes() == first
    kept.write_text("another\n")
    host_keys.keep_keys(ssh, config)
    assert kept.read_text() == "another\n"


@pytest.mark.effects("processes")
@pytest.mark.parametrize("unit", sorted(path.name for path in UNITS.iterdir() if path.is_file()))
def test_systemd_reads_every_unit(unit: str) -> None:
    argv = ["systemd-analyze", "--man=no", "--generators=no", "verify", str(UNITS / unit)]
    said = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    # Programs of the image are not on the machine that builds it.
    complaints = [
        line for line in said.stderr.splitlines() if unit in line and "is not executable" not in line
    ]
    assert complaints == []


@pytest.mark.effects("processes")
def test_no_unit_waits_for_itself(tmp_path: Path) -> None:
    # systemd would leave one of the circle out, another one at each boot.
    wanted = tmp_path / "multi-user.target.wants"
    wanted.mkdir()
    for unit in (path for path in UNITS.iterdir() if path.is_file()):
        (tmp_path / unit.name).write_text(unit.read_text())
        if "multi-user.target" in unit.read_text().partition("[Install]")[2]:
            (wanted / unit.name).symlink_to(tmp_path / unit.name)
    argv = ["systemd-analyze", "--man=no", "--generators=no", "verify", "multi-user.target"]
    # The colon at the end adds the machine's own units.
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}
    said = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert [line for line in said.stderr.splitlines() if "cycle" in line or "deleted" in line] == []
