"""Plugins that misbehave, given to an image: each is named with its version, and no image comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.image.conftest import node_image
from tests.plugins.misbehaving import BAD, Bad
from tests.plugins.site import GOOD, as_wheel

# What hurts nobody: said on a node, and no reason to refuse.
UNTIDY = {"starts-threads", "moves", "changes-arguments"}
# Its metadata says it, and before it was looked at no other is.
FIRST = {"of-tomorrow"}
# Waited for a minute.
SLOW = {"hang-import"}
NO_IMPORT = {"broken", "crashes-at-import", "exits-at-import", "not-there"}


def write(bad: Bad, folder: Path) -> Path:
    return as_wheel(bad.name, bad.code, keywords=bad.keywords).write(folder)


def refused(aos: Path, folder: Path, names: set[str]) -> str:
    """Give what add-plugin says of these, the good one beside them."""
    given = [as_wheel("good", GOOD).write(folder)]
    given += [write(bad, folder) for bad in BAD if bad.name in names]
    outcome = node_image("add-plugin", aos, *given, "--output", folder / "out")
    assert outcome.status == 2, outcome.stderr
    assert not (folder / "out").exists()
    assert "Traceback" not in outcome.stderr
    return outcome.stderr


def test_all_at_once_are_named(aos: Path, tmp_path: Path) -> None:
    said = refused(aos, tmp_path, NO_IMPORT)
    assert all(f"{name}-dist 1.0 (" in said for name in NO_IMPORT)
    assert "crashed (SIGSEGV)" in said
    rest = {bad.name for bad in BAD} - NO_IMPORT - FIRST - SLOW
    said = refused(aos, tmp_path, rest)
    assert {name for name in rest if f"{name}-dist 1.0 (" in said} == rest - UNTIDY
    assert "good-dist" not in said


@pytest.mark.soak
@pytest.mark.parametrize("bad", BAD, ids=[bad.name for bad in BAD])
def test_each_alone(aos: Path, tmp_path: Path, bad: Bad) -> None:
    outcome = node_image("add-plugin", aos, write(bad, tmp_path), "--output", tmp_path / "out")
    taken = bad.name in UNTIDY
    assert outcome.status == (0 if taken else 2), outcome.stderr
    assert (tmp_path / "out").exists() == taken
    assert taken or f"{bad.name}-dist 1.0 (" in outcome.stderr
    assert "Traceback" not in outcome.stderr
