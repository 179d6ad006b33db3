"""The boundary around a page: what it raises is logged with a reference, and a calm page stands instead."""

from __future__ import annotations

import hashlib
import logging
import traceback
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import urwid

from node.model.mask import mask_hashes

_log = logging.getLogger(__name__)
_noted: deque[str] = deque(maxlen=200)


def reference_of(error: BaseException) -> str:
    """Give a short reference of a fault: the same fault has the same one on every machine."""
    frames = [f"{Path(f.filename).name}:{f.name}" for f in traceback.extract_tb(error.__traceback__)]
    return hashlib.sha256("|".join([type(error).__name__, *frames]).encode()).hexdigest()[:8]


def note_crash(error: BaseException) -> str:
    """Write a fault with its traceback to the log; give its reference."""
    reference = reference_of(error)
    _log.error("reference %s", reference, exc_info=error)
    words = mask_hashes("".join(traceback.format_exception(error)))
    _noted.extend([f"reference {reference}", *words.splitlines()])
    return reference


def noted() -> tuple[str, ...]:
    """Give the last lines of the faults of this process, for a screen whose log is no file."""
    return tuple(_noted)


class Boundary(urwid.WidgetWrap):
    """Shows a widget; when that raises, it is replaced for good by what `calm` makes of the reference."""

    # A page that failed once must not be asked again to draw itself.
    no_cache = ("render",)

    def __init__(self, widget: Any, calm: Callable[[str], Any]) -> None:
        super().__init__(widget)
        self._calm = calm

    def selectable(self) -> bool:
        """Keys always come here, so that there is always a way on."""
        return True

    def render(self, size: tuple[int, ...], focus: bool = False) -> Any:
        """Draw the page, or the calm one."""
        try:
            return urwid.CompositeCanvas(self._w.render(size, focus))
        except Exception as error:
            self._fall(error)
            return urwid.CompositeCanvas(self._w.render(size, focus))

    def keypress(self, size: tuple[int, ...], key: str) -> str | None:
        """Hand a key on; a key that fails is no key."""
        try:
            left: str | None = self._w.keypress(size, key) if self._w.selectable() else key
        except Exception as error:
            self._fall(error)
            return None
        return left

    def _fall(self, error: Exception) -> None:
        self._w = self._calm(note_crash(error))
