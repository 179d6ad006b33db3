"""The main path under BIOS: PXE, unattended, from its disk; PXE stays first in the boot order for ever."""

import pytest

from node.testing.vm import Machine, MachineSpec, SshLogin
from tests.vm.checks import assert_healthy, assert_node_as_designed, install_id, wait_for_node
from tests.vm.site import ALPHA, PXE_FIRST, Site, ipxe
from tests.vm.words import DEAD_ENDS, FOUND_FINISHED, INSTALL_FAILED, INSTALLED, KERNEL

INSTALL_LIMIT_S = 600
pytestmark = pytest.mark.timeout(3000)


def boot_what_is_installed(machine: Machine, site: Site) -> SshLogin:
    machine.expect(FOUND_FINISHED, timeout_s=400, unless=(*DEAD_ENDS, INSTALLED))
    return wait_for_node(machine, site)


def install(machine: Machine, site: Site) -> SshLogin:
    machine.expect(KERNEL, timeout_s=120, unless=DEAD_ENDS)
    machine.expect(INSTALLED, timeout_s=INSTALL_LIMIT_S, unless=(*DEAD_ENDS, INSTALL_FAILED, FOUND_FINISHED))
    # The machine restarts by itself, over PXE again, and finds what it has installed.
    return boot_what_is_installed(machine, site)


def test_install_three_boots_and_one_reinstallation(site: Site) -> None:
    answers = site.answers({"serial": "ALPHA"})
    with site.serve(answers=answers) as server:
        port = server.port
        spec = MachineSpec(boot=PXE_FIRST, disks=(ALPHA,), nics=(ipxe(server),))
        with site.machine("bios-pxe", spec) as machine:
            login = install(machine, site)
            assert_healthy(login)
            assert_node_as_designed(login)
            first = install_id(login)
            host_key = login.run("cat /etc/ssh/ssh_host_ed25519_key.pub").stdout
            login.run("echo kept > /tmp/volatile")
            for _ in range(2):
                machine.reset()
                login = boot_what_is_installed(machine, site)
                assert install_id(login) == first
            assert login.run("test -e /tmp/volatile").returncode == 1
            assert login.run("cat /etc/ssh/ssh_host_ed25519_key.pub").stdout == host_key

            server.stop()
            # What the node holds may be lost only where the answers say so, a reinstallation or not.
            consenting = site.answers({}, storage={"disk": {"serial": "ALPHA"}, "consent": ["ALPHA"]})
            with site.serve(answers=consenting, append=("node.reinstall=anew-1",), port=port):
                machine.reset()
                (machine.folder / "known_hosts").unlink(missing_ok=True)
                login = install(machine, site)
                # The same argument was there again when it restarted over PXE: once was enough.
                assert install_id(login) != first
                assert_healthy(login)
