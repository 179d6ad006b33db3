"""Whole installations by keys alone, over a pseudo terminal, on recorded machines."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.unit.installer_tui.terminal import Person

pytestmark = [pytest.mark.effects("processes", "writes"), pytest.mark.timeout(240)]


def password(person: Person, text: str) -> None:
    person.see("Access", "The same again")
    person.press("tab", *text, "tab", *text, "tab")
    person.see("set; type to change it")


def install(person: Person) -> None:
    person.see("Nothing has been written so far")
    person.press("enter")
    person.see("Install now")
    person.press("enter")
    person.see("This node is installed.")


def test_with_defaults(tmp_path: Path):
    with Person("vm-virtio-blank") as person:
        person.see("Welcome", "Install this machine")
        person.press("enter")
        person.see("Keyboard and time")
        person.press("enter", "enter", "enter", "enter")
        person.see("The node goes on /dev/vda, which is empty.")
        person.press("enter")
        person.see("Layout and sizes", "ROOT-A")
        person.press("tab", "tab", "tab", "tab", "tab", "tab", "tab", "tab", "enter")
        person.see("Network", "ens3")
        person.press("tab", "tab", "tab", "tab", "tab", "tab", "enter")
        password(person, "correct horse battery")
        person.press("f10")
        install(person)
        person.see("SHA256:", "nodectl status")
        person.press("enter")
        assert person.end() == 0


def test_static_bond_with_a_vlan():
    with Person("server-nvme-pair") as person:
        person.see("Welcome")
        person.press("enter")
        person.see("Keyboard and time")
        person.press("tab", "tab", "tab", "tab", "enter")
        person.see("/dev/nvme1n1", "Take the disk that the node is installed on.")
        person.press("down", "enter")
        person.see("Layout and sizes", "/dev/nvme1n1")
        person.press(*["tab"] * 8, "enter")
        person.see("Host name")
        person.press(*"node7", "tab", "space", "down", "space")
        person.see("bond bond0")
        person.press("tab", "right")
        person.see("802.3ad")
        person.press("tab", *"100", "tab", "right")
        person.see("a fixed address")
        person.press("tab", *"192.0.2.10", "tab")
        person.see("An address with its prefix is needed")
        person.press("shift tab", *"/24", "tab")
        person.miss("An address with its prefix is needed")
        person.press(*"192.0.3.1", "tab")
        person.see("The gateway is not in 192.0.2.0/24")
        person.press("shift tab", "ctrl u", *"192.0.2.1", "tab", "f10")
        person.see("Summary", "bond0", "Nothing has been written so far")
        person.press("f5")
        person.see("show them here")
        person.press("enter")
        person.see("version: 1", "mode: unattended")
        person.press("down", *["down"] * 23)
        person.see("id: 100", "192.0.2.10/24", "via: 192.0.2.1")
        person.press("esc")
        person.miss("version: 1")
        install(person)
        person.see("ssh admin@192.0.2.10")


def test_a_wrong_password_twice():
    with Person("vm-virtio-blank") as person:
        person.see("Welcome")
        person.press("f10")
        person.see("Summary", "Everything is there")
        person.press("esc", "esc")
        person.see("Access", "The same again")
        person.press("tab")
        for _ in range(2):
            person.press(*"long and good", "tab")
            person.see("###- good", "*" * 13)
            person.miss("The two passwords differ")
            person.press(*"long and bad", "tab")
            person.see("The two passwords differ")
        person.press(*"admin", "tab")
        person.see("weak: easily guessed")
        person.press("shift tab", "ctrl u", *"long and good", "tab", *"long and good", "tab")
        person.see("set; type to change it")
        person.miss("The two passwords differ")
        assert b"long and" not in person.raw


def test_a_foreign_disk_is_refused_then_consented_to():
    with Person("server-foreign-lvm") as person:
        person.see("Welcome")
        person.press("f10")
        person.see("The disk holds something that would be lost.", "volume group may span other disks")
        person.press("shift tab", "shift tab", "enter")
        person.see("First type the serial number")
        person.press("tab", "tab")
        person.see("type its serial number: WD-WCC4N1234567")
        person.press(*"WD-WRONG", "enter")
        person.see("This is not the disk's serial number.")
        person.press(*"WD-WCC4N1234567", "enter")
        install(person)


def test_back_and_forth_nothing_is_lost():
    with Person("vm-virtio-blank") as person:
        person.see("Welcome")
        person.press("enter", "tab", "tab", "tab", *"en_US.UTF-8", "tab", "enter")
        person.see("Disk", "/dev/vda")
        person.press("enter")
        person.see("Layout and sizes")
        person.press("tab", *"2GiB", "tab", "tab", *"1GiB", "tab")
        person.see("BOOT 2 GiB", "SWAP 1 GiB")
        person.press(*["tab"] * 4, "enter")
        person.see("Host name")
        person.press(*"node7.example.org", "tab")
        person.press("f10")
        person.see("2GiB", "node7.example.org")
        titles = ("Registration", "Access", "Network", "Layout and sizes", "Disk", "Keyboard and time")
        for title in (*titles, "Welcome"):
            person.press("esc")
            person.see(f"Nodecrust  {title}")
        person.press("tab", "down", "space")
        person.see("Vítejte")
        person.press("f10")
        person.see("2GiB", "node7.example.org", "en_US.UTF-8")


def test_resizing_is_harmless():
    with Person("server-4tb-disks") as person:
        person.see("Welcome")
        person.press("f10")
        person.see("Summary")
        for size in ((132, 43), (200, 60), (60, 16), (80, 24), (20, 5), (80, 24)):
            person.resize(*size)
            if size[0] >= 60:
                person.see("Summary", "F10")
                assert person.screen.lines == size[1]
        person.press("f1")
        person.see("Keys")


def test_a_page_that_raises_keeps_the_answers(tmp_path: Path):
    program = """
