"""Plugins that came after the image: one added to it, one in a signed bundle of this boot."""

from __future__ import annotations

import json
import shlex
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.testing.vm import BootFrom, Machine, MachineSpec, RootShell
from node.testing.vm.content import free_port
from node.testing.vm.shell import KERNEL_ARGUMENT
from tests.vm.checks import writes
from tests.vm.person import Person
from tests.vm.site import ALPHA, Site, ipxe, node_image
from tests.vm.words import DEAD_ENDS, PLAN, ROOT_MOUNTED
from tests.wheels import Wheel

pytestmark = pytest.mark.timeout(2400)

PLUGIN = """\
from typing import ClassVar

from node.hookspecs import StatusLine, hookimpl
from node.model.answers import Section, SectionModel
from node.model.page import NumberField, Page


class Answers(SectionModel):
    key: ClassVar[str] = "{name}"
    number: int = 3


@hookimpl
def node_sections():
    page = Page("{name}", "Vendor's {name}", "How many {name} are lit.", 15, (
        NumberField(key="{name}.number", label="Number of {name}"),
    ))
    return [Section(Answers, "Vendor's {name}", pages=(page,))]


@hookimpl
def node_status_panels(inventory):
    return [StatusLine("{name}", "three are lit")]
"""


def wheel(name: str) -> Wheel:
    return Wheel(
        name=f"vendor-{name}",
        points={name: f"vendor_{name}"},
        files={f"vendor_{name}.py": PLUGIN.format(name=name)},
    )


@pytest.fixture(scope="module")
def vendor(site: Site) -> Site:
    """Give the site with the image that a vendor made of it, and his bundles beside it."""
    folder = site.folder / "vendor"
    folder.mkdir()
    key, public, image = folder / "plugin.key", folder / "plugin.pub", folder / "image"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    node_image(
        "add-plugin", site.image, wheel("lamps").write(folder), "--plugin-key", public, "--output", image
    )
    bundle = image / "pxe/discs.plugins"
    node_image("bundle-plugins", "--key", key, "--output", bundle, wheel("discs").write(folder))
    (image / "pxe/damaged.plugins").write_bytes(bundle.read_bytes()[:-100])
    (image / "pxe/damaged.plugins.sig").write_bytes(Path(f"{bundle}.sig").read_bytes())
    return replace(site, image=image)


def test_pages_status_and_schema(vendor: Site) -> None:
    port = free_port()
    bundle = f"node.plugins=http://10.0.2.2:{port}/discs.plugins"
    with vendor.serve(port=port, append=(bundle,)) as server:
        spec = MachineSpec(boot=(BootFrom.DISK, BootFrom.PXE), disks=(ALPHA,), nics=(ipxe(server),))
        with vendor.machine("plugins", spec) as machine:
            machine.expect("Fetching plugins from", timeout_s=400, unless=DEAD_ENDS)
            machine.expect(PLAN, timeout_s=400, unless=DEAD_ENDS)
            machine.shell.wait_until_ready(timeout_s=120)
            with closing(Person(machine)) as person:
                person.see("Welcome", "Install this machine")
                person.press("enter")
                person.see("Vendor's", "Number of")
                person.press("f10")
                person.see("Summary", "Nothing has been written so far", "Vendor's lamps", "Vendor's discs")
            look_inside(machine)


def told_by(shell: RootShell, command: str, expression: str) -> Any:
    """Give an expression of what a command of nodectl writes as JSON, `told`, worked out in the guest.

    A serial line that an emulator is too busy for now and then doubles a letter: little is sent over it.
    """
    script = f"import json, sys; told = json.load(sys.stdin); print(json.dumps({expression}))"
    ran = shell.run(f"nodectl {command} | python3 -c {shlex.quote(script)}", timeout_s=180, check=True)
    return json.loads(ran.output)


STATES = "{one['name']: one['state'] for one in told['plugins'] if one['name'] in ('lamps', 'discs')}"


def look_inside(machine: Machine) -> None:
    shell = machine.shell
    assert told_by(shell, "plugins --json", STATES) == {"lamps": "loaded", "discs": "loaded"}
    assert told_by(shell, "plugins --json", "told['problems']") == []
    assert told_by(shell, "schema", "[one in told['properties'] for one in ('lamps', 'discs')]") == [
        True,
        True,
    ]
    said = shell.run("nodectl status", timeout_s=120).output
    assert said.count("three are lit") == 2
    assert shell.run("cat /run/node/alarms 2>/dev/null").output.strip() == ""
    # What was fetched is unpacked; the archive itself is no longer in memory.
    assert shell.run("ls /run/node/plugin-bundle").output.split() == ["asked", "bundle.sig"]


def test_a_damaged_bundle_installs_nothing(vendor: Site) -> None:
    port = free_port()
    bundle = f"node.plugins=http://10.0.2.2:{port}/damaged.plugins"
    without = "systemd.setenv=NODECRUST_PLUGINS=-lamps"
    answers = vendor.answers({"serial": "ALPHA"})
    with vendor.serve(port=port, answers=answers, append=(bundle, without, KERNEL_ARGUMENT)) as server:
        spec = MachineSpec(boot=(BootFrom.DISK, BootFrom.PXE), disks=(ALPHA,), nics=(ipxe(server),))
        with vendor.machine("damaged-plugins", spec) as machine:
            machine.expect(ROOT_MOUNTED, timeout_s=400, unless=DEAD_ENDS)
            machine.expect("damaged.plugins has a wrong signature", timeout_s=300, unless=DEAD_ENDS)
            machine.expect("nothing will be written until", timeout_s=300, unless=DEAD_ENDS)
            machine.shell.wait_until_ready(timeout_s=120)
            assert set(writes(machine.shell).values()) == {0}
            assert told_by(machine.shell, "plugins --json", STATES) == {"lamps": "left out"}
            assert machine.shell.run("test ! -e /run/node/plugins").code == 0
