"""Every page is found from the README, and no page points at what isn't there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def links(page: Path) -> set[Path]:
    found = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    return {(page.parent / link).resolve() for link in found}


def test_the_readme_names_every_page():
    named = links(ROOT / "README.md")
    missing = [page.name for page in (ROOT / "docs").glob("*.md") if page.resolve() not in named]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path):
    assert [link for link in links(page) if not link.exists()] == []
