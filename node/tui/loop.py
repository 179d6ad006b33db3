"""The loop over all terminals: draws, reads keys, takes what workers bring, and never waits for anybody."""

from __future__ import annotations

import os
import selectors
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import Queue
from subprocess import Popen
from typing import Any

from node.tui.terminal import Terminal

# A serial line tells nobody when its window changes.
_LOOK_AT_SIZE_S = 0.25


class Loop:
    """Runs until `stop`. `render` gives the canvas for one terminal, `on_keys` takes what was typed there."""

    def __init__(
        self,
        terminals: Sequence[Terminal],
        *,
        render: Callable[[Terminal, tuple[int, int]], Any],
        on_key: Callable[[Terminal, tuple[int, int], str], None],
    ) -> None:
        self.terminals = list(terminals)
        self._render = render
        self._on_key = on_key
        self._calls: deque[Callable[[], None]] = deque()
        self._wake_end, self._wake_up = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._alarms: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._running = False
        self._sizes: dict[str, tuple[int, int]] = {}
        self._waiting_keys: dict[str, float] = {}
        self._files: dict[int, Callable[[], None]] = {}
        self._lent: set[str] = set()
        self._selector = selectors.DefaultSelector()

    def call_soon(self, call: Callable[[], None]) -> None:
        """Have the loop call; from any thread."""
        self._calls.append(call)
        with suppress(BlockingIOError, OSError):
            os.write(self._wake_up, b"!")

    def call_later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Have the loop call after a while."""
        self._count += 1
        self._alarms.append((time.monotonic() + delay_s, self._count, call))

    def watch(self, fd: int, call: Callable[[], None]) -> None:
        """Have the loop call whenever a descriptor can be read."""
        self._files[fd] = call
        self._selector.register(fd, selectors.EVENT_READ, "file")

    def unwatch(self, fd: int) -> None:
        """Watch it no more."""
        if self._files.pop(fd, None):
            self._selector.unregister(fd)

    def run(self) -> None:
        """Show and serve until somebody calls `stop`; the terminals are given back whatever happens."""
        self._running = True
        self._selector.register(self._wake_end, selectors.EVENT_READ, "wake")
        try:
            for terminal in self.terminals:
                self._begin(terminal)
            while self._running:
                self._draw()
                self._serve()
        finally:
            for terminal in self.terminals:
                if terminal.name not in self._lent:
                    terminal.stop()
            self._selector.unregister(self._wake_end)

    def stop(self) -> None:
        """End `run` once what is being done is done."""
        self._running = False

    def lend(self, terminal: Terminal, start: Callable[[], Popen[bytes]]) -> None:
        """Give a terminal to a program until that ends; the others go on."""
        if terminal.name in self._lent:
            return
        self._lent.add(terminal.name)
        self._selector.unregister(terminal.input_fd)
        terminal.stop()
        try:
            self._await(terminal, start())
        except BaseException:
            self._take_back(terminal)
            raise

    def close(self) -> None:
        """Let go of what `run` needed."""
        self._selector.close()
        os.close(self._wake_end)
        os.close(self._wake_up)

    def _await(self, terminal: Terminal, program: Popen[bytes]) -> None:
        if program.poll() is None:
            self.call_later(_LOOK_AT_SIZE_S, partial(self._await, terminal, program))
        else:
            self._take_back(terminal)

    def _take_back(self, terminal: Terminal) -> None:
        self._lent.discard(terminal.name)
        self._begin(terminal)

    def _begin(self, terminal: Terminal) -> None:
        terminal.start()
        self._selector.register(terminal.input_fd, selectors.EVENT_READ, terminal)

    def _draw(self) -> None:
        for terminal in self.terminals:
            # A slow line gets the newest screen when it is ready for one.
            if not terminal.pending and terminal.name not in self._lent:
                size = terminal.size()
                self._sizes[terminal.name] = size
                terminal.draw(self._render(terminal, size), size)

    def _serve(self) -> None:
        for key, _ in self._selector.select(self._patience()):
            if isinstance(key.data, Terminal):
                self._read(key.data)
            elif key.data == "wake":
                with suppress(BlockingIOError):
                    os.read(self._wake_end, 4096)
            elif call := self._files.get(key.fd):
                call()
        for terminal in self.terminals:
            terminal.pump()
        now = time.monotonic()
        for name, until in list(self._waiting_keys.items()):
            if until <= now:
                del self._waiting_keys[name]
                terminal = next(one for one in self.terminals if one.name == name)
                self._keys(terminal, terminal.keys.give_up())
        due = sorted(alarm for alarm in self._alarms if alarm[0] <= now)
        self._alarms = [alarm for alarm in self._alarms if alarm[0] > now]
        for _, _, call in due:
            call()
        for _ in range(len(self._calls)):
            self._calls.popleft()()

    def _patience(self) -> float:
        if self._calls:
            return 0.0
        now = time.monotonic()
        ends = [alarm[0] for alarm in self._alarms] + list(self._waiting_keys.values())
        soonest = min([*(end - now for end in ends), _LOOK_AT_SIZE_S])
        if any(terminal.pending for terminal in self.terminals):
            soonest = min(soonest, 0.02)
        return max(0.0, soonest)

    def _read(self, terminal: Terminal) -> None:
        keys = terminal.read()
        if not terminal.alive:
            self._selector.unregister(terminal.input_fd)
            if not any(one.alive for one in self.terminals) and all(t.input_fd == 0 for t in self.terminals):
                self._running = False  # the one who called us has gone
            return
        if terminal.keys.waits:
            self._waiting_keys[terminal.name] = time.monotonic() + terminal.keys.patience_s
        else:
            self._waiting_keys.pop(terminal.name, None)
        self._keys(terminal, keys)

    def _keys(self, terminal: Terminal, keys: list[str]) -> None:
        for key in keys:
            if key == "ctrl l":
                terminal.forget()
            else:
                self._on_key(terminal, self._sizes.get(terminal.name, terminal.size()), key)


@dataclass(frozen=True)
class _Job:
    work: Callable[[], Any]
    done: Callable[[Any], None]
    failed: Callable[[Exception], None]


class Worker:
    """One thread that does what takes long, a piece after the other; what comes of it is told in the loop."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._jobs: Queue[_Job] = Queue()
        self._open = 0
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether work is waiting, being done or not yet told; for the loop's own thread."""
        return self._open > 0

    def submit(
        self, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        """Do `work` in the thread, then call `done` or `failed` in the loop."""
        self._open += 1
        self._jobs.put(_Job(work, done, failed))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="screens' worker", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            try:
                call = partial(job.done, job.work())
            except Exception as error:
                call = partial(job.failed, error)
            self._loop.call_soon(partial(self._tell, call))

    def _tell(self, call: Callable[[], None]) -> None:
        self._open -= 1
        call()
