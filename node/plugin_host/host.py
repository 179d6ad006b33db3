"""The caller's end of the plugin host: asks it, watches the clock, has it back without whoever broke it."""

from __future__ import annotations

import json
import logging
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from node.plugin_host.finding import Outside
from node.plugin_host.frames import KEPT_ARGUMENTS, LENGTH, MOST_BYTES, FrameError, from_body, to_frame
from node.plugin_host.words import shown
from node.plugin_host.zygote import fork_zygote, has_threads

_log = logging.getLogger(__name__)

IMPORT_TIMEOUT_S = 5.0
CALL_TIMEOUT_S = 5.0
_START_TIMEOUT_S = 10.0
_MOST_OUTPUT = 8 << 20
_LAST_WORDS = 400


class OutsideError(Exception):
    """A plugin could not be asked, or failed; in words. `lost` says that it is out of the host for good."""

    def __init__(self, words: str, *, lost: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.lost = lost


class _BrokenError(Exception):
    """The host is of no more use; in words that blame whoever was being asked."""


@dataclass
class Answer:
    """What the host answered: `ok`, and what was noticed besides."""

    ok: Any
    noted: tuple[str, ...] = ()


@dataclass
class _Process:
    """A living host, by our ends of its pipes."""

    pid: int
    requests: int
    answers: int
    output: int
    sent: OrderedDict[int, None] = field(default_factory=OrderedDict)
    said: bytes = b""
    said_bytes: int = 0


class Host:
    """All plugins from outside. Made early, in a process without threads, it costs one fork.

    Any thread may call it, one at a time. A process that is forked from this one can't, but where `lent`.
    `on_lost` hears, with its name and words, of a plugin that can't be loaded again after another's crash.
    """

    def __init__(self, *, on_lost: Callable[[str, str], None] = lambda _name, _words: None) -> None:
        self._lock = threading.RLock()
        self._loaded: dict[str, Outside] = {}
        self._with_sections: set[str] = set()
        self._on_lost = on_lost
        self._process: _Process | None = None
        self._number = 0
        self._owner = os.getpid()
        self._zygote = _Zygote()
        _all.add(self)

    def start(self) -> None:
        """Have the host there, so that the first plugin doesn't wait for it, which tells of a failure."""
        with self._lock, suppress(OutsideError):
            self._ensure()

    def load(self, plugin: Outside, timeout_s: float = IMPORT_TIMEOUT_S) -> Answer:
        """Import a plugin; OutsideError where that fails."""
        request = {"do": "load", "plugin": plugin.name, "value": plugin.value}
        answer = self._ask(plugin.name, request, timeout_s, during="its import")
        self._loaded[plugin.name] = plugin
        return answer

    def call(
        self,
        plugin: str,
        hook: str,
        arguments: Mapping[str, tuple[int, str]],
        timeout_s: float = CALL_TIMEOUT_S,
    ) -> Answer:
        """Call a hook; `arguments` are numbers and JSON by name, and what has a number was sent but once."""
        if hook == "node_sections":
            self._with_sections.add(plugin)
        request = {"do": "call", "plugin": plugin, "hook": hook, "arguments": arguments}
        return self._ask(plugin, request, timeout_s, during=hook)

    def ask_model(
        self, plugin: str, section: str, what: str, values: Any, timeout_s: float = CALL_TIMEOUT_S
    ) -> Answer:
        """Have values judged (`validate`) by a section's own model, or its `schema` given."""
        request = {"do": what, "plugin": plugin, "section": section, "values": values}
        during = f"the {'check' if what == 'validate' else what} of its section '{section}'"
        return self._ask(plugin, request, timeout_s, during=during)

    def forget(self, plugin: str) -> None:
        """Leave a plugin out whenever the host comes back."""
        with self._lock:
            self._loaded.pop(plugin, None)
            self._with_sections.discard(plugin)

    def close(self) -> None:
        """End the host and its zygote, with all that they started."""
        with self._lock:
            self._drop_process()
            self._zygote.close()

    # How it is asked

    def _ask(self, plugin: str, request: dict[str, Any], timeout_s: float, *, during: str) -> Answer:
        with self._lock:
            if self._owner != os.getpid():
                raise OutsideError("the plugin host can't be asked from here")
            if plugin not in self._loaded and request["do"] != "load":
                raise OutsideError("is not loaded any more", lost=True)
            try:
                self._ensure(but=plugin if request["do"] == "load" else "")
                if plugin not in self._loaded and request["do"] != "load":
                    raise OutsideError("could not be loaded again", lost=True)
                answer = self._exchange(request, timeout_s)
            except _BrokenError as error:
                words = self._last_words()
                how = self._end_process()
                self.forget(plugin)
                raise OutsideError(f"{str(error) or how} in {during}{words}", lost=True) from None
            except OutsideError:
                raise
            except FrameError as error:
                raise OutsideError(f"can't be asked: {error}") from None
            except BaseException:
                # Interrupted half way, nobody would know whose the next answer is.
                self._end_process()
                raise
            return self._read(plugin, answer, during)

    def _read(self, plugin: str, answer: Mapping[str, Any], during: str) -> Answer:
        if patched := answer.get("patched"):
            self._end_process()
            self.forget(plugin)
            raise OutsideError(f"replaced {shown(str(patched), 100)}, which others build upon", lost=True)
        if "failed" in answer:
            if self._process:
                self._process.sent.clear()  # an argument may be what could not be read
            raise OutsideError(f"failed in {during}: {shown(str(answer['failed']), 500)}")
        noted = tuple(f"changed {shown(str(one), 100)} in {during}" for one in answer.get("noted") or ())
        return Answer(answer.get("ok"), noted)

    def _ensure(self, but: str = "") -> None:
        """Have a host with all plugins that are loaded; one that can't be loaded again is lost."""
        while self._process is None:
            self._process = self._start()
            for name, plugin in list(self._loaded.items()):
                if name == but:
                    continue
                try:
                    self._load_again(plugin)
                except _BrokenError as error:
                    how = self._end_process()
                    self.forget(name)
                    self._on_lost(name, f"{str(error) or how} when it was loaded again")
                    break

    def _load_again(self, plugin: Outside) -> None:
        request = {"do": "load", "plugin": plugin.name, "value": plugin.value}
        answer = self._exchange(request, IMPORT_TIMEOUT_S)
        if plugin.name in self._with_sections and "failed" not in answer:
            again = {"do": "call", "plugin": plugin.name, "hook": "node_sections", "arguments": {}}
            answer = self._exchange(again, CALL_TIMEOUT_S)
        if "failed" in answer:
            self.forget(plugin.name)
            words = shown(str(answer["failed"]), 500)
            self._on_lost(plugin.name, f"failed when it was loaded again: {words}")

    def _start(self) -> _Process:
        request_end, requests = os.pipe()
        answers, answer_end = os.pipe()
        output, output_end = os.pipe()
        try:
            pid = self._zygote.start_host((request_end, answer_end, output_end))
        except OSError as error:
            for fd in (requests, answers, output):
                os.close(fd)
            raise OutsideError(f"the plugin host can't be started: {error}") from None
        finally:
            for fd in (request_end, answer_end, output_end):
                os.close(fd)
        for fd in (requests, answers, output):
            os.set_blocking(fd, False)
        return _Process(pid, requests, answers, output)

    def _exchange(self, request: dict[str, Any], timeout_s: float) -> Mapping[str, Any]:
        """Send a request and give the answer to it; _BrokenError where none comes in time, or another."""
        process = self._process
        if process is None:
            raise _BrokenError("the plugin host is not there")
        self._number += 1
        data = to_frame({**self._with_arguments(process, request), "id": self._number}, most=64 << 20)
        deadline = time.monotonic() + timeout_s
        process.said, process.said_bytes = b"", 0
        received = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(process.answers, selectors.EVENT_READ)
            selector.register(process.output, selectors.EVENT_READ)
            selector.register(process.requests, selectors.EVENT_WRITE)
            while True:
                if (left := deadline - time.monotonic()) <= 0:
                    raise _BrokenError(f"took longer than {timeout_s:.3g} s")
                for key, _ in selector.select(left):
                    if key.fd == process.requests:
                        data = self._send(process, data)
                        if not data:
                            selector.unregister(process.requests)
                    elif key.fd == process.output:
                        if not self._listen(process):
                            selector.unregister(process.output)
                    else:
                        self._receive(process, received)
                if len(received) >= LENGTH.size and (answer := _whole(received)) is not None:
                    if answer.get("id") != self._number:
                        raise _BrokenError("wrote what is no answer of the plugin host")
                    return answer

    def _with_arguments(self, process: _Process, request: dict[str, Any]) -> dict[str, Any]:
        if "arguments" not in request:
            return request
        arguments = {}
        for name, (number, text) in request["arguments"].items():
            # What a host was sent, it has: an inventory is the same for every plugin.
            known = number in process.sent
            arguments[name] = {"number": number} if known else {"number": number, "json": text}
            process.sent[number] = None
            while len(process.sent) > KEPT_ARGUMENTS:
                process.sent.popitem(last=False)
        return {**request, "arguments": arguments}

    def _send(self, process: _Process, data: bytes) -> bytes:
        try:
            return data[os.write(process.requests, data) :]
        except BlockingIOError:
            return data
        except OSError:
            raise _BrokenError from None

    def _receive(self, process: _Process, received: bytearray) -> None:
        try:
            part = os.read(process.answers, 1 << 18)
        except BlockingIOError:
            return
        if not part:
            raise _BrokenError
        received += part

    def _listen(self, process: _Process) -> bool:
        """Keep the last of what a plugin prints; False where it can't print any more."""
        try:
            part = os.read(process.output, 1 << 18)
        except BlockingIOError:
            return True
        process.said = (process.said + part)[-_LAST_WORDS:]
        process.said_bytes += len(part)
        if process.said_bytes > _MOST_OUTPUT:
            process.said = b""
            raise _BrokenError(f"printed more than {_MOST_OUTPUT >> 20} MiB")
        return bool(part)

    def _last_words(self) -> str:
        process = self._process
        if process is None:
            return ""
        with suppress(OSError, _BrokenError):
            self._listen(process)
        lines = process.said.decode(errors="replace").strip().splitlines()
        return f" ({shown(lines[-1], 200)})" if lines else ""

    def _end_process(self) -> str:
        """End the host; say how it had ended where it had by itself."""
        process, self._process = self._process, None
        if process is None:
            return "it ended"
        status = self._zygote.end_host(process.pid)
        for fd in (process.requests, process.answers, process.output):
            with suppress(OSError):
                os.close(fd)
        return _ending(status)

    def _drop_process(self) -> None:
        if self._process:
            self._end_process()

    def _abandon(self) -> None:
        """Let go of everything in a process that was forked: it is the parent's."""
        process, self._process = self._process, None
        if process:
            for fd in (process.requests, process.answers, process.output):
                with suppress(OSError):
                    os.close(fd)
        self._zygote.abandon()
        self._lock = threading.RLock()


class _Zygote:
    """The zygote, started when it is made, and again where it was killed."""

    def __init__(self) -> None:
        self._control: socket.socket | None = None
        self._pid = 0
        self._popen: subprocess.Popen[bytes] | None = None
        self._closer: weakref.finalize[Any, Any] | None = None
        self._start()

    def start_host(self, fds: tuple[int, int, int]) -> int:
        """Start a host with its ends of the pipes; OSError where that can't be."""
        for _ in range(2):
            if self._control is None:
                self._start()
            answer = self._command(b"start", fds)
            if answer and isinstance(answer.get("pid"), int):
                return int(answer["pid"])
            if answer:
                raise OSError(str(answer.get("error")))
        raise OSError("it does not answer")

    def end_host(self, pid: int) -> int | None:
        """End the host; give its status, None where the zygote is gone too."""
        answer = self._command(b"end", ())
        if answer is None:
            # The zygote was killed, most likely by what ran in the host: then so is its group, by us.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            return None
        status = answer.get("status")
        return status if isinstance(status, int) else None

    def close(self) -> None:
        """End it and all below it."""
        if self._closer:
            self._closer()
        self._control = None

    def abandon(self) -> None:
        """Let go of it in a forked process."""
        if self._closer:
            self._closer.detach()
        if self._control:
            self._control.close()
            self._control = None

    def _command(self, message: bytes, fds: tuple[int, ...]) -> dict[str, Any] | None:
        control = self._control
        if control is None:
            return None
        try:
            socket.send_fds(control, [message], list(fds))
            answer = control.recv(4096)
            found = json.loads(answer) if answer else None
        except (OSError, ValueError):
            found = None
        if not isinstance(found, dict):
            self.close()
            return None
        return found

    def _start(self) -> None:
        control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control.settimeout(_START_TIMEOUT_S)
        with other:
            if has_threads():
                self._popen = subprocess.Popen(
                    [sys.executable, "-m", "node.plugin_host", str(other.fileno())],
                    pass_fds=[other.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
                )
                self._pid = self._popen.pid
            else:
                self._pid = fork_zygote(other)
        self._control = control
        self._closer = weakref.finalize(self, _close, control, self._pid, self._popen, os.getpid())


def _close(control: socket.socket, pid: int, popen: subprocess.Popen[bytes] | None, owner: int) -> None:
    control.close()
    if owner != os.getpid():
        return
    if popen:
        try:
            popen.wait(_START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait()
        return
    until = time.monotonic() + _START_TIMEOUT_S
    pause = 0.001
    with suppress(ChildProcessError):
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
            time.sleep(pause)
            pause = min(2 * pause, 0.05)


def _whole(received: bytearray) -> dict[str, Any] | None:
    """Give the answer once it is there whole."""
    (size,) = LENGTH.unpack(received[: LENGTH.size])
    if size > MOST_BYTES:
        raise _BrokenError("wrote what is no answer of the plugin host")
    if len(received) < LENGTH.size + size:
        return None
    try:
        answer = from_body(bytes(received[LENGTH.size :]))
    except FrameError:
        answer = None
    if not isinstance(answer, dict):
        raise _BrokenError("wrote what is no answer of the plugin host")
    return answer


def _ending(status: int | None) -> str:
    if status is None:
        return "killed the plugin host"
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ended its process with status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    # Ours comes after an end that nobody saw: what it listened at was closed.
    return "closed the plugin host's pipes" if name == "SIGKILL" else f"crashed its process ({name})"


_all: weakref.WeakSet[Host] = weakref.WeakSet()
_shared: list[Host] = []


@contextmanager
def lent() -> Iterator[None]:
    """Let a process that is forked in this block ask the hosts, while this one waits for it."""
    hosts = list(_all)
    _shared.extend(hosts)
    try:
        yield
    finally:
        _shared.clear()
        for host in hosts:
            # The other process may have ended it, and have it back with less in it.
            host._drop_process()


def _in_child() -> None:
    for host in list(_all):
        if host in _shared:
            host._owner = os.getpid()
        else:
            host._abandon()


os.register_at_fork(after_in_child=_in_child)
