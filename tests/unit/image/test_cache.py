"""A layer is there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from image.cache import ENTRIES_KEPT, Cache, cache_root, key_of


def test_keys_are_the_same_on_any_machine() -> None:
    assert key_of(["a", {"b": 1, "a": (1, 2)}]) == key_of(["a", {"a": [1, 2], "b": 1}])
    assert key_of(["a"]) != key_of(["b"])
    assert key_of([]) == "4f53cda18c2baa0c0354bb5f9a3ecbe5"


def test_an_entry_appears_when_it_is_done(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with cache.making("layer", "k") as folder:
        (folder / "file").write_text("x")
        assert cache.find("layer", "k") is None
    found = cache.find("layer", "k")
    assert found is not None
    assert (found / "file").read_text() == "x"


def test_a_failed_one_never_appears(tmp_path: Path) -> None:
    cache = Cache(tmp_path)

    def fail() -> None:
        with cache.making("layer", "k") as folder:
            (folder / "file").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert cache.find("layer", "k") is None
    assert list((tmp_path / "layer").iterdir()) == []


def test_what_a_killed_build_left_is_swept(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    (tmp_path / "layer/.partial-dead").mkdir(parents=True)
    (tmp_path / "layer/.partial-dead/file").write_text("half")
    with cache.making("layer", "one"), cache.making("layer", "two"):
        # The first one is being made still, and must not be taken for a dead one's.
        assert len(list((tmp_path / "layer").glob(".partial-*"))) == 2
    assert sorted(path.name for path in (tmp_path / "layer").iterdir()) == ["one", "two"]


def test_the_entries_used_last_are_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for number in range(ENTRIES_KEPT):
        with cache.making("layer", str(number)):
            pass
        os.utime(tmp_path / "layer" / str(number), (number, number))
    assert cache.find("layer", "0")  # used just now
    with cache.making("layer", "new"):
        pass
    assert cache.find("layer", "1") is None
    assert cache.find("layer", "0")
    assert cache.find("layer", "new")


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODECRUST_CACHE", "/x/y")
    assert cache_root() == Path("/x/y")
    monkeypatch.delenv("NODECRUST_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    assert cache_root() == Path("/c/nodecrust")
