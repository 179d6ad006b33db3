"""Several consoles at once: all show the same, one drives, another takes over, none stops the rest."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import threading
import time
from dataclasses import replace
from subprocess import Popen

import pyte
import pytest

from node.demo.effects import demo_effects
from node.installer.flow import load_plugins
from node.installer.tui.app import App
from node.installer.tui.session import Session
from node.testing.machines import machine
from node.tui.terminal import Look, Terminal

pytestmark = [pytest.mark.effects("processes", "writes"), pytest.mark.timeout(120)]
PATIENCE_S = 40.0


class Console:
    """Our end of a line; nothing is read from it while it `sleeps`."""

    def __init__(self, name: str, size: tuple[int, int], look: Look) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("hhhh", size[1], size[0], 0, 0))
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self.terminal = Terminal(slave, slave, name=name, look=look)
        os.set_blocking(self.master, False)
        self.sleeps = False

    def read(self) -> None:
        while not self.sleeps:
            try:
                self._stream.feed(os.read(self.master, 65536))
            except OSError:
                return

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)


class Room:
    """The screens in a thread, and people at its consoles."""

    def __init__(self, name: str, *consoles: Console, shell=None) -> None:
        self.consoles = consoles
        session = Session(load_plugins(), machine(name))
        effects = replace(demo_effects(session.inventory, seconds=0.1), shell=shell)
        self.app = App(session, effects, [console.terminal for console in consoles])
        self._thread = threading.Thread(target=self.app.run, daemon=True)

    def __enter__(self) -> Room:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.app._loop.call_soon(self.app.stop)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def see(self, console: Console, *words: str) -> None:
        until = time.monotonic() + PATIENCE_S
        while not all(word in console.text for word in words):
            assert time.monotonic() < until, f"{words} are not on {console.terminal.name}:\n{console.text}"
            for one in self.consoles:
                one.read()
            time.sleep(0.02)


@pytest.fixture
def vga() -> Console:
    return Console("tty1", (132, 43), Look())


@pytest.fixture
def serial() -> Console:
    return Console("ttyS0", (80, 24), Look(utf8=False, colour=False, fingers=True))


def test_all_show_the_same_each_in_its_own_size_and_signs(vga: Console, serial: Console):
    with Room("vm-virtio-blank", vga, serial) as room:
        room.see(vga, "Welcome", "Čeština", "F10 Summary")
        room.see(serial, "Welcome", "Cestina", "Esc 0 Summary")
        vga.press(b"\r")
        room.see(vga, "Keyboard and time")
        room.see(serial, "Keyboard and time", "This console follows tty1. Esc 4 takes over here.")


def test_the_first_key_drives_and_another_console_takes_over(vga: Console, serial: Console):
    with Room("vm-virtio-blank", vga, serial) as room:
        room.see(serial, "Welcome")
        serial.press(b"\x1b0")
        room.see(serial, "Summary", "Everything is there")
        room.see(vga, "Everything is there", "This console follows ttyS0. F4 takes over here.")
        vga.press(b"\r\r\r\x1b")  # counts for nothing here
        time.sleep(0.6)
        room.see(serial, "Everything is there")
        vga.press(b"\x1bOS")
        room.see(serial, "This console follows tty1.")
        vga.press(b"\x1b")
        room.see(serial, "Access")


def test_a_line_that_takes_nothing_stops_nobody(vga: Console, serial: Console):
    serial.sleeps = True
    with Room("vm-virtio-blank", vga, serial) as room:
        room.see(vga, "Welcome")
        for _ in range(12):
            vga.press(b"\x1b[21~")
            room.see(vga, "Everything is there")
            vga.press(b"\x1b")
            room.see(vga, "CA fingerprint")
        serial.sleeps = False
        room.see(serial, "CA fingerprint")


def test_a_line_that_is_hung_up_stops_nobody(vga: Console, serial: Console):
    with Room("vm-virtio-blank", vga, serial) as room:
        room.see(serial, "Welcome")
        serial.press(b"\r")
        room.see(vga, "Keyboard and time", "This console follows ttyS0.")
        serial.sleeps = True
        os.close(serial.master)
        time.sleep(0.3)
        vga.press(b"\x1b[21~")
        room.see(vga, "Everything is there")


def test_a_shell_has_its_console_and_the_others_go_on(vga: Console, serial: Console):
    def shell(fd: int) -> Popen[bytes]:
        return Popen(["sh", "-c", "echo a shell; read word; echo $word"], stdin=fd, stdout=fd)

    with Room("vm-virtio-blank", vga, serial, shell=shell) as room:
        room.see(vga, "Welcome")
        vga.press(b"\x1bOQ")
        room.see(vga, "a shell")
        serial.press(b"\x1b4")
        room.see(serial, "Esc 0 Summary")
        serial.press(b"\x1b0")
        room.see(serial, "Everything is there")
        vga.press(b"enough\n")
        room.see(vga, "Everything is there", "This console follows ttyS0.")
