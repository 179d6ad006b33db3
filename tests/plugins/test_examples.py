"""The examples: their own tests, and the conformance run that a vendor would make of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.plugins.test_writing_plugins import ROOT, run

EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/pyproject.toml"))


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_its_own_tests_pass(folder: Path) -> None:
    run("python -m pytest -q -p no:cacheprovider", folder)


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_it_conforms(folder: Path) -> None:
    programs = "--programs tests/programs.yaml" if (folder / "tests/programs.yaml").exists() else ""
    report = json.loads(
        run(f"nodectl plugins check . --answers tests/answers.yaml {programs} --json", folder)
    )
    assert report["passed"], report
    assert [one for one in report["checks"] if one["outcome"] == "degraded"] == []


def test_the_list_names_each() -> None:
    text = (ROOT / "examples/README.md").read_text(encoding="utf-8")
    assert [folder.name for folder in EXAMPLES if f"({folder.name}/README.md)" not in text] == []
    assert [folder.name for folder in EXAMPLES] == [
        "burn-in", "extra-facts", "raid-controller", "vendor-network"
    ]  # fmt: skip
