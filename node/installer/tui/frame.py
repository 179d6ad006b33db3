"""What stands around every page: its title, what keys do, who drives."""

from __future__ import annotations

from typing import Any

import urwid

from node.installer.tui.screens import Screens
from node.locale import _
from node.tui.terminal import Look

_MARGIN, _LINES = 1, 3


def inside(size: tuple[int, int]) -> tuple[int, int]:
    """Give the size that a page has on a screen of this size."""
    return size[0] - 2 * _MARGIN, size[1] - _LINES


def frame(screens: Screens, look: Look, size: tuple[int, int], *, follows: str = "") -> Any:
    """Give the whole screen as a widget; `follows` names the console that drives, where it is another."""
    body = urwid.Padding(screens.body(inside(size)), left=_MARGIN, right=_MARGIN)
    head = urwid.Pile([_head(screens, size[0]), urwid.Divider()])
    return urwid.Frame(body, header=head, footer=_foot(screens, look, follows))


def _foot(screens: Screens, look: Look, follows: str) -> Any:
    if follows:
        words = _("This console follows {name}. {key} takes over here.").replace("{name}", follows)
        key = "Esc 4" if look.fingers else "F4"
        return urwid.AttrMap(urwid.Text(f" {words.replace('{key}', key)}", wrap="clip"), "danger")
    if screens.message:
        return urwid.AttrMap(urwid.Text(f" {screens.message}", wrap="ellipsis"), "danger")
    names = {"1": _("Help"), "2": _("Shell"), "8": _("Log"), "10": _("Summary")}
    pieces: list[Any] = []
    for number, words in names.items():
        key = f"Esc {number[-1]}" if look.fingers else f"F{number}"
        pieces += [("key", f" {key}"), ("foot", f" {words} ")]
    pieces += [("key", " Esc"), ("foot", f" {_('Back')} ")]
    return urwid.AttrMap(urwid.Text(pieces, wrap="clip"), "foot")


def _head(screens: Screens, columns: int) -> Any:
    left = f" Nodecrust  {screens.title}"
    demo = _("DEMONSTRATION") if screens.effects.demo else ""
    right = " ".join(part for part in (demo, screens.place) if part)
    gap = max(1, columns - len(left) - len(right) - 1)
    return urwid.AttrMap(urwid.Text(f"{left}{' ' * gap}{right} ", wrap="clip"), "head")
