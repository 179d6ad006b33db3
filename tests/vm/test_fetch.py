"""A server that cuts, breaks and goes away while the initrd fetches: resumed, refused, tried again."""

import pytest

from node.testing.vm import BootFrom, MachineSpec, Nic, UserNetwork
from tests.vm.broken_server import BrokenServer, Reply
from tests.vm.site import ALPHA, Site
from tests.vm.words import DEAD_ENDS, PLAN, ROOT_MOUNTED

pytestmark = pytest.mark.timeout(1400)
MB = 1_000_000


def test_cut_gone_broken_and_then_right(site: Site) -> None:
    script = [
        Reply(cut_after_bytes=20 * MB),
        Reply(status=503),
        Reply(flip_at=60 * MB),
        Reply(),
    ]
    with (
        site.serve(answers=site.answers({"serial": "NONE"})) as real,
        BrokenServer(folder=site.image / "pxe", script=script) as server,
    ):
        own = real.fetch("boot.ipxe").decode().replace(real.url, server.url)
        assert server.url in own
        server.texts["boot.ipxe"] = own.encode()
        server.texts["answers.yaml"] = real.fetch("answers.yaml")
        spec = MachineSpec(
            boot=(BootFrom.PXE,),
            disks=(ALPHA,),
            nics=(Nic(network=UserNetwork(bootfile=f"{server.url}/boot.ipxe")),),
        )
        with site.machine("fetch", spec) as machine:
            machine.expect("Fetching stopped at 20.0 MB", timeout_s=300, unless=DEAD_ENDS)
            machine.expect("Fetching stopped at 20.0 MB", timeout_s=60)
            machine.expect("is not the one that was asked for", timeout_s=200, unless=(ROOT_MOUNTED,))
            machine.expect(ROOT_MOUNTED, timeout_s=200)
            machine.expect(PLAN, timeout_s=300)
            machine.screenshot(machine.folder / "tty1.png")
        gets = [words for words in server.asked if words.startswith("GET root.squashfs")]
        assert gets[0] == "GET root.squashfs"
        assert gets[1] == gets[2] == "GET root.squashfs 20000000-"
        assert gets[3] == "GET root.squashfs"
