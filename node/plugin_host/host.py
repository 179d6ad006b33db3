"""The caller's end of the plugin host: asks it, watches the clock, has it back without whoever broke it."""

from __future__ import annotations

import logging
import os
import signal
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from node.plugin_host.channel import BrokenError, Channel
from node.plugin_host.finding import Outside
from node.plugin_host.frames import FrameError
from node.plugin_host.words import shown
from node.plugin_host.zygote_handle import ZygoteHandle

_log = logging.getLogger(__name__)

IMPORT_TIMEOUT_S = 5.0
CALL_TIMEOUT_S = 5.0


class OutsideError(Exception):
    """A plugin could not be asked, or failed; in words. `lost` says that it is out of the host for good.

    `said` are the last lines that it printed, a traceback most often.
    """

    def __init__(self, words: str, *, lost: bool = False, said: tuple[str, ...] = ()) -> None:
        super().__init__(words)
        self.words = words
        self.lost = lost
        self.said = said


@dataclass
class Answer:
    """What the host answered: `ok`, and what was noticed besides."""

    ok: Any
    noted: tuple[str, ...] = ()


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
        self._channel: Channel | None = None
        self._owner = os.getpid()
        self._zygote = ZygoteHandle()
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

    def rest(self) -> None:
        """End the host, with all that its plugins started, until one of them is asked again."""
        with self._lock:
            if self._owner == os.getpid():
                self._end_process()

    def close(self) -> None:
        """End the host and its zygote, with all that they started."""
        with self._lock:
            self._end_process()
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
                answer = self._channel_there().exchange(request, timeout_s)
            except BrokenError as error:
                said = self._said()
                how = self._end_process()
                self.forget(plugin)
                words = f"{str(error) or how} in {during}{f' ({said[-1]})' if said else ''}"
                raise OutsideError(words, lost=True, said=said) from None
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
            if self._channel:
                self._channel.send_arguments_anew()
            words = f"failed in {during}: {shown(str(answer['failed']), 500)}"
            raise OutsideError(words, said=self._said())
        noted = tuple(f"changed {shown(str(one), 100)} in {during}" for one in answer.get("noted") or ())
        return Answer(answer.get("ok"), noted)

    def _said(self) -> tuple[str, ...]:
        return self._channel.said() if self._channel else ()

    def _ensure(self, but: str = "") -> None:
        """Have a host with all plugins that are loaded; one that can't be loaded again is lost."""
        while self._channel is None:
            self._channel = self._start()
            for name, plugin in list(self._loaded.items()):
                if name == but:
                    continue
                try:
                    self._load_again(plugin)
                except BrokenError as error:
                    how = self._end_process()
                    self.forget(name)
                    self._on_lost(name, f"{str(error) or how} when it was loaded again")
                    break

    def _load_again(self, plugin: Outside) -> None:
        request = {"do": "load", "plugin": plugin.name, "value": plugin.value}
        answer = self._channel_there().exchange(request, IMPORT_TIMEOUT_S)
        if plugin.name in self._with_sections and "failed" not in answer:
            again = {"do": "call", "plugin": plugin.name, "hook": "node_sections", "arguments": {}}
            answer = self._channel_there().exchange(again, CALL_TIMEOUT_S)
        if "failed" in answer:
            self.forget(plugin.name)
            words = shown(str(answer["failed"]), 500)
            self._on_lost(plugin.name, f"failed when it was loaded again: {words}")

    def _start(self) -> Channel:
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
        return Channel(pid, requests, answers, output)

    def _channel_there(self) -> Channel:
        if self._channel is None:
            raise BrokenError("the plugin host is not there")
        return self._channel

    def _end_process(self) -> str:
        """End the host; say how it had ended where it had by itself."""
        channel, self._channel = self._channel, None
        if channel is None:
            return "it ended"
        status = self._zygote.end_host(channel.pid)
        channel.close()
        return _ending(status)

    def _abandon(self) -> None:
        """Let go of everything in a process that was forked: it is the parent's."""
        channel, self._channel = self._channel, None
        if channel:
            channel.close()
        self._zygote.abandon()
        self._lock = threading.RLock()


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
            host._end_process()


def _in_child() -> None:
    for host in list(_all):
        if host in _shared:
            host._owner = os.getpid()
        else:
            host._abandon()


os.register_at_fork(after_in_child=_in_child)
