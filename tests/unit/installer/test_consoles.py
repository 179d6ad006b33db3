from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.installer.consoles import Consoles, active_consoles


class Terminal:
    """A pseudo terminal: `path` is the console, what is written to `master` is typed there."""

    def __init__(self) -> None:
        self.master, follower = os.openpty()
        self.path = Path(os.ttyname(follower))
        self._follower = follower
        os.set_blocking(self.master, False)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def shown(self) -> str:
        text = b""
        while True:
            try:
                text += os.read(self.master, 65536)
            except (BlockingIOError, OSError):
                return text.decode().replace("\r\n", "\n")

    def close(self) -> None:
        os.close(self.master)
        os.close(self._follower)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    both = [Terminal(), Terminal()]
    yield both
    for terminal in both:
        terminal.close()


def test_every_console_and_the_log_get_every_line(terminals: list[Terminal], tmp_path: Path):
    log = tmp_path / "install.log"
    consoles = Consoles([*(t.path for t in terminals), tmp_path / "ttyS7"], log=log)
    consoles.say("one", "two")
    consoles.close()
    assert [terminal.shown() for terminal in terminals] == ["one\ntwo\n"] * 2
    assert log.read_text() == "one\ntwo\n"


def test_who_types_first_answers(terminals: list[Terminal]):
    consoles = Consoles([terminal.path for terminal in terminals])

    asked = []
    original = consoles.pump

    def pump_and_type() -> None:
        original()
        if not asked:
            asked.append(True)
            terminals[1].type("NODE0001\r")

    consoles.pump = pump_and_type  # type: ignore[method-assign]
    assert consoles.ask("Serial: ", timeout_s=5) == "NODE0001"
    assert "Serial: " in terminals[0].shown()
    consoles.close()


def test_what_was_typed_before_the_question_does_not_answer_it(terminals: list[Terminal]):
    consoles = Consoles([terminals[0].path])
    terminals[0].type("yes\r")
    time.sleep(0.05)
    assert consoles.ask("Serial: ", timeout_s=0.2) is None
    consoles.close()


def test_a_console_that_takes_nothing_holds_nobody_up(terminals: list[Terminal]):
    dead, alive = terminals
    consoles = Consoles([dead.path, alive.path])
    began_s = time.monotonic()
    shown = ""
    for number in range(3000):
        consoles.say(f"line {number} {'x' * 60}")
        shown += alive.shown()
    consoles.flush(timeout_s=0.2)
    assert time.monotonic() - began_s < 5
    assert "line 2999" in shown + alive.shown()
    consoles._consoles[0].pending.clear()
    consoles.close()


def test_a_console_that_is_hung_up_is_left_alone(terminals: list[Terminal]):
    consoles = Consoles([terminals[0].path, terminals[1].path])
    os.close(terminals[0].master)
    consoles.say("still here")
    assert consoles.ask("", timeout_s=0.1) is None
    assert "still here" in terminals[1].shown()
    terminals[0].master = os.open("/dev/null", os.O_RDONLY)
    consoles.close()


def test_the_kernel_s_consoles(tmp_path: Path):
    (tmp_path / "active").write_text("tty0 ttyS0\n")
    assert [path.name for path in active_consoles(tmp_path / "active")] == ["tty1", "ttyS0"]
    assert active_consoles(tmp_path / "none") == []
