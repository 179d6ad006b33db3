"""What of its process a plugin may not change: noticed after each call, and put back where that can be."""

from __future__ import annotations

import locale
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import Any

# What other plugins and the host itself build upon; a patch of these would be everybody's.
_WATCHED = ("node.model.", "node.hookspecs", "node.errors")
# A class that had none of these gets another nature by one.
_MAKING = ("__init__", "__new__", "__setattr__", "__getattribute__", "__eq__")


class Surroundings:
    """The process as it was when the host began."""

    def __init__(self) -> None:
        self._folder = os.getcwd()  # noqa: PTH109 - a text, to compare
        self._mask = _umask()
        self._locale = locale.setlocale(locale.LC_ALL)
        self._environment = dict(os.environ)
        self._path = list(sys.path)
        self._limit = sys.getrecursionlimit()
        self._watched = [(name, vars_, dict(vars_())) for name, vars_ in _watched()]
        self._threads = threading.active_count()

    def put_back(self) -> tuple[str, ...]:
        """Put back what was changed and say what that was."""
        changed = []
        with suppress(OSError):
            if os.getcwd() != self._folder:  # noqa: PTH109 - as above
                os.chdir(self._folder)
                changed.append("the working directory")
        if (mask := _umask()) != self._mask:
            os.umask(self._mask)
            changed.append(f"the umask to {mask:04o}")
        if locale.setlocale(locale.LC_ALL) != self._locale:
            locale.setlocale(locale.LC_ALL, self._locale)
            changed.append("the locale")
        if dict(os.environ) != self._environment:
            os.environ.clear()
            os.environ.update(self._environment)
            changed.append("the environment")
        if sys.getrecursionlimit() != self._limit:
            sys.setrecursionlimit(self._limit)
            changed.append("the recursion limit")
        if threading.active_count() > self._threads:
            # It can't be stopped; named once, since it will be there at each call.
            self._threads = threading.active_count()
            changed.append("the process by a thread that goes on")
        return tuple(changed)

    def patched(self) -> str:
        """Name what of our own code was replaced, "" where nothing was: the host is of no more use then."""
        for number, (name, now, before) in enumerate(self._watched):
            if now() == before:  # by identity, and in C
                continue
            for key, value in before.items():
                if callable(value) and now().get(key) is not value:
                    return f"{name}.{key}"
            if any(key not in before and key in _MAKING for key in now()):
                return name
            # A cache, or what pydantic adds to a class when it is first used.
            self._watched[number] = (name, now, dict(now()))
        return ""


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _watched() -> Iterator[tuple[str, Callable[[], Mapping[str, Any]]]]:
    """Give modules and their classes by name, with what gives their names."""
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith(_WATCHED) and isinstance(module, ModuleType):
            yield module_name, partial(vars, module)
            for key, value in vars(module).items():
                if isinstance(value, type) and value.__module__ == module_name:
                    yield f"{module_name}.{key}", partial(vars, value)
