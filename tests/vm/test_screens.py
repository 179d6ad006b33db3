"""A node by keys alone over the serial line: the installer's screens, then the node's console."""

from __future__ import annotations

from contextlib import closing

import pytest

from node.testing.vm import BootFrom, Disk, Machine, MachineSpec
from node.testing.vm.shell import KERNEL_ARGUMENT
from tests.vm.checks import BOOT_LIMIT_S
from tests.vm.installed import INSTALL_LIMIT_S
from tests.vm.person import Person
from tests.vm.site import ALPHA, Site, ipxe
from tests.vm.words import DEAD_ENDS, KERNEL, PLAN, READY

pytestmark = pytest.mark.timeout(2400)

PASSWORD = "correct horse battery"
BETA = Disk(serial="BETA")


def test_from_the_first_page_to_a_changed_node(site: Site) -> None:
    # Nobody says anything beforehand but what lets this test look into the installed node.
    with site.serve(append=(f"node.boot.append={KERNEL_ARGUMENT}",)) as server:
        spec = MachineSpec(boot=(BootFrom.DISK, BootFrom.PXE), disks=(ALPHA, BETA), nics=(ipxe(server),))
        with site.machine("screens", spec) as machine:
            machine.expect(PLAN, timeout_s=400, unless=DEAD_ENDS)
            machine.shell.wait_until_ready(timeout_s=60)
            with closing(Person(machine)) as person:
                install(person, machine)
                look(person, machine)
                change(person, machine)
                log_in_at_the_prompt(person)


def on_tty1(machine: Machine) -> str:
    """What the first terminal shows, as one line."""
    return " ".join(machine.shell.run("cat /dev/vcs1", check=True).output.split())


def install(person: Person, machine: Machine) -> None:
    person.see("Welcome", "Install this machine", "BIOS")
    # The other console shows the same page.
    assert "Install this machine" in on_tty1(machine)
    machine.screenshot(machine.folder / "installer.png")
    person.press("enter")
    person.see("Keyboard and time")
    person.press("enter", "enter", "enter", "enter")
    person.see("Disk", "ALPHA", "BETA")
    person.press("enter")
    person.see("Layout and sizes", "ROOT-A")
    person.press(*["tab"] * 8, "enter")
    person.see("Network", "DHCP")
    person.press("ctrl u", *"by-hand", "tab")
    person.press("f10")
    person.see("Summary", "Nothing has been written so far")
    person.press("esc")
    person.see("Registration")
    person.press("esc")
    person.see("Access", "The same again")
    person.press("tab", *PASSWORD, "tab", *PASSWORD, "tab")
    person.see("set; type to change it")
    person.press("f10")
    person.see("Summary", "Nothing has been written so far")
    person.press("enter")
    person.see("Install now")
    person.press("enter")
    person.see("This node is installed.", "SHA256:", timeout_s=INSTALL_LIMIT_S)
    machine.screenshot(machine.folder / "done.png")
    person.press("enter")


def look(person: Person, machine: Machine) -> None:
    machine.expect(KERNEL, timeout_s=200, unless=DEAD_ENDS)
    ready = machine.expect(READY, timeout_s=BOOT_LIMIT_S, unless=DEAD_ENDS)
    assert ready.group("slot", "health") == ("a", "ok")
    # What was said over the screen is painted over.
    person.see("by-hand", "all is well", "slot A", "Log-in prompt", timeout_s=BOOT_LIMIT_S)
    person.miss("NODECRUST-READY")
    machine.shell.wait_until_ready(timeout_s=60)
    assert "all is well" in on_tty1(machine)
    machine.screenshot(machine.folder / "console.png")


def change(person: Person, machine: Machine) -> None:
    person.press("2", "enter")
    person.see("Esc Back", "Host name")
    person.press("ctrl u", *"by-console", "f9")
    person.see("Log in as an admin")
    person.press(*PASSWORD, "enter")
    person.see("Logged in as admin.")
    person.press(*["tab"] * 5, "enter")
    person.see("Change this?", "by-console")
    person.press("enter")
    person.see("Stored.")
    assert machine.shell.run("hostname", check=True).output.strip() == "by-console"


def log_in_at_the_prompt(person: Person) -> None:
    person.press("f2")
    person.see("login:")
    person.press(*"admin", "enter")
    person.see("Password:")
    person.press(*PASSWORD, "enter")
    person.see("admin@by-console")
    person.press(*"exit", "enter")
    person.see("Log-in prompt", "nobody logged in")
