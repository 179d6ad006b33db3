"""Asks every plugin for its files of /etc, each within its time."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from node.model.state import RenderedFile, State
from node.plugin_manager import Plugins

PLUGIN_TIMEOUT_S = 5.0
LOADING_TIMEOUT_S = 12.0


class TooLongError(Exception):
    """A plugin that was given its time and took more."""


@dataclass(frozen=True)
class Rendering:
    """The files of all plugins, and what went wrong, in words that name the plugin."""

    files: tuple[RenderedFile, ...]
    failures: tuple[str, ...]

    @property
    def has_network(self) -> bool:
        """Whether the node would have a network configuration of its own."""
        return any(file.path.startswith("/etc/netplan/") for file in self.files)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooLongError in the block after `seconds`, and every second from then on for who swallows it."""

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise TooLongError(f"it took longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def load_plugins() -> Plugins:
    """Load all plugins; one that hangs on import is left out and named like one that fails."""
    plugins = Plugins()
    with time_limit(LOADING_TIMEOUT_S):
        plugins.load()
    return plugins


def render(plugins: Plugins, state: State) -> Rendering:
    """Call `node_render` plugin by plugin. One that fails costs its own files only."""
    files: list[RenderedFile] = []
    failures: list[str] = []
    for name in plugins.names():
        try:
            files += _rendered_by(plugins, name, state)
        except Exception as error:
            failures.append(f"plugin {name}: {error}")
    failures += [f"{problem.where}: {problem.what}" for problem in plugins.problems]
    return Rendering(tuple(files), tuple(failures))


def _rendered_by(plugins: Plugins, name: str, state: State) -> list[RenderedFile]:
    files: list[RenderedFile] = []
    with time_limit(PLUGIN_TIMEOUT_S):
        for answered in plugins.call("node_render", only=name, state=state, inventory=None):
            files += answered.value or ()
    for file in files:
        if not isinstance(file, RenderedFile):
            raise TypeError(f"node_render gave {type(file).__name__}, which is not a RenderedFile")
        if not file.path.startswith("/") or ".." in file.path.split("/"):
            raise ValueError(f"node_render gave the path {file.path!r}, which is not an absolute one")
    return files
