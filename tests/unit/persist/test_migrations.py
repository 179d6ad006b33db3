"""Old states are brought up to date by pure steps; new ones are refused in words."""

from __future__ import annotations

import dataclasses
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from node.model.state import STATE_VERSION
from node.persist.document import BrokenStateError, FutureStateError, state_from_text, state_to_text
from node.persist.migrations import CORE, FutureVersionError, MigrationError, migrate_core, migration

GOLDEN = Path(__file__).parent / "golden"

# What two images after this one might do.
STEPS = {
    1: lambda document: {**document, "sections": {**document["sections"], "time": {"zone": "UTC"}}},
    2: lambda document: {key: value for key, value in document.items() if key != "install"},
}


def test_every_version_of_the_state_has_its_golden_file_and_its_step() -> None:
    versions = range(1, STATE_VERSION + 1)
    assert sorted(GOLDEN.glob("state-*.yaml")) == [GOLDEN / f"state-{version}.yaml" for version in versions]
    assert sorted(CORE) == list(versions)[:-1]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("state-*.yaml")), ids=lambda path: path.stem)
def test_a_state_of_any_version_reads_as_it_always_did(path: Path) -> None:
    state = state_from_text(path.read_text())
    assert dataclasses.asdict(state) == json.loads(path.with_suffix(".json").read_text())
    assert state_from_text(state_to_text(state)) == state


def test_a_document_goes_through_every_step_in_order_and_the_old_one_stays() -> None:
    old = {"version": 1, "install": {"id": "1"}, "sections": {"network": {"hostname": "n"}}}
    before = deepcopy(old)
    assert migrate_core(old, steps=STEPS, newest=3) == {
        "version": 3,
        "sections": {"network": {"hostname": "n"}, "time": {"zone": "UTC"}},
    }
    assert old == before
    assert migrate_core(old, steps=STEPS, newest=1) is old


def test_a_step_that_is_missing_or_fails_is_an_error_in_words() -> None:
    with pytest.raises(MigrationError, match="nothing brings a state of version 3"):
        migrate_core({"version": 1, "sections": {}}, steps=STEPS, newest=4)
    with pytest.raises(MigrationError, match="version 1 could not be brought") as caught:
        migrate_core({"version": 1}, steps=STEPS, newest=3)
    assert caught.value.details == "KeyError"


def test_a_newer_document_is_refused() -> None:
    with pytest.raises(FutureVersionError, match="version 4; this image knows 3") as caught:
        migrate_core({"version": 4}, steps=STEPS, newest=3)
    assert "stays as it is" in caught.value.mend


def ask(section: str, values: Any, version: int) -> Any:
    return {**values, f"v{version + 1}": True} if section == "lamp" else None


def document(**versions: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "sections": {"lamp": {"on": True}, "foreign": {"x": 1}},
        "section_versions": versions,
    }


def test_sections_have_versions_of_their_own() -> None:
    migrate = migration({"lamp": 3, "later": 2, "plain": 1}, ask)
    # "foreign" belongs to a plugin that this image lacks; "later" is not set yet.
    assert migrate(document(lamp=2, foreign=7)) == {
        "version": 1,
        "sections": {"lamp": {"on": True, "v3": True}, "foreign": {"x": 1}},
        "section_versions": {"lamp": 3, "foreign": 7, "later": 2},
    }
    assert migrate(document())["sections"]["lamp"] == {"on": True, "v2": True, "v3": True}
    assert migrate(migrate(document())) == migrate(document())


@pytest.mark.parametrize(
    ("versions", "stored", "words"),
    [
        ({"foreign": 2}, {}, "nothing brings section 'foreign' of version 1"),
        ({"lamp": 2}, {"lamp": "two"}, "the version of section 'lamp' is not a number"),
        ({"lamp": 2}, {"lamp": 0}, "the version of section 'lamp' is not a number"),
    ],
)
def test_a_section_that_can_not_be_brought_up_to_date_makes_a_broken_state(
    versions: dict[str, int], stored: dict[str, Any], words: str
) -> None:
    with pytest.raises(BrokenStateError, match=words):
        state_from_text(json.dumps(document(**stored)), migrate=migration(versions, ask))


def test_a_section_from_the_future_makes_a_state_from_the_future() -> None:
    with pytest.raises(FutureStateError, match="section 'lamp' of the state has version 4"):
        state_from_text(json.dumps(document(lamp=4)), migrate=migration({"lamp": 2}, ask))


def test_versions_of_sections_are_stored_only_beyond_the_first() -> None:
    state = state_from_text(json.dumps(document()), migrate=migration({"lamp": 2}, ask))
    assert state.section_versions == {"lamp": 2}
    assert state_from_text(state_to_text(state)) == state
    assert "section_versions" not in state_to_text(dataclasses.replace(state, section_versions={}))
