"""Secure Boot with Microsoft's keys: the signed way works to the end, an altered kernel doesn't start."""

import shutil
import subprocess
from pathlib import Path

import pytest

from node.testing.vm import BootFrom, Firmware, MachineSpec
from node.testing.vm.shell import KERNEL_ARGUMENT
from tests.vm.checks import assert_healthy, wait_for_node
from tests.vm.site import ALPHA, Site, tftp
from tests.vm.words import DEAD_ENDS, INSTALL_FAILED, INSTALLED, KERNEL, PLAN

pytestmark = pytest.mark.timeout(3000)
REFUSED = "bad shim signature"


def without_signature(kernel: Path, copy: Path) -> Path:
    """A kernel that boots everywhere but under Secure Boot."""
    shutil.copyfile(kernel, copy)
    subprocess.run(("sbattach", "--remove", str(copy)), check=True, capture_output=True)
    return copy


def test_pxe_to_an_installed_node(site: Site) -> None:
    with site.serve(answers=site.answers({"serial": "ALPHA"})) as server:
        root = site.folder / "tftp-secure"
        spec = MachineSpec(
            firmware=Firmware.SECURE_BOOT,
            boot=(BootFrom.DISK, BootFrom.PXE),
            disks=(ALPHA,),
            nics=(tftp(server, root, "shimx64.efi"),),
        )
        with site.machine("secure-pxe", spec) as machine:
            machine.expect(INSTALLED, timeout_s=900, unless=(*DEAD_ENDS, INSTALL_FAILED))
            login = wait_for_node(machine, site)
            assert_healthy(login)
            machine.shell.wait_until_ready(timeout_s=60)
            # The last byte of the variable: 1 is on (UEFI specification, SecureBoot).
            state = machine.shell.run(
                "tail -c1 /sys/firmware/efi/efivars/SecureBoot-8be4df61-* | od -An -tu1"
            )
            assert state.output.strip() == "1"


def test_pxe_with_an_altered_kernel(site: Site) -> None:
    with site.serve() as server:
        root = site.folder / "tftp-altered"
        spec = MachineSpec(
            firmware=Firmware.SECURE_BOOT,
            boot=(BootFrom.PXE,),
            nics=(tftp(server, root, "shimx64.efi"),),
        )
        (root / "vmlinuz").unlink()
        without_signature(site.image / "vmlinuz", root / "vmlinuz")
        with site.machine("secure-pxe-altered", spec) as machine:
            machine.expect(REFUSED, timeout_s=180, unless=(KERNEL,))


def test_iso_as_far_as_the_plan(site: Site) -> None:
    iso = site.remaster(
        "secure.iso", "--append", KERNEL_ARGUMENT, "--answers", str(site.answers({"serial": "NONE"}))
    )
    spec = MachineSpec(firmware=Firmware.SECURE_BOOT, boot=(BootFrom.CD,), disks=(ALPHA,), cdrom=iso)
    with site.machine("secure-cd", spec) as machine:
        machine.expect(PLAN, timeout_s=400, unless=DEAD_ENDS)
    # The same ISO, its kernel's signature gone in place.
    iso.write_bytes(_alter_kernel(iso.read_bytes(), (site.image / "vmlinuz").read_bytes()))
    with site.machine("secure-cd-altered", spec) as machine:
        machine.expect(REFUSED, timeout_s=180, unless=(KERNEL,))


def _alter_kernel(iso: bytes, kernel: bytes) -> bytes:
    """Flip a byte in the middle of the kernel, where its code is compressed and the signature covers it."""
    begin = iso.index(kernel[:65536])
    middle = begin + len(kernel) // 2
    return iso[:middle] + bytes([iso[middle] ^ 0xFF]) + iso[middle + 1 :]
