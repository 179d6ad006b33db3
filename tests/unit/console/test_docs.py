"""docs/console.md shows the screens as they are; `python -m tests.unit.console.test_docs` writes them."""

from __future__ import annotations

import re
import tempfile
import textwrap
from pathlib import Path

from node.locale import use
from tests.unit.console.desk import Operator

PAGE = Path(__file__).parents[3] / "docs/console.md"
_SCREEN = re.compile(r"<!-- screen: (\w+) -->\n(?:\n(?: {4}.*\n|\n)*)?", re.MULTILINE)


def screens(folder: Path) -> dict[str, str]:
    use("en")
    operator = Operator(folder)
    found = {"status": operator.picture}
    operator.log_in().page("network").press("enter", *["tab"] * 5, "ctrl u").type("192.0.2.99/24")
    operator.press(*["tab"] * 6, "enter", "enter")
    found["trial"] = operator.picture
    return found


def page(text: str, folder: Path) -> str:
    shown = screens(folder)

    def screen(match: re.Match[str]) -> str:
        lines = textwrap.indent(shown[match[1]].rstrip("\n") + "\n", "    ")
        return f"<!-- screen: {match[1]} -->\n\n{lines}\n"

    return _SCREEN.sub(screen, text)


def test_the_page_shows_the_screens_as_they_are(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text, tmp_path)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), Path(scratch)), encoding="utf-8")
