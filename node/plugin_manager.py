"""Loads plugins and calls their hooks one plugin at a time, so that every failure has a name."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pluggy

from node.hookspecs import API_VERSION, PROJECT, Hooks
from node.model.answers import sections_by_key
from node.model.mask import mask_hashes
from node.model.problem import Blame, Problem, Severity
from node.persist.migrations import Document, migration
from node.system.plugin_folders import add_to_path, refused_bundle

_log = logging.getLogger(__name__)

# Built-ins are named like outside plugins and loaded in this order; nothing else treats them specially.
BUILT_INS = (
    "node.plugins.install",
    "node.plugins.storage",
    "node.plugins.payload",
    "node.plugins.bootloader",
    "node.plugins.network",
    "node.plugins.access",
    "node.plugins.locale",
    "node.plugins.logging",
    "node.plugins.kernel",
    "node.plugins.state",
    "node.plugins.virtualization",
    "node.plugins.registration",
    "node.plugins.cobbler",
)


@dataclass(frozen=True)
class Answered:
    """What one plugin gave for one hook."""

    plugin: str
    value: Any


class Plugins:
    """The loaded plugins. `problems` holds what went wrong with any of them, in words, as warnings."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(Hooks)
        self.problems: list[Problem] = []

    def load(self) -> None:
        """Load the built-ins and then every entry point; one that fails is named and left out.

        NODECRUST_PLUGINS limits the outside ones to a comma-separated list of names ("" for none).
        """
        for name in BUILT_INS:
            self.add(name.rpartition(".")[2], partial(importlib.import_module, name))
        add_to_path()
        if refused := refused_bundle():
            self.problems.append(_bundle_problem(refused))
        wanted = os.environ.get("NODECRUST_PLUGINS")
        points = sorted(importlib.metadata.entry_points(group=PROJECT), key=lambda point: point.name)
        for point in points:
            if wanted is None or point.name in wanted.split(","):
                self.add(point.name, point.load)

    def add(self, name: str, load: Callable[[], Any]) -> None:
        """Register what `load` gives under `name`."""
        try:
            plugin = load()
            wants = getattr(plugin, "NODECRUST_API", API_VERSION)
            if wants != API_VERSION:
                self._blame(name, f"wants version {wants} of the plugin interface; this is {API_VERSION}")
                return
            self._manager.register(plugin, name)
            self._manager.check_pending()
        except (Exception, SystemExit) as error:
            _log.exception("plugin %s could not be loaded", name)
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            self._blame(name, f"could not be loaded: {error}")

    def names(self) -> tuple[str, ...]:
        """Give the names of the loaded plugins, in the order of loading."""
        return tuple(name for name, _ in self._manager.list_name_plugin())

    def hooks_of(self, name: str) -> tuple[str, ...]:
        """Give the hooks that a plugin implements, in the order of the specification."""
        callers = self._manager.get_hookcallers(self._manager.get_plugin(name)) or []
        given = {caller.name for caller in callers}
        return tuple(hook for hook in vars(Hooks) if hook in given)

    def call(self, hook: str, *, only: str = "", **arguments: Any) -> Iterator[Answered]:
        """Call a hook plugin by plugin, in the order of loading; a failure is recorded and passed over.

        A hook that gives a sequence gives a tuple here, so that a generator fails inside its own call.
        """
        implementations = {
            impl.plugin_name: impl for impl in getattr(self._manager.hook, hook).get_hookimpls()
        }
        for name in self.names():
            if (only and name != only) or name not in implementations:
                continue
            implementation = implementations[name]
            passed = {key: arguments[key] for key in implementation.argnames}
            try:
                value = implementation.function(*passed.values())
                if inspect.isgenerator(value) or isinstance(value, list):
                    value = tuple(value)
            except (Exception, SystemExit) as error:
                _log.exception("plugin %s failed in %s", name, hook)
                self._blame(name, f"failed in {hook}: {type(error).__name__}: {error}")
                continue
            yield Answered(name, value)

    def migrate(self, document: Document) -> Document:
        """Bring a stored document up to date with `node_migrate`; for `read_state`, which says what fails."""
        offered = [section for given in self.call("node_sections") for section in given.value or ()]
        models = sections_by_key(offered)
        versions = {key: model.schema_version for key, model in models.items()}
        return migration(versions, self._migrate_section)(document)

    def _migrate_section(self, section: str, values: Any, version: int) -> Any:
        given = self.call("node_migrate", section=section, values=values, version=version)
        return next((one.value for one in given if one.value is not None), None)

    def _blame(self, name: str, what: str) -> None:
        # A built-in that fails leaves the plan without one of its parts: nothing may be written then.
        built_in = f"node.plugins.{name}" in BUILT_INS
        self.problems.append(
            Problem(
                code="plugin-failed",
                where=f"plugin {name}",
                what=mask_hashes(what),
                mend="Report it to its author, or leave it out with NODECRUST_PLUGINS",
                owner=name,
                severity=Severity.ERROR if built_in else Severity.WARNING,
                blame=Blame.MACHINE,
            )
        )


def _bundle_problem(refused: str) -> Problem:
    # Whoever asked for plugins does not want a node made without them, be it for what they forbid.
    return Problem(
        code="plugins-refused",
        where="node.plugins",
        what=refused,
        mend="Put the right bundle and its .sig there, or take node.plugins out",
    )
