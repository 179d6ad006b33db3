"""All plugins that misbehave, in one boot: named, and a node is made and comes up all the same."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace

import pytest

from node.testing.vm import BootFrom, Disk, Machine, MachineSpec, SshLogin
from node.testing.vm.content import free_port
from node.testing.vm.spec import GIB
from tests.plugins.misbehaving import BAD
from tests.plugins.site import GOOD, as_wheel
from tests.vm.site import Site, ipxe, node_image
from tests.vm.words import DEAD_ENDS, INSTALL_FAILED, INSTALLED, READY, ROOT_MOUNTED

pytestmark = pytest.mark.timeout(5000)

# A dozen of them are waited for until their time is over, and the host comes back as often again.
LIMIT_S = 1200


@pytest.fixture(scope="module")
def misled(site: Site) -> Site:
    """Give the site with an image that takes bundles of a key, and beside it one with all these plugins."""
    folder = site.folder / "misled"
    folder.mkdir()
    key, public, image = folder / "plugin.key", folder / "plugin.pub", folder / "image"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    node_image("add-plugin", site.image, "--plugin-key", public, "--output", image)
    # A bundle is made without being tried: that is an image's affair, which would refuse nearly all.
    taken = [bad for bad in BAD if bad.name != "of-tomorrow"]
    wheels = [as_wheel("good", GOOD), *(as_wheel(bad.name, bad.code, keywords=bad.keywords) for bad in taken)]
    made = [wheel.write(folder) for wheel in wheels]
    node_image("bundle-plugins", "--key", key, "--output", image / "pxe/misled.plugins", *made)
    return replace(site, image=image)


def test_a_node_is_made_and_comes_up(misled: Site) -> None:
    port = free_port()
    answers = misled.answers({"serial": "SMALL"}, storage={"roles": ["CONFIG"]}, good={"level": 5})
    bundle = f"node.plugins=http://10.0.2.2:{port}/misled.plugins"
    with misled.serve(port=port, answers=answers, append=(bundle,)) as server:
        disk = Disk(serial="SMALL", size_bytes=2 * GIB)
        spec = MachineSpec(boot=(BootFrom.PXE,), disks=(disk,), nics=(ipxe(server),))
        with misled.machine("bad-plugins", spec) as machine:
            machine.expect(ROOT_MOUNTED, timeout_s=400, unless=DEAD_ENDS)
            machine.expect(INSTALLED, timeout_s=LIMIT_S, unless=(*DEAD_ENDS, INSTALL_FAILED))
            machine.expect(ROOT_MOUNTED, timeout_s=600, unless=DEAD_ENDS)
            ready = machine.expect(READY, timeout_s=LIMIT_S, unless=DEAD_ENDS)
            assert "plugin" in ready.group("health")
            look_inside(machine, misled)


def look_inside(machine: Machine, site: Site) -> None:
    """The node is who it was told to be, with the good one's part of it."""
    login = machine.ssh(key=site.key)
    login.wait(timeout_s=300)
    assert login.run("hostname").stdout.strip() == "node-under-test"
    assert "level" in login.run("cat /etc/good.conf").stdout
    assert_named(login)
    # What they started is gone with them: the 200 processes of one, and the hosts, once the two consoles have
    # asked all of them how they are.
    wait = f"timeout {LIMIT_S} sh -c 'while pgrep nodecrust-plug; do sleep 5; done'"
    gone = login.run(wait, timeout_s=LIMIT_S + 60)
    assert gone.returncode == 0, login.run("ps ax").stdout


def assert_named(login: SshLogin) -> None:
    said = login.run("nodectl plugins --json", timeout_s=LIMIT_S)
    told = json.loads(said.stdout)
    states = {one["name"]: one["state"] for one in told["plugins"]}
    assert states["good"] == "loaded"
    for bad in BAD:
        if bad.name == "of-tomorrow":
            continue
        words = [one["what"] for one in told["problems"] if one["owner"] == bad.name]
        # Its own tests give less time than a node does.
        pattern = bad.words.replace("longer than 2 s", "longer than 5 s")
        assert any(re.search(pattern, one) for one in words), (bad.name, words)
        assert states[bad.name] == bad.state