import sys
from node.demo.run import run_demo
from node.installer.tui import pages
from node.testing.machines import machine
class Broken(pages.MachinePart):
    def refresh(self):
        if self._host.session.value("network.hostname"):
            raise ZeroDivisionError("a secret of nobody")
pages._VIEWS["bar"] = Broken
def init(self, host, field):
    self._host = host
    self._rows = []
Broken.__init__ = init
sys.exit(run_demo(machine("vm-virtio-blank"), seconds=0.1))
"""
    with Person("", argv=[sys.executable, "-c", program]) as person:
        person.see("Welcome")
        person.press("f10")
        person.see("Everything is there")
        person.press("esc", "esc", "esc")
        person.see("Host name")
        person.press(*"node7", "tab", "esc")
        person.see("This page failed", "Reference: ", "Your answers are kept")
        assert "secret of nobody" not in person.text
        # Whoever writes a plugin tries it in a demonstration, and reads there what its page raised.
        person.press("f8")
        person.see("Log", "ZeroDivisionError: a secret of nobody")
        # How long a traceback is depends on where the checkout lies.
        person.press("page up")
        person.see("reference ")
        person.press("esc", "enter")
        person.see("Summary", "node7", "Everything is there")
        person.press("enter")
        person.see("Install now")


def test_a_failure_says_what_the_disk_is_now():
    with Person("vm-virtio-blank", fails_at="payload.copy_image") as person:
        person.see("Welcome")
        person.press("f10")
        person.see("Everything is there")
        person.press("enter")
        person.see("Install now")
        person.press("enter")
        person.see(
            "The installation failed.", "the disk does not answer", "not bootable", "Look at its cables"
        )
        person.press("f8")
        person.see("FAILED")
        person.press("esc", "enter")
        person.see("Summary")


def test_plain_ascii_without_colours_and_function_keys():
    with Person("vm-virtio-blank", term="vt100", charset="C") as person:
        person.see("Welcome", "Esc 0 Summary")
        person.press("esc", "0")
        person.see("Summary", "Everything is there")
        person.press("enter")
        person.see("+---", "Install now")
        assert person.raw.isascii()
        assert b"\x1b[0;3" not in person.raw


def test_by_the_command_itself():
    nodectl = Path(sys.executable).parent / "nodectl"
    with Person("", argv=[str(nodectl), "install", "--demo", "server-vmfs-lun"]) as person:
        person.see("Welcome", "DEMONSTRATION")
        person.press("esc")
        person.see("Leave?", "Nothing was written.")
        person.press("enter")
        assert person.end() == 0


def test_unattended_values_are_filled_in_and_locked_ones_are_fixed(tmp_path: Path):
    answers = tmp_path / "answers.yaml"
    answers.write_text(
        "version: 1\ninstall: {locked: [network.hostname]}\n"
        "network:\n  hostname: node9\n  ntp: [ntp.example.org]\n"
    )
    with Person("vm-virtio-blank", answers=answers) as person:
        person.see("Welcome")
        person.press("f10")
        person.see("node9")
        person.press("esc", "esc", "esc")
        person.see("node9", "fixed by", "line 4", "ntp.example.org")
