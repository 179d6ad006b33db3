"""The one ISO as CD and as stick, under BIOS and UEFI: as far as the installer's plan on the console."""

import pytest

from node.testing.vm import BootFrom, Firmware, MachineSpec
from node.testing.vm.shell import KERNEL_ARGUMENT
from tests.vm.site import ALPHA, Site
from tests.vm.words import DEAD_ENDS, PLAN, ROOT_MOUNTED

pytestmark = pytest.mark.timeout(1400)


@pytest.mark.parametrize(
    ("firmware", "source"),
    [(Firmware.BIOS, BootFrom.CD), (Firmware.BIOS, BootFrom.USB), (Firmware.UEFI, BootFrom.CD)],
)
def test_as_far_as_the_plan(site: Site, firmware: Firmware, source: BootFrom) -> None:
    """UEFI from a stick goes all the way, in test_uefi."""
    iso = site.folder / "media.iso"
    if not iso.exists():
        # Two disks fit nothing: the answers name one that isn't there, so the plan ends in words.
        answers = site.answers({"serial": "NONE"})
        site.remaster(iso.name, "--append", KERNEL_ARGUMENT, "--answers", str(answers))
    spec = MachineSpec(
        firmware=firmware,
        boot=(source,),
        disks=(ALPHA,),
        cdrom=iso if source is BootFrom.CD else None,
        usb_stick=iso if source is BootFrom.USB else None,
    )
    with site.machine(f"media-{firmware}-{source}", spec) as machine:
        machine.expect(ROOT_MOUNTED, timeout_s=300, unless=DEAD_ENDS)
        machine.expect(PLAN, timeout_s=300, unless=DEAD_ENDS)
        machine.shell.wait_until_ready(timeout_s=60)
        medium = "/dev/sr" if source is BootFrom.CD else "/dev/sd"
        assert f'"device":"{medium}' in machine.shell.run("cat /run/node/image.json").output
