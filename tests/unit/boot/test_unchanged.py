"""A start with nothing new loads no plugin; whatever is new, or was amiss, is rendered again."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from node.boot import boot as boot_module
from node.boot.places import Places
from node.boot.start import start as start_node
from node.hookspecs import hookimpl
from node.model.state import RenderedFile, State
from node.plugin_manager import Plugins
from tests.unit.boot.test_last_good import Part, failing, hostname, named, part, places, source, store

__all__ = ["places"]

Start = Callable[..., tuple[str, ...]]


class Keeper(Part):
    """One that wants a file kept, too."""

    @hookimpl
    def node_persist_paths(self) -> list[str]:
        return ["/etc/kept.conf"]


@pytest.fixture
def loaded() -> list[str]:
    return []


@pytest.fixture
def start(places: Places, monkeypatch: pytest.MonkeyPatch, loaded: list[str]) -> Start:
    """Starts the node with these plugins in a root made anew; `loaded` grows where they are loaded."""

    def start(**by_name: Callable[[], Part]) -> tuple[str, ...]:
        def load() -> Plugins:
            loaded.append("all")
            plugins = Plugins()
            for name, factory in by_name.items():
                plugins.add(name, factory)
            return plugins

        monkeypatch.setattr(boot_module, "load_plugins", load)
        for path in sorted(places.root.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        (places.root / "var/log").mkdir(parents=True)
        return start_node(places)

    return start


def run_image(places: Places, sha256: str | None) -> None:
    (places.run / "image.json").write_text(json.dumps({"source": "slot", "sha256": sha256}))


def test_what_is_as_it_was_is_not_rendered_again(places: Places, start: Start, loaded: list[str]) -> None:
    run_image(places, "ab" * 32)
    store(places, "node7")
    assert start(network=part(named)) == ()
    assert start(network=part(named)) == ()
    assert loaded == ["all"]
    assert (hostname(places), source(places)) == ("node7", "current")


@pytest.mark.parametrize("new", ["state", "image", "record", "bundle", "unknown image"])
def test_what_is_new_is_rendered(places: Places, start: Start, loaded: list[str], new: str) -> None:
    run_image(places, "ab" * 32)
    store(places, "node7")
    start(network=part(named))
    if new == "state":
        store(places, "node8")
    elif new == "record":
        (places.config / "last-good.json").write_text("{")
    elif new == "bundle":
        (places.run / "plugin-bundle").mkdir()
    else:
        run_image(places, "cd" * 32 if new == "image" else None)
    start(network=part(named))
    assert loaded == ["all", "all"]
    assert hostname(places) == ("node8" if new == "state" else "node7")


def test_what_was_amiss_is_tried_and_told_again(places: Places, start: Start, loaded: list[str]) -> None:
    run_image(places, "ab" * 32)
    store(places, "node7")
    for _ in range(2):
        (alarm,) = start(network=part(named), broken=part(failing))
        assert "no luck" in alarm
    assert loaded == ["all", "all"]
    assert start(network=part(named)) == ()


def test_a_version_of_the_past_is_not_taken_for_the_state(
    places: Places, start: Start, loaded: list[str]
) -> None:
    run_image(places, "ab" * 32)
    store(places, "node7")
    start(network=part(named))
    (places.config / "node.yaml").write_text("torn: [")
    assert start(network=part(named))
    assert start(network=part(named))
    assert loaded == ["all"] * 3


def test_later_files_stand_as_they_did(places: Places, start: Start, loaded: list[str]) -> None:
    def motd(words: str) -> Callable[[State], list[RenderedFile]]:
        return lambda _: [RenderedFile("/etc/motd", words)]

    run_image(places, "ab" * 32)
    store(places, "node7")
    parts = {"network": part(named), "zebra": part(motd("first\n")), "adder": part(motd("last\n"))}
    for _ in range(2):
        start(**parts)
        assert (places.root / "etc/motd").read_text() == "last\n"
    assert loaded == ["all"]


def test_declared_paths_are_kept_all_the_same(
    places: Places, start: Start, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def restore(*_: object, declared: object, **__: object) -> tuple[str, ...]:
        asked.append(declared)
        return ()

    monkeypatch.setattr("node.persist.kept.restore", restore)
    run_image(places, "ab" * 32)
    store(places, "node7")
    for _ in range(2):
        start(network=lambda: Keeper(named))
    assert loaded == ["all"]
    assert asked == [{"network": ("/etc/kept.conf",)}] * 2


def test_a_record_without_a_network_is_not_enough(places: Places, start: Start, loaded: list[str]) -> None:
    run_image(places, "ab" * 32)
    store(places, "node7")
    start(network=part(named))
    path = places.config / "last-good.json"
    record = json.loads(path.read_text())
    record["plugins"] = {
        "network": [one for one in record["plugins"]["network"] if "netplan" not in one["path"]]
    }
    path.write_text(json.dumps(record))
    assert start(network=part(named)) == ()
    assert loaded == ["all", "all"]
