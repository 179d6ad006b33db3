"""Finds out what a node is to be: the stored state, brought up to date and checked, or what stands in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from node.boot.image_facts import runs_from_slot
from node.errors import NodeError
from node.model.answers import Section, SectionModel, sections_by_key
from node.model.state import State
from node.persist.store import BrokenStateError, FutureStateError, StoredState, read_state
from node.plugin_manager import Plugins
from node.system.time_limit import time_limit

READING_TIMEOUT_S = 8.0
# node.plugins.state writes it, last of all.
INSTALLS_FILE = "installs.json"


@dataclass(frozen=True)
class Found:
    """A state to be rendered, None where the node has none at all; `alarms` say what is wrong with it.

    `usable` is false where the state stands in for one that can't be used: what the last good start had is
    better than that, wherever CONFIG remembers it.
    """

    state: State | None
    source: str = "none"
    alarms: tuple[str, ...] = ()
    usable: bool = True


def find_state(config: Path, plugins: Plugins, *, run: Path | None = None) -> Found:
    """Read the state of CONFIG. A broken one counts as a default one, not as none: the node is installed.

    `run` is where the initrd left word of what it mounted: a node on its own disk had a state.
    """

    def check(state: State) -> None:
        check_sections(state, sections_by_key(_sections(plugins)))

    try:
        with time_limit(READING_TIMEOUT_S):
            stored = read_state(config, migrate=plugins.migrate, check=check)
    except FutureStateError as error:
        return _newer_than_image(error)
    except BrokenStateError as error:
        details = f" ({error.details})" if error.details else ""
        return Found(State(), "defaults", (f"{error.brief}{details}",), usable=False)
    except Exception as error:
        # Whatever it is, the node comes up.
        return Found(State(), "defaults", (f"the state could not be read: {error}",), usable=False)
    if stored is None:
        return _none(config, run)
    return Found(stored.state, stored.source, stored.warnings)


def check_sections(state: State, models: dict[str, type[SectionModel]]) -> None:
    """Refuse, by NodeError, a state with a section that its model refuses; values are never repeated."""
    wrong = []
    for key, values in state.sections.items():
        if key in models:
            try:
                models[key].model_validate(values)
            except ValueError:
                wrong.append(key)
    if wrong:
        raise NodeError(f"{'section' if len(wrong) == 1 else 'sections'} {', '.join(wrong)}")


def _sections(plugins: Plugins) -> list[Section]:
    given = [section for answered in plugins.call("node_sections") for section in answered.value or ()]
    return [section for section in given if isinstance(section, Section)]


def _none(config: Path, run: Path | None) -> Found:
    """Tell a node that never had a state from one that lost it."""
    # The record of an installation is written after its state.
    if (config / INSTALLS_FILE).exists() or (run and _is_own_disk(run)):
        return Found(State(), "defaults", ("CONFIG holds no configuration any more",), usable=False)
    return Found(None)


def _is_own_disk(run: Path) -> bool:
    """Whether the root came from a slot, and CONFIG, which is there, is of the same disk."""
    return runs_from_slot(run) and (run / "config-device").exists()


def _newer_than_image(error: FutureStateError) -> Found:
    words = f"{error.brief}; it is left as it is (nodectl config rollback --replace-newer gives it up)"
    fallback: StoredState | None = error.fallback
    if fallback is None:
        return Found(State(), "defaults", (words,), usable=False)
    return Found(fallback.state, fallback.source, (words,), usable=False)
