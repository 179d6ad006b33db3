"""Spans of time on the command line: 90s, 15m, 12h, 7d."""

from __future__ import annotations

import re
from datetime import timedelta

import click

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
# Ten years: longer is a mistake, and a date must not leave the calendar.
_LONGEST = timedelta(days=3653)


def span(text: str) -> timedelta:
    """Read a number and its unit, as a type of click's options; above zero."""
    match = re.fullmatch(r"(\d{1,9})([smhd])", text.strip())
    if match is None:
        raise click.BadParameter(f"{text!r} is not a span of time as 90s, 15m, 12h or 7d")
    found = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if not timedelta() < found <= _LONGEST:
        raise click.BadParameter(f"{text!r} is not between 1s and 3653d")
    return found
