"""What must be refused, each from one snapshot of a live machine: exit code, plain words, nothing written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from node.testing.vm import BootFrom, Bus, Disk, Machine, MachineSpec, RootShell, ShellResult
from node.testing.vm.spec import GIB, MIB
from tests.vm.checks import writes
from tests.vm.site import PASSWORD_HASH, Site, tftp
from tests.vm.words import DEAD_ENDS, PLAN, ROOT_MOUNTED

pytestmark = pytest.mark.timeout(1200)

WRONG_ANSWERS, UNFIT, STEP_FAILED = 2, 69, 1
DISKS = (
    Disk(serial="ALPHA", size_bytes=12 * GIB),
    Disk(serial="BETA", size_bytes=12 * GIB),
    Disk(serial="TINY", size_bytes=300 * MIB),
    Disk(serial="FOURK", size_bytes=12 * GIB, sector_bytes=4096),
    Disk(serial="SATA", size_bytes=12 * GIB, bus=Bus.SATA),
)


@dataclass(frozen=True)
class Live:
    """A machine that booted over PXE (pxelinux) and waits at a root shell."""

    machine: Machine
    shell: RootShell

    def install(self, document: dict[str, Any] | str, *, arguments: str = "--yes") -> ShellResult:
        """Run the installer with this document."""
        text = document if isinstance(document, str) else yaml.safe_dump(document)
        self.shell.write_file("/tmp/answers.yaml", text)
        return self.shell.run(f"nodectl install --answers /tmp/answers.yaml {arguments}", timeout_s=300)


def answers(disk: dict[str, Any], **sections: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "version": 1,
        "install": {"mode": "unattended", "afterwards": "stay"},
        "storage": {"disk": disk},
        "access": {"admin": {"password_hash": PASSWORD_HASH}},
    }
    for name, section in sections.items():
        document[name] = {**document.get(name, {}), **section}
    return document


@pytest.fixture(scope="module")
def booted(site: Site) -> Iterator[Live]:
    with site.serve(answers=site.answers({"serial": "NONE"})) as server:
        spec = MachineSpec(
            boot=(BootFrom.PXE,),
            disks=DISKS,
            nics=(tftp(server, site.folder / "tftp-bios", "pxelinux.0", rom=True),),
        )
        with site.machine("bad-input", spec) as machine:
            machine.expect(ROOT_MOUNTED, timeout_s=400, unless=DEAD_ENDS)
            # The first of the cases, by the installer's own service: nothing fits, said on the console.
            machine.expect(PLAN, timeout_s=300, unless=DEAD_ENDS)
            machine.expect("no disk fits the rule", timeout_s=60)
            shell = machine.shell
            shell.wait_until_ready(timeout_s=120)
            shell.run("systemctl stop nodecrust-installer", timeout_s=90)
            machine.save("live")
            yield Live(machine, shell)


@pytest.fixture
def live(booted: Live) -> Live:
    booted.machine.load("live")
    return booted


@pytest.fixture
def untouched(live: Live) -> Iterator[Live]:
    """A live machine on which the test must not write to any disk."""
    before = writes(live.shell)
    assert len(before) == len(DISKS)
    yield live
    assert writes(live.shell) == before


def test_two_disks_fit(untouched: Live) -> None:
    ran = untouched.install(answers({"transport": "virtio", "min_size": "10GiB", "max_size": "13GiB"}))
    assert ran.code == UNFIT
    assert "ALPHA" in ran.output
    assert "BETA" in ran.output
    assert "prefer" in ran.output


def test_no_disk_fits(untouched: Live) -> None:
    ran = untouched.install(answers({"model": "no such thing"}))
    assert ran.code == UNFIT
    assert "no disk fits the rule" in ran.output


def test_no_disk_at_all(live: Live) -> None:
    live.shell.run("cd /sys/bus/virtio/drivers/virtio_blk; for disk in virtio*; do echo $disk > unbind; done")
    live.shell.run("echo 1 > /sys/block/sda/device/delete; udevadm settle")
    ran = live.install(answers({}))
    assert ran.code == UNFIT
    assert "no disk" in ran.output


def test_too_small_says_by_how_much_and_for_what(untouched: Live) -> None:
    ran = untouched.install(answers({"serial": "TINY"}))
    assert ran.code == UNFIT
    assert re.search(r"[\d.]+ [MG]iB", ran.output)
    assert "ROOT-A" in ran.output


def test_4096_byte_sectors_under_bios(untouched: Live) -> None:
    ran = untouched.install(answers({"serial": "FOURK"}))
    assert ran.code == UNFIT
    assert "4096" in ran.output
    assert "UEFI" in ran.output


def test_what_is_on_the_disk_is_kept_without_consent(live: Live) -> None:
    live.shell.run("mkfs.ext4 -q -L precious /dev/disk/by-id/virtio-ALPHA && udevadm settle", check=True)
    before = writes(live.shell)
    ran = live.install(answers({"serial": "ALPHA"}))
    assert ran.code in {WRONG_ANSWERS, UNFIT}
    assert "ext4" in ran.output
    assert "consent" in ran.output

    named = live.shell.run("readlink -f /dev/disk/by-id/virtio-ALPHA", check=True).output.strip()
    by_kernel_name = live.install(
        answers({"serial": "ALPHA"}, storage={"disk": {"serial": "ALPHA"}, "consent": [named]})
    )
    assert by_kernel_name.code == WRONG_ANSWERS
    assert "no consent" in by_kernel_name.output

    other = live.install(answers({}, storage={"disk": {"serial": "ALPHA"}, "consent": ["BETA"]}))
    assert other.code in {WRONG_ANSWERS, UNFIT}
    assert writes(live.shell) == before

    agreed = live.install(
        answers({}, storage={"disk": {"serial": "ALPHA"}, "consent": ["ALPHA"]}), arguments="--dry-run"
    )
    assert agreed.code == 0, agreed.output
    assert "WILL BE ERASED" in agreed.output
    assert writes(live.shell) == before


def test_lvm_of_somebody_else(live: Live) -> None:
    made = live.shell.run(
        "pvcreate -qy /dev/disk/by-id/virtio-BETA && vgcreate -qy theirs /dev/disk/by-id/virtio-BETA "
        "&& lvcreate -qy -L 1G -n root theirs && udevadm settle"
    )
    assert made.code == 0, made.output
    before = writes(live.shell)
    ran = live.install(answers({"serial": "BETA"}))
    assert ran.code in {WRONG_ANSWERS, UNFIT}
    assert "LVM" in ran.output
    assert "BETA" in ran.output
    assert writes(live.shell) == before


EVERYTHING_WRONG = """\
version: 1
install: {mode: unatended}
storage:
  disk: {serail: ALPHA}
  keep: perhaps
