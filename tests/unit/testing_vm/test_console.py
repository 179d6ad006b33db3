"""The serial line, with a socket of the test in the guest's place."""

import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.testing.vm.console import Console, MachineFailure, plain_text, tail_of


class Guest:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "ttyS0"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self.lines: list[str] = []
        self.alive = True
        self.console = Console(
            "guest", self.path, folder / "log", on_line=self.lines.append, is_alive=lambda: self.alive
        )
        self._line, _ = self._listener.accept()

    def say(self, raw: bytes) -> None:
        self._line.sendall(raw)

    def heard(self) -> bytes:
        return self._line.recv(100)

    def close(self) -> None:
        self.console.close()
        self._line.close()
        self._listener.close()


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[Guest]:
    guest = Guest(tmp_path)
    yield guest
    guest.close()


def test_expect_goes_forward(guest: Guest) -> None:
    guest.say(b"one two one\n")
    assert guest.console.expect("one", timeout_s=2).start() == 0
    assert guest.console.expect(re.compile("o[n]e"), timeout_s=2).start() == 8
    with pytest.raises(MachineFailure, match=r"didn't say 'one' within 0.1 s"):
        guest.console.expect("one", timeout_s=0.1)
    assert guest.console.said("two")


def test_text_that_comes_in_pieces_and_colours(guest: Guest) -> None:
    threading.Timer(0.05, guest.say, (b"\x1b[0;3",)).start()
    threading.Timer(0.10, guest.say, (b"2mhea",)).start()
    threading.Timer(0.15, guest.say, (b"lthy\x1b[0m\r\nnext\r\n",)).start()
    guest.console.expect("healthy\nnext", timeout_s=2)
    guest.console.expect("\n", timeout_s=2)
    assert guest.lines == ["healthy", "next"]


def test_a_refused_text_that_comes_first_fails_at_once(guest: Guest) -> None:
    guest.say(b"Kernel panic - not syncing\nlogin:")
    with pytest.raises(MachineFailure, match="said 'Kernel panic' while"):
        guest.console.expect("login:", timeout_s=60, unless=("Kernel panic",))


def test_a_refused_text_after_the_wanted_one_is_fine(guest: Guest) -> None:
    guest.say(b"login: Kernel panic")
    guest.console.expect("login:", timeout_s=2, unless=("Kernel panic",))


def test_the_machines_end_ends_the_waiting(guest: Guest) -> None:
    guest.alive = False
    with pytest.raises(MachineFailure, match="ended while"):
        guest.console.expect("x", timeout_s=60)


def test_a_failure_shows_the_last_forty_lines(guest: Guest) -> None:
    guest.say(b"".join(b"line %d\n" % number for number in range(100)) + b"\x1b[31mlast\x1b[0m\n")
    guest.console.expect("last\n", timeout_s=2)
    with pytest.raises(MachineFailure) as failure:
        guest.console.expect("x", timeout_s=0.01)
    shown = str(failure.value).split("\n")[1:]
    assert len(shown) == 40
    assert shown[-1] == "last"
    assert shown[0] == "line 61"


def test_typing(guest: Guest) -> None:
    guest.console.send_line("ls")
    assert guest.heard() == b"ls\r"


def test_what_was_said_before_can_be_forgotten(guest: Guest) -> None:
    guest.say(b"old\n")
    guest.console.expect("old", timeout_s=2)
    guest.say(b"old\nsync")
    while not guest.console.said("sync"):
        pass
    guest.console.forget()
    with pytest.raises(MachineFailure):
        guest.console.expect("old", timeout_s=0.05)


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("\x1b[2J\x1b[01;01Htitle\x1b[5;1Hrow", "\ntitle\nrow"),
        ("a\r\nb", "a\nb"),
        ("\x1bc\x1b[?7l\x1b[=3hx", "x"),
        ("\x1b]0;title\x07x\x1bP+q\x1b\\y", "xy"),
        ("\x1b(Bx\x1b=y\x1b>", "xy"),
    ],
)
def test_plain_text(raw: str, plain: str) -> None:
    assert plain_text(raw) == plain


def test_a_tail_leaves_out_empty_lines() -> None:
    assert tail_of("a\n\n \nb\nc\n", 2) == "b\nc"
