"""Asks every plugin for its files of /etc, each within its time; one that fails has its last good ones."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

from node.boot.last_good import ByPlugin
from node.model.state import RenderedFile, State
from node.plugin_manager import OF_THE_WISH, UNTIDY, Plugins
from node.system.time_limit import TooLongError, time_limit

PLUGIN_TIMEOUT_S = 5.0
# What is asked of a plugin besides its files: to judge and to migrate its section, and for paths.
CHECK_TIMEOUT_S = 2.0
LOADING_TIMEOUT_S = 12.0
# The initrd gives all of it 30 s; what is left of them is for writing.
ALL_TIMEOUT_S = 24.0
_LEAST_S = 0.1
# For ending a host whose plugin took all of its time.
_GRACE_S = 1.0


@dataclass(frozen=True)
class Rendering:
    """The files by plugin, and what went wrong, in words that name the plugin."""

    by_plugin: ByPlugin
    failures: tuple[str, ...] = ()
    declared: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def files(self) -> tuple[RenderedFile, ...]:
        """All files, in the order of the plugins."""
        return tuple(file for files in self.by_plugin.values() for file in files)


def load_plugins() -> Plugins:
    """Load all plugins; one that hangs on import is left out and named like one that fails."""
    plugins = Plugins()
    # A built-in hangs by a bug of ours only; those from outside have limits of their own.
    deadline = time.monotonic() + LOADING_TIMEOUT_S
    with time_limit(LOADING_TIMEOUT_S + _GRACE_S):
        plugins.load(deadline=deadline)
    plugins.call_timeout_s = CHECK_TIMEOUT_S
    return plugins


def render(
    plugins: Plugins, state: State, last_good: ByPlugin | None = None, *, deadline: float | None = None
) -> Rendering:
    """Call `node_render` plugin by plugin. One that fails, or could not be loaded, has its last good files.

    `deadline` is of the monotonic clock: after it no plugin is asked any more.
    """
    deadline = time.monotonic() + ALL_TIMEOUT_S if deadline is None else deadline
    last_good = last_good or {}
    by_plugin: dict[str, tuple[RenderedFile, ...]] = {}
    why: dict[str, str] = {}
    for name in plugins.names():
        try:
            by_plugin[name] = _rendered_by(plugins, name, state, deadline)
        except Exception as error:
            why[name] = f"plugin {name}: {error}"
    declared = _declared(plugins, deadline)
    for problem in plugins.problems:
        if problem.code in (UNTIDY, *OF_THE_WISH):  # what it gave is good, or nobody gives anything
            continue
        why[problem.owner] = f"{problem.where}: {problem.what}"
        # What it gave before it failed elsewhere is whole; a plugin that failed in rendering gave nothing.
        if not by_plugin.get(problem.owner):
            by_plugin.pop(problem.owner, None)
    failures = []
    for name, words in why.items():
        stands_in = name not in by_plugin and name in last_good
        if stands_in:
            by_plugin[name] = last_good[name]
        failures.append(f"{words}; its files are those of the last good start" if stands_in else words)
    return Rendering(by_plugin, tuple(failures), declared)


def _rendered_by(plugins: Plugins, name: str, state: State, deadline: float) -> tuple[RenderedFile, ...]:
    files: list[RenderedFile] = []
    left = deadline - time.monotonic()
    if left < _LEAST_S:
        raise TooLongError("the plugins before it left it no time")
    limit, failures = min(PLUGIN_TIMEOUT_S, left), plugins.failures_of(name)
    # The plugin host watches the clock itself.
    with nullcontext() if plugins.is_outside(name) else time_limit(limit):
        for answered in plugins.call("node_render", only=name, timeout_s=limit, state=state, inventory=None):
            files += answered.value or ()
    if plugins.failures_of(name) > failures:
        # A part of its files is another configuration than all of them.
        raise ValueError("not all of its files can be used")
    for file in files:
        if not isinstance(file, RenderedFile):
            raise TypeError(f"node_render gave {type(file).__name__}, which is not a RenderedFile")
        if not file.path.startswith("/") or ".." in file.path.split("/"):
            raise ValueError(f"node_render gave the path {file.path!r}, which is not an absolute one")
    return tuple(files)


def _declared(plugins: Plugins, deadline: float) -> dict[str, Sequence[str]]:
    """Ask for the paths that plugins want kept; nonsense counts as none."""
    declared: dict[str, Sequence[str]] = {}
    left = deadline - time.monotonic()
    if left < _LEAST_S:
        return declared
    until = time.monotonic() + min(PLUGIN_TIMEOUT_S, left)
    for name in plugins.names():
        # Asked one by one: what hangs shall not cost the others their word.
        if (left := until - time.monotonic()) < _LEAST_S:
            break
        with nullcontext() if plugins.is_outside(name) else time_limit(left):
            for answered in plugins.call(
                "node_persist_paths", only=name, timeout_s=min(CHECK_TIMEOUT_S, left)
            ):
                paths = answered.value if isinstance(answered.value, tuple | list) else ()
                declared[answered.plugin] = tuple(path for path in paths if isinstance(path, str))
    return declared
