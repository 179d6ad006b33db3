"""A newer image installed over a node that keeps its CONFIG: the same node, as its operator left it."""

import pytest

from node.testing.vm import MachineSpec
from tests.vm.checks import assert_healthy, install_id
from tests.vm.installed import KEPT_FILE, KEPT_TEXT, TIMEZONE, Installed, identity, install
from tests.vm.site import PXE_FIRST, Site, ipxe

pytestmark = pytest.mark.timeout(3000)


def test_a_newer_image_keeps_the_configuration(site: Site, installed: Installed, newer_image: Site) -> None:
    # What the node holds may be lost only where the answers say so, a reinstallation or not.
    storage = {"disk": {"serial": "ALPHA"}, "consent": ["ALPHA"], "keep": True}
    answers = site.answers({}, storage=storage)
    with newer_image.serve(answers=answers, append=("node.reinstall=anew-1",)) as server:
        spec = MachineSpec(boot=PXE_FIRST, disks=(installed.disk,), nics=(ipxe(server),))
        with site.machine("reinstall", spec) as machine:
            # The same argument is there again when it restarts over PXE: once is enough.
            login = install(machine, site)
            assert login.run("cat /etc/newer-image").stdout.strip() == "newer"
            assert identity(login) == {name: installed.fact(name) for name in ("machine-id", "host-key")}
            assert login.run("readlink /etc/localtime").stdout.strip().endswith(TIMEZONE)
            assert login.run(f"cat {KEPT_FILE}").stdout.strip() == KEPT_TEXT
            assert login.run(f"stat -c '%U %a' {KEPT_FILE}").stdout.strip() == "admin 640"
            assert install_id(login) != installed.fact("install-id")
            assert_healthy(login)
