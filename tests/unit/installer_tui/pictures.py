"""The screens in docs/installing.md: `python -m tests.unit.installer_tui.pictures` draws them anew."""

from __future__ import annotations

import os
import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs/installing.md"
# <!-- screen: NAME --> and the block behind it.
_PICTURE = re.compile(r"(<!-- screen: (?P<name>[^>]+?) -->\n\n)(?:    .*\n|\n)*")


def drawn(text: str) -> str:
    """Give a page with its screens as they are now, 80 by 24, in English."""
    from node import locale
    from tests.unit.installer_tui.test_goldens import SCREENS

    def draw(match: re.Match[str]) -> str:
        locale.use("en")
        lines = SCREENS[match["name"]]().lines()
        return match[1] + "".join(f"    {line}".rstrip() + "\n" for line in lines) + "\n"

    return _PICTURE.sub(draw, text)


if __name__ == "__main__":
    os.environ["NODECRUST_PLUGINS"] = ""
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
