"""The console as a process on a pseudo terminal: both halves, keys as bytes, another size, a serial line."""

from __future__ import annotations

import sys

import pytest

from tests.unit.installer_tui.terminal import Person

pytestmark = pytest.mark.effects("processes", "sockets")
ARGV = [sys.executable, "-c", "from node.cli.main import main; main(['console', '--demo'])"]


def person(**options) -> Person:
    return Person("", argv=ARGV, **options)


def test_a_change_of_the_network_by_keys_alone() -> None:
    with person() as one:
        one.see("all is well", "node1.example.org", "2 guests run")
        one.press("down", "enter")
        one.see("Esc Back")
        one.press(*["tab"] * 5, "ctrl u")
        for letter in "192.0.2.77/24":
            one.press(letter)
        one.press(*["tab"] * 6)
        one.press("enter")
        one.see("Log in as an admin")
        for letter in "wrong":
            one.press(letter)
        one.press("enter")
        one.see("The name or the password is wrong")
        for letter in "demo":
            one.press(letter)
        one.press("enter")
        one.see("Change this?", "192.0.2.77/24")
        one.press("enter")
        one.see("Is the node still reachable?")
        one.press("enter")
        one.see("Kept and stored.")
        one.press("esc", "f2")
        one.see("Leave?")
        one.press("enter")
        assert one.end() == 0


def test_another_size_and_back() -> None:
    with person() as one:
        one.see("all is well")
        one.resize(132, 43)
        one.see("Last events")
        one.miss("…")
        one.resize(80, 24)
        one.see("Last events", "…")
        one.press("f10")
        one.see("A restart would lose 3 changes")


def test_a_line_that_knows_only_ascii() -> None:
    with person(term="vt100", charset="C") as one:
        one.see("all is well", "| Version")
        one.press("\x1b8")
        one.see("Linux version")
        one.press("\x1b0")
        one.see("[ Restart ]")
        assert one.raw.isascii()


def test_escape_asks_before_it_leaves() -> None:
    with person() as one:
        one.see("all is well")
        one.press("esc")
        one.see("Leave?")
        one.press("down", "enter")
        one.miss("Leave?")
        one.press("esc")
        one.see("Leave?")
        one.press("enter")
        assert one.end() == 0
