"""Plugins from outside, made as distributions in a folder on the path; processes are started."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.installer.contributions import PluginTalk
from node.plugin_host import host
from node.plugin_manager import Plugins
from tests.plugins.site import Site


@pytest.fixture(autouse=True)
def _no_log_of_others() -> Iterator[None]:
    """A command that is run here leaves no handler behind that would write for tests of another room."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delenv("NODECRUST_PLUGINS", raising=False)
    return Site(folder)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits five seconds for each that hangs."""
    monkeypatch.setattr(host, "CALL_TIMEOUT_S", 2.0)
    monkeypatch.setattr(host, "IMPORT_TIMEOUT_S", 2.0)


class Loader:
    def __init__(self) -> None:
        self.made: list[Plugins] = []

    def __call__(self) -> Plugins:
        plugins = Plugins()
        self.made.append(plugins)
        plugins.load()
        return plugins

    def talk(self) -> PluginTalk:
        return PluginTalk(self())


@pytest.fixture
def load(soon: None) -> Iterator[Loader]:
    loader = Loader()
    yield loader
    for plugins in loader.made:
        plugins.close()
