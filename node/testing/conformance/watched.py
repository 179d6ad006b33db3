"""A plugin whose hooks are watched: their time, what they reach for, whether they change what they get."""

from __future__ import annotations

import functools
import inspect
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from node.hookspecs import PROJECT
from node.model.answers import Answers
from node.model.inventory import Inventory
from node.system.time_limit import TooLongError, time_limit
from node.testing.guard import PROCESSES, SOCKETS, ForbiddenEffectError, guarded

# docs/hooks.md: what boot gives a plugin; planning must not be slower.
CALL_LIMIT_S = 5.0
# A call is ended only after this: a builder that is busy with other things is no fault of the plugin.
_END_S = 30.0
# What a running node tells of itself may be asked of programs and of daemons on it.
_RUNNING = ("node_probe", "node_health_checks", "node_status_panels")


@dataclass
class Watch:
    """What was seen. `faults` are in words, each once; `doing` is told before each call."""

    doing: Callable[[str], None] = lambda _: None
    faults: dict[str, None] = field(default_factory=dict)
    longest_s: dict[str, float] = field(default_factory=dict)
    called: dict[str, int] = field(default_factory=dict)

    def fault(self, words: str) -> None:
        """Note what is wrong."""
        self.faults[words] = None


def watched(plugin: Any, watch: Watch) -> SimpleNamespace:
    """Give a plugin of the same hooks, each of which is watched."""
    hooks = {
        name: _watched(name, getattr(plugin, name), watch)
        for name in dir(plugin)
        if getattr(getattr(plugin, name, None), f"{PROJECT}_impl", None)
    }
    return SimpleNamespace(**hooks)


def _watched(name: str, hook: Any, watch: Watch) -> Any:
    allowed = frozenset({PROCESSES, SOCKETS} if name in _RUNNING else ())

    @functools.wraps(hook)
    def call(*given: Any, **named: Any) -> Any:
        watch.doing(name)
        arguments = inspect.signature(hook).bind(*given, **named).arguments
        before = _texts(arguments)
        caught: list[str] = []
        began = time.monotonic() - _kept_waiting_s()
        try:
            with guarded(allowed=allowed, temporary=False, caught=caught), time_limit(_END_S):
                value = hook(*given, **named)
                if inspect.isgenerator(value):
                    value = tuple(value)
        except ForbiddenEffectError:
            value = None
        except TooLongError:
            value = None
        except (Exception, SystemExit) as error:
            watch.fault(f"{name} raised {type(error).__name__}: {error}")
            value = None
        finally:
            took_s = time.monotonic() - _kept_waiting_s() - began
            if took_s > CALL_LIMIT_S:
                watch.fault(f"{name} took longer than {CALL_LIMIT_S:.0f} s")
            watch.longest_s[name] = max(watch.longest_s.get(name, 0.0), took_s)
            watch.called[name] = watch.called.get(name, 0) + 1
        for words in caught:
            watch.fault(f"{name} reached for the machine: {words}")
        if _texts(arguments) != before:
            watch.fault(f"{name} changed what it was given")
        return value

    return call


def _kept_waiting_s() -> float:
    """Give how long this process was ready and got no processor (proc(5), schedstat, the second number)."""
    try:
        return int(Path("/proc/self/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _texts(arguments: Mapping[str, Any]) -> str:
    found = {}
    for key, value in arguments.items():
        if isinstance(value, Inventory):
            found[key] = value.to_json()
        elif isinstance(value, Answers):
            found[key] = json.dumps({name: each.model_dump_json() for name, each in value.sections.items()})
        else:
            found[key] = repr(value)
    return json.dumps(found, sort_keys=True)
