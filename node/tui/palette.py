"""The few kinds of text on a screen and how each looks: in eight colours, and without any."""

from __future__ import annotations

# Attribute -> SGR parameters (ECMA-48, 8.3.117). Eight colours, since that is what a VGA console, a serial
# terminal and everything newer have alike; meaning never hangs on a colour alone.
COLOUR: dict[str | None, str] = {
    None: "0",
    "head": "0;37;44;1",
    "foot": "0;30;47",
    "key": "0;30;47;1",
    "title": "0;1",
    "dim": "0;36",
    "label": "0",
    "field": "0;37;44",
    "focus": "0;30;46",
    "button": "0;30;47",
    "fixed": "0;36",
    "problem": "0;31;1",
    "warning": "0;33;1",
    "good": "0;32;1",
    "danger": "0;37;41;1",
    "dialog": "0;30;47",
    "bar1": "0;37;44",
    "bar2": "0;30;46",
    "bar3": "0;30;42",
    "bar4": "0;30;43",
    "bar5": "0;37;45",
    "done": "0;37;44;1",
    "qr": "0;37;40",
}
MONO: dict[str | None, str] = {
    None: "0",
    "head": "0;7",
    "foot": "0;7",
    "key": "0;7;1",
    "title": "0;1",
    "dim": "0",
    "label": "0",
    "field": "0;4",
    "focus": "0;7",
    "button": "0;1",
    "fixed": "0",
    "problem": "0;1",
    "warning": "0;1",
    "good": "0;1",
    "danger": "0;7;1",
    "dialog": "0",
    "bar1": "0;7",
    "bar2": "0",
    "bar3": "0;7",
    "bar4": "0",
    "bar5": "0;7",
    "done": "0;7",
}


def sgr(attribute: object, *, colour: bool) -> str:
    """Give the escape sequence that switches to an attribute; plain for one that is not in the list."""
    table = COLOUR if colour else MONO
    return f"\x1b[{table.get(attribute if isinstance(attribute, str) else None, '0')}m"
