"""The installer's screens on a machine of 200 disks and 64 network cards: start, keys, memory."""

from __future__ import annotations

import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from dataclasses import replace
from fcntl import ioctl
from pathlib import Path

from bench.measure import Report, Row
from node.testing.machines import machine

_STARTS, _KEYS = 5, 200
# A person takes what comes within a tenth of a second for at once.
_KEY_LIMIT_S, _START_LIMIT_S, _MEMORY_LIMIT_MIB = 0.1, 2.0, 128
_PROGRAM = """
import sys
from pathlib import Path
from node.cli.machine import recorded_machine
from node.demo.run import run_demo
run_demo(recorded_machine(Path(sys.argv[1])))
"""


def measure() -> Report:
    """Time the first page, keys on the longest lists, and take the peak of memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "machine.json")
        path.write_text(_machine())
        starts, interpreter = [], []
        for _ in range(_STARTS):
            with _Screen(path) as screen:
                starts.append(screen.wait(b"Welcome"))
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", ""], check=True)
            interpreter.append(time.perf_counter() - began)
        with _Screen(path) as screen:
            screen.wait(b"Welcome")
            screen.press(b"\r", b"Keyboard")
            screen.press(b"\t\t\t\t\r", b"/dev/sdaa")
            screen.settle()
            disks = sorted(screen.key(b"\x1b[B") for _ in range(_KEYS))
            screen.press(b"\x1b[21~", b"Summary")
            screen.press(b"\x1b\x1b", b"Network")
            screen.settle()
            cards = sorted(screen.key(b"\x1b[B") for _ in range(50))
            memory = screen.peak_mib()
    start, bare = statistics.median(starts), statistics.median(interpreter)
    rows = [
        Row(
            "start to the first page",
            f"{start:.2f} s",
            f"python -c '' {bare:.2f} s",
            f"{start / bare:.1f}x",
            f"{_START_LIMIT_S:g} s",
            start <= _START_LIMIT_S,
        )
    ]
    for what, times in (("a key among 200 disks", disks), ("a key among 64 cards", cards)):
        late = times[int(len(times) * 0.95)]
        rows.append(
            Row(
                f"{what}, 95th percentile",
                f"{late * 1000:.0f} ms",
                f"median {statistics.median(times) * 1000:.0f} ms",
                "",
                f"{_KEY_LIMIT_S * 1000:.0f} ms",
                late <= _KEY_LIMIT_S,
            )
        )
    rows.append(
        Row(
            "memory at its peak",
            f"{memory} MiB",
            "",
            "",
            f"{_MEMORY_LIMIT_MIB} MiB",
            memory <= _MEMORY_LIMIT_MIB,
        )
    )
    return Report(
        "The installer's screens",
        "make bench ONLY=screens",
        "200 disks, 64 network cards, 80 columns by 24 rows on a pseudo terminal; from the start of the "
        "process, and from a key to the last byte of what it changes.",
        tuple(rows),
    )


def _machine() -> str:
    base = machine("server-64-nics")
    disk = machine("server-4tb-disks").disks[0]
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = [f"sd{a}{b}" for a in letters for b in letters][:200]
    disks = tuple(
        replace(disk, name=name, node=f"/dev/{name}", serial=f"ZC1A{n:04}", wwn=f"0x5000c500a1b2{n:04x}")
        for n, name in enumerate(names)
    )
    return replace(base, disks=disks).to_json()


class _Screen:
    def __init__(self, path: Path) -> None:
        self._master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("hhhh", 24, 80, 0, 0))
        environment = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", "NODECRUST_PLUGINS": ""}
        self._began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(path)],
            stdin=slave,
            stdout=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> _Screen:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def wait(self, words: bytes, timeout_s: float = 60.0) -> float:
        """Read until these words came; seconds since the start."""
        seen = b""
        while words not in seen:
            ready, _, _ = select.select([self._master], [], [], timeout_s)
            if not ready:
                raise RuntimeError(f"{words!r} did not come, but {seen[-300:]!r}")
            seen += os.read(self._master, 65536)
        return time.perf_counter() - self._began

    def press(self, keys: bytes, words: bytes) -> None:
        for byte in (keys,):
            os.write(self._master, byte)
        self.wait(words)

    def settle(self, quiet_s: float = 1.0) -> None:
        """Wait until nothing comes any more."""
        while select.select([self._master], [], [], quiet_s)[0]:
            os.read(self._master, 65536)

    def key(self, key: bytes) -> float:
        """Give the seconds from a key to the last byte of the redraw that it makes."""
        began = last = time.perf_counter()
        os.write(self._master, key)
        wait_s = 5.0
        while select.select([self._master], [], [], wait_s)[0]:
            os.read(self._master, 65536)
            last, wait_s = time.perf_counter(), 0.02
        return last - began

    def peak_mib(self) -> int:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) // 1024