network:
  netplan:
    version: 2
    ethernets:
      lan0: {adresses: [192.0.2.7/24]}
access:
  admin: {password_hash: "$1$abcdefgh$0123456789abcdefghijkl"}
"""


def test_all_wrong_answers_in_one_go(untouched: Live) -> None:
    ran = untouched.install(EVERYTHING_WRONG)
    assert ran.code == WRONG_ANSWERS
    for words in ("unatended", "serail", "serial", "keep", "adresses", "password"):
        assert words in ran.output, ran.output
    assert "abcdefgh$0123" not in ran.output


def test_yaml_that_is_none(untouched: Live) -> None:
    ran = untouched.install("install: {mode: unattended\n")
    assert ran.code == WRONG_ANSWERS
    assert "line" in ran.output


def test_an_unknown_kernel_argument(untouched: Live) -> None:
    ran = _with_kernel_arguments(untouched, "node.storage.disk.serail=ALPHA")
    assert ran.code == WRONG_ANSWERS
    assert "serail" in ran.output
    assert "serial" in ran.output


def test_answers_over_http_need_their_digest(untouched: Live) -> None:
    ran = _with_kernel_arguments(untouched, "node.answers=http://192.0.2.1/answers.yaml")
    assert ran.code == WRONG_ANSWERS
    assert "node.answers.sha256" in ran.output


@pytest.mark.parametrize("fault", ["corrupted", "truncated"])
def test_a_payload_that_is_not_what_was_checked(live: Live, fault: str) -> None:
    """The table is cleared, no boot code is left, and the exit code says that a step failed."""
    folder = "/run/node/fetched"
    live.shell.run(f"mount -o remount,rw {folder}", check=True)
    if fault == "corrupted":
        live.shell.run(
            f"printf X | dd of={folder}/root.squashfs bs=1 conv=notrunc "
            f"seek=$(($(stat -c %s {folder}/root.squashfs) / 2))",
            check=True,
        )
    else:
        # The running root is that very file, so it is a copy that is cut.
        live.shell.run(
            f"head -c 50M {folder}/root.squashfs > {folder}/cut && "
            f"sed -i 's#{folder}/root.squashfs#{folder}/cut#' /run/node/image.json",
            check=True,
        )
    ran = live.install(answers({"serial": "ALPHA"}))
    assert ran.code == STEP_FAILED, ran.output
    assert "not bootable" in ran.output
    _assert_cleared(live, "/dev/disk/by-id/virtio-ALPHA")


def _assert_cleared(live: Live, disk: str) -> None:
    first = live.shell.run(f"dd if={disk} bs=34b count=1 status=none | tr -d '\\0' | wc -c", check=True)
    assert first.output.strip() == "0"
    assert live.shell.run(f"blkid -p {disk}").code == 2


def _with_kernel_arguments(live: Live, arguments: str) -> ShellResult:
    """Run the installer as at boot, with another kernel command line put over the real one."""
    live.shell.run(
        "tr '\\n' ' ' < /proc/cmdline | sed 's/node\\.answers[^ ]*//g' > /tmp/cmdline; "
        f"echo 'node.install.mode=unattended {arguments}' >> /tmp/cmdline; "
        "mount --bind /tmp/cmdline /proc/cmdline",
        check=True,
    )
    # It speaks to the kernel's consoles, and keeps its words in a log.
    run = "timeout 200 nodectl install --boot; code=$?; cat install.log; exit $code"
    return live.shell.run(f"cd /run/node; rm -f install.log; {run}", timeout_s=300)
