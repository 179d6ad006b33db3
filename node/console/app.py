"""The console on its terminal: the loop, two threads that ask the other process, head and foot."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import urwid

from node.boot.consoles import SPOKE
from node.console.calls import Calls
from node.console.screens import Screens
from node.console.words import plain
from node.locale import _
from node.model.answers import Section
from node.tui.loop import Loop, Worker
from node.tui.terminal import Terminal

_PRINTK = Path("/proc/sys/kernel/printk")
# As many messages of the kernel as come together are painted over once.
_REPAINT_S = 0.5
# The kernel ends a process whose alarm rings unheard.
HANG_S = 30
# Columns that the product and the node have at least beside the clock.
_LEAST_LEFT = 28


class App:
    """Screens, loop and terminal together. `run` gives the exit code."""

    def __init__(
        self,
        terminal: Terminal,
        reading: Calls,
        acting: Calls,
        sections: tuple[Section, ...],
        *,
        prompt: bool,
        demo: bool = False,
        kernel_log: int | None = None,
    ) -> None:
        urwid.set_encoding("utf-8")
        self._terminal = terminal
        self._reading, self._acting = reading, acting
        self._code = 0
        self._repainting = False
        self._loop = Loop([terminal], render=self._render, on_key=self._on_key)
        self._readers, self._actors = Worker(self._loop), Worker(self._loop)
        self.screens = Screens(self, sections, prompt=prompt, demo=demo)
        if kernel_log is not None:
            self._loop.watch(kernel_log, partial(self._kernel_spoke, kernel_log, _shown_level()))

    def run(self) -> int:
        """Show and serve until it is over. A loop that hangs ends the process, so that a prompt comes."""
        self._beat()
        try:
            self._loop.run()
        finally:
            signal.alarm(0)
            self._loop.close()
        return self._code

    def _beat(self) -> None:
        signal.alarm(HANG_S)
        self.later(HANG_S / 6, self._beat)

    # What the screens need of the loop

    def read(
        self, work: Callable[[Calls], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        """Ask in the thread for reading."""
        self._readers.submit(lambda: work(self._reading), done, failed)

    def act(
        self, work: Callable[[Calls], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        """Ask in the thread for acting."""
        self._actors.submit(lambda: work(self._acting), done, failed)

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call after a while."""
        self._loop.call_later(delay_s, call)

    def now(self) -> float:
        """Give the seconds of a clock that nobody sets."""
        return time.monotonic()

    def stop(self, code: int) -> None:
        """End the loop."""
        self._code = code
        self._loop.stop()

    def _render(self, terminal: Terminal, size: tuple[int, int]) -> Any:
        columns, rows = size
        return urwid.Frame(
            self.screens.body((columns, rows - 2)),
            header=head(self.screens, terminal.name, columns),
            footer=foot(self.screens, fingers=terminal.look.fingers),
        ).render(size, focus=True)

    def _on_key(self, terminal: Terminal, size: tuple[int, int], key: str) -> None:
        del terminal
        self.screens.keypress((size[0], size[1] - 2), key)

    def _kernel_spoke(self, kernel_log: int, level: int) -> None:
        """What the kernel or a service wrote over the screen is painted over again."""
        spoken = False
        with suppress(OSError):  # EAGAIN at the end, EPIPE where we were too slow
            while record := os.read(kernel_log, 8192):
                number = record.partition(b",")[0]
                spoken |= number.isdigit() and int(number) & 7 < level
                spoken |= SPOKE.encode() in record
        if spoken and not self._repainting:
            self._repainting = True
            self.later(_REPAINT_S, self._repaint)

    def _repaint(self) -> None:
        self._repainting = False
        self._terminal.forget()


def head(screens: Screens, name: str, columns: int) -> Any:
    """Give the line at the top: the node, the time, and who is logged in where."""
    overview = screens.overview
    host = plain(overview.status.hostname) if overview and screens.standing.may_read else ""
    who = screens.standing.user or _("nobody logged in")
    clock = overview.clock if overview else ""
    demo = _("DEMONSTRATION") if screens.demo else ""
    left = f" Nodecrust  {host}"
    # Where it is narrow, the clock gives way, and a long name is cut: who is logged in must be seen.
    for parts in ((demo, clock, name, plain(who)), (demo, name, plain(who))):
        right = "  ".join(part for part in parts if part)
        room = max(0, columns - len(right) - 2)
        if room >= min(len(left), _LEAST_LEFT):
            break
    if len(left) > room:
        left = left[: max(0, room - 1)] + "…"
    gap = max(1, columns - len(left) - len(right) - 1)
    return urwid.AttrMap(urwid.Text(f"{left}{' ' * gap}{right} ", wrap="clip"), "head")


def foot(screens: Screens, *, fingers: bool) -> Any:
    """Give the line at the bottom: what was said last, or the keys."""
    if screens.message:
        return urwid.AttrMap(urwid.Text(f" {screens.message}", wrap="ellipsis"), "danger")
    names = {"1": _("Help"), "2": _("Log-in prompt") if screens.prompt else _("Leave"), "8": _("Log")}
    names["9"] = _("Log out") if screens.standing.user else _("Log in")
    names["10"] = _("Power")
    pieces: list[Any] = []
    for number, words in names.items():
        key = f"Esc {number[-1]}" if fingers else f"F{number}"
        pieces += [("key", f" {key}"), ("foot", f" {words} ")]
    if screens.in_page:
        pieces += [("key", " Esc"), ("foot", f" {_('Back')} ")]
    elif screens.page.takes_keys and screens.standing.may_read:
        pieces += [("key", " Enter"), ("foot", f" {_('Into the page')} ")]
    return urwid.AttrMap(urwid.Text(pieces, wrap="clip"), "foot")


def _shown_level() -> int:
    """Give the level that the kernel's messages must be below to be written on consoles."""
    try:
        return int(_PRINTK.read_text(encoding="utf-8").split()[0])
    except (OSError, ValueError, IndexError):
        return 7
