"""A node whose firmware boots over PXE first, for ever: it starts from its disk and never wipes itself."""

import pytest

from node.testing.vm import MachineSpec
from tests.vm.checks import assert_healthy, install_id
from tests.vm.installed import Installed, boot_what_is_installed, identity
from tests.vm.site import PXE_FIRST, Site, ipxe

pytestmark = pytest.mark.timeout(2000)


def test_two_more_boots(site: Site, installed: Installed) -> None:
    """The first one was that after the installation."""
    with site.serve(answers=site.answers({"serial": "ALPHA"})) as server:
        spec = MachineSpec(boot=PXE_FIRST, disks=(installed.disk,), nics=(ipxe(server),))
        with site.machine("pxe-first", spec) as machine:
            login = boot_what_is_installed(machine, site)
            first = install_id(login)
            login.run("echo lost > /tmp/volatile")
            machine.reset()
            login = boot_what_is_installed(machine, site)
            assert install_id(login) == first
            assert login.run("test -e /tmp/volatile").returncode == 1
            assert identity(login) == {name: installed.fact(name) for name in ("machine-id", "host-key")}
            assert_healthy(login)
