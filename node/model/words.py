"""Lists in the answers that may be given as one text, as kernel arguments and old profiles write them."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator


def _words(value: Any) -> Any:
    return (
        tuple(re.split(r"[,\s]+", value.strip())) if isinstance(value, str) and value.strip() else value or ()
    )


def _lines(value: Any) -> Any:
    return (
        tuple(line for line in value.splitlines() if line.strip()) if isinstance(value, str) else value or ()
    )


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
"""`a,b c` is a list of three."""

Lines = Annotated[tuple[str, ...], BeforeValidator(_lines)]
"""A text of several lines is a list of those that are not empty."""
