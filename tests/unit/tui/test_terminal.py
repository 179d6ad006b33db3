"""A terminal gets what changed, in the signs and colours that it has, and is never waited for."""

from __future__ import annotations

import os

import pytest
import urwid

from node.tui import terminal as terminal_module
from node.tui.charset import to_ascii, to_font
from node.tui.font import signs_of
from node.tui.terminal import Look, Terminal, look_of

pytestmark = pytest.mark.effects("writes")


def drawn(terminal: Terminal, text: object, size: tuple[int, int] = (20, 3)) -> None:
    urwid.set_encoding("utf-8")
    terminal.draw(urwid.Filler(urwid.Text(text), valign="top").render(size, focus=True), size)


@pytest.fixture
def line():
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    yield reader, writer
    os.close(reader)
    os.close(writer)


def test_only_what_changed_is_sent(line):
    terminal = Terminal(line[0], line[1], name="x", look=Look())
    drawn(terminal, "one\ntwo")
    os.read(line[0], 65536)
    drawn(terminal, "one\nten")
    sent = os.read(line[0], 65536)
    assert b"ten" in sent
    assert b"one" not in sent
    drawn(terminal, "one\nten")
    with pytest.raises(BlockingIOError):
        os.read(line[0], 65536)


@pytest.mark.parametrize(("colour", "wanted"), [(True, b"\x1b[0;31;1m"), (False, b"\x1b[0;1m")])
def test_colours_only_where_there_are_any(line, colour: bool, wanted: bytes):
    terminal = Terminal(line[0], line[1], name="x", look=Look(colour=colour))
    drawn(terminal, ("problem", "bad"))
    assert wanted in os.read(line[0], 65536)


def test_ascii_lines_get_ascii(line):
    terminal = Terminal(line[0], line[1], name="x", look=Look(utf8=False))
    drawn(terminal, ["─ Příliš žluťoučký", ("qr", "█")])
    sent = os.read(line[0], 65536)
    assert sent.isascii()
    assert b"- Prilis zlutoucky" in sent
    assert b"#" not in sent


def test_a_line_that_takes_nothing_keeps_no_more_than_a_bound_and_is_painted_anew(line):
    terminal = Terminal(line[0], line[1], name="x", look=Look())
    for number in range(4000):
        drawn(terminal, f"{number:08}" * 10, (80, 10))
    assert len(terminal._pending) <= 256 << 10
    while terminal.pending:
        os.read(line[0], 65536)
        terminal.pump()
    os.read(line[0], 65536)
    terminal.forget()
    drawn(terminal, "whole again", (80, 10))
    assert b"whole again" in os.read(line[0], 65536)


@pytest.mark.parametrize("text", ["Čeština", "┌─┐│└┘", "█░▸✓✗●○", "„uvozovky“ pomlčka…", "日本"])
def test_ascii_is_as_wide(text: str):
    plain = to_ascii(text)
    assert plain.isascii()
    assert len(plain) == len(text)


def test_what_a_terminal_can_show():
    assert look_of("vt220", "ANSI_X3.4-1968", serial=True) == Look(utf8=False, colour=False, fingers=True)
    assert look_of("xterm-256color", "UTF-8", serial=False) == Look()
    assert not look_of("xterm", "UTF-8", serial=False, no_colour=True).colour


def test_what_the_font_lacks_is_shown_in_ascii(line, monkeypatch: pytest.MonkeyPatch):
    assert to_font("● Čeština │", frozenset("│í")) == "* Cestina │"
    monkeypatch.setattr(terminal_module, "signs_of", lambda _fd: frozenset("│"))
    terminal = Terminal(line[0], line[1], name="tty1", look=Look())
    terminal.start()
    drawn(terminal, "● Čeština │")
    assert "* Cestina │" in os.read(line[0], 65536).decode()


def test_what_is_no_terminal_of_the_kernel_may_have_every_sign(line):
    assert signs_of(line[1]) is None
