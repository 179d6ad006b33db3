"""The main path under BIOS: PXE, unattended, from its disk. The disk is kept for other stories."""

import pytest

from node.testing.vm import MachineSpec
from tests.vm.checks import assert_healthy, assert_node_as_designed
from tests.vm.installed import install, publishing
from tests.vm.site import ALPHA, PXE_FIRST, Site, ipxe

pytestmark = pytest.mark.timeout(3000)


def test_install_and_start(site: Site) -> None:
    with publishing(site) as publish, site.serve(answers=site.answers({"serial": "ALPHA"})) as server:
        spec = MachineSpec(boot=PXE_FIRST, disks=(ALPHA,), nics=(ipxe(server),))
        with site.machine("bios-pxe", spec) as machine:
            login = install(machine, site)
            assert_healthy(login)
            assert_node_as_designed(login)
            publish(machine, login)
