"""Loads plugins and calls their hooks one plugin at a time, so that every failure has a name.

Built-ins are called in process. Plugins from outside are imported and called in the plugin host alone.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pluggy

from node.hookspecs import API_VERSION, PROJECT, Hooks
from node.model.answers import sections_by_key
from node.model.mask import mask_hashes
from node.model.problem import Blame, Problem, Severity
from node.persist.migrations import Document, migration
from node.plugin_host.arguments import SentArguments
from node.plugin_host.built_ins import BUILT_INS, NAMES, short_name
from node.plugin_host.bundle import bundle_problems
from node.plugin_host.choosing import LEFT_OUT, Wish, choose
from node.plugin_host.finding import Outside, find_outside
from node.plugin_host.hooks import implemented, signatures
from node.plugin_host.records import Answered, Record, Timing, record_of
from node.plugin_host.words import shown
from node.system.plugin_folders import add_to_path

__all__ = [
    "ABSENT",
    "BUILT_INS",
    "FAILED",
    "OFF",
    "OF_THE_WISH",
    "REPORT",
    "TRACE",
    "UNTIDY",
    "Answered",
    "Plugins",
    "Record",
    "Timing",
]

_log = logging.getLogger(__name__)

TRACE = "NODECRUST_TRACE_HOOKS"
FAILED, UNTIDY = "plugin-failed", "plugin-untidy"
ABSENT, OFF = "plugin-absent", "plugin-off"
# What is said of NODECRUST_PLUGINS, and of no plugin.
OF_THE_WISH = (ABSENT, OFF)
REPORT = "Report it to its author, or leave it out with NODECRUST_PLUGINS"
_LEAST_S = 0.05


class Plugins:
    """The loaded plugins. `problems` holds what went wrong with any of them, in words, as warnings.

    One that can't be done without makes errors of them: a built-in, and what stands in for one.
    """

    def __init__(self, *, trace: bool = False) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(Hooks)
        self._records: dict[str, Record] = {}
        self._host: Any = None
        self._sent = SentArguments()
        self._failures: dict[str, int] = {}
        self._trace = trace or bool(os.environ.get(TRACE))
        self.problems: list[Problem] = []
        self.call_timeout_s: float | None = None
        """The time of a call of a plugin from outside; None for the host's own limit."""

    def load(self, *, deadline: float | None = None) -> None:
        """Load the built-ins and then the plugins from outside by name; one that fails is named and left out.

        NODECRUST_PLUGINS limits those from outside to a list of names ("" for none), and leaves out any
        that has a dash before it. After `deadline`, of the monotonic clock, nothing more is loaded.
        """
        add_to_path()
        self.problems += bundle_problems()
        choice = choose(find_outside(), NAMES, Wish.read(os.environ.get("NODECRUST_PLUGINS")))
        for name, near in choice.absent.items():
            mend = f"Did you mean {near}?" if near else "See nodectl plugins"
            self._doubt(ABSENT, f"names '{name}', which is not here", mend)
        for name in choice.missing:
            self._doubt(
                OFF, f"leaves out '{name}', whose part nothing else does", "Leave it in, unless that is meant"
            )
        for module in BUILT_INS:
            name = short_name(module)
            if name in choice.built_in:
                self.add(name, partial(importlib.import_module, module))
        for name, why in choice.left_out.items():
            self._records[name] = Record(name, "left out", why)
        for one in choice.unwanted:
            self._records.setdefault(one.name, record_of(one, "left out", why=LEFT_OUT))
        for refused in choice.refused:
            one = refused.plugin
            record = record_of(one, "refused", why=refused.why)
            # Where two have one name, the first one's record stays.
            self._records.setdefault(one.name, record)
            self._blame_record(record, refused.why, refused.mend)
        if choice.outside:
            from node.plugin_host.host import Host  # noqa: PLC0415 - without plugins there is no host

            self._host = Host(on_lost=self._lose)
            self._host.start()
        for one in choice.outside:
            self._load_outside(one, deadline)

    def rest(self) -> None:
        """Keep no plugin from outside in memory until one is asked again, which costs its import."""
        if self._host:
            self._host.rest()

    def close(self) -> None:
        """End the plugin host; the end of the process does so too."""
        if self._host:
            self._host.close()

    def add(self, name: str, load: Callable[[], Any]) -> None:
        """Register what `load` gives under `name`, in process."""
        began = time.perf_counter()
        self._records[name] = Record(name, "failed")
        try:
            plugin = load()
            wants = getattr(plugin, "NODECRUST_API", API_VERSION)
            if wants != API_VERSION:
                self._refuse(name, f"wants version {wants} of the plugin interface; this is {API_VERSION}")
                return
            found = implemented(plugin)
            if found.wrong:
                self._refuse(name, f"can't be used: {'; '.join(found.wrong)}")
                return
            self._manager.register(plugin, name)
        except (Exception, SystemExit) as error:
            _log.exception("plugin %s could not be loaded", name)
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            self._fail(name, f"could not be loaded: {error}")
            return
        hooks = tuple(one.hook for one in found.hooks)
        took = time.perf_counter() - began
        self._records[name] = replace(self._records[name], state="loaded", hooks=hooks, import_s=took)

    def names(self) -> tuple[str, ...]:
        """Give the names of the loaded plugins, in the order of loading."""
        return tuple(name for name, record in self._records.items() if record.state == "loaded")

    def records(self) -> tuple[Record, ...]:
        """Give what is known of every plugin, the loaded ones first, in the order of loading."""
        return tuple(sorted(self._records.values(), key=lambda record: record.state != "loaded"))

    def record(self, name: str) -> Record | None:
        """Give what is known of one."""
        return self._records.get(name)

    def is_outside(self, name: str) -> bool:
        """Tell whether a plugin runs in the plugin host, with time limits of its own."""
        return name in self._records and self._records[name].outside

    def hooks_of(self, name: str) -> tuple[str, ...]:
        """Give the hooks that a plugin implements, in the order of the specification."""
        return self._records[name].hooks if name in self._records else ()

    def call(
        self, hook: str, *, only: str = "", timeout_s: float | None = None, **arguments: Any
    ) -> Iterator[Answered]:
        """Call a hook plugin by plugin, in the order of loading; a failure is recorded and passed over.

        A hook that gives a sequence gives a tuple here, so that a generator fails inside its own call.
        `timeout_s` limits each plugin from outside.
        """
        implementations_ = {
            impl.plugin_name: impl for impl in getattr(self._manager.hook, hook).get_hookimpls()
        }
        for name in self.names():
            if (only and name != only) or hook not in self._records[name].hooks:
                continue
            if self._records[name].state != "loaded":  # lost since, by another's doing
                continue
            began = time.perf_counter()
            try:
                if self._records[name].outside:
                    value = self._call_outside(name, hook, arguments, timeout_s)
                else:
                    implementation = implementations_[name]
                    passed = {key: arguments[key] for key in implementation.argnames}
                    value = implementation.function(*passed.values())
                    if inspect.isgenerator(value) or isinstance(value, list):
                        value = tuple(value)
            except (Exception, SystemExit) as error:
                self._count(name, hook, time.perf_counter() - began, f"failed: {error}")
                self._show_said(error)
                if not self._blame_outside(name, error):
                    _log.exception("plugin %s failed in %s", name, hook)
                    self.blame(name, f"failed in {hook}: {type(error).__name__}: {error}")
                continue
            self._count(name, hook, time.perf_counter() - began, _brief(value))
            yield Answered(name, value)

    def migrate(self, document: Document) -> Document:
        """Bring a stored document up to date with `node_migrate`; for `read_state`, which says what fails."""
        offered = [section for given in self.call("node_sections") for section in given.value or ()]
        models = sections_by_key(offered)
        versions = {key: model.schema_version for key, model in models.items()}
        return migration(versions, self._migrate_section)(document)

    def blame(self, name: str, what: str) -> None:
        """Record a failure of a plugin: an error where nothing may be written without it."""
        record = self._records.get(name) or Record(name, "loaded")
        self._blame_record(record, what, REPORT)

    def failures_of(self, name: str) -> int:
        """Give how often a plugin failed, the same failure again counted too."""
        return self._failures.get(name, 0)

    def _migrate_section(self, section: str, values: Any, version: int) -> Any:
        given = self.call("node_migrate", section=section, values=values, version=version)
        return next((one.value for one in given if one.value is not None), None)

    def _doubt(self, code: str, what: str, mend: str) -> None:
        """Tell of what NODECRUST_PLUGINS says and perhaps doesn't mean."""
        warning = Problem(
            code, "NODECRUST_PLUGINS", what, mend, severity=Severity.WARNING, blame=Blame.MACHINE
        )
        self._add(warning)

    # Plugins from outside

    def _load_outside(self, one: Outside, deadline: float | None) -> None:
        from node.plugin_host.host import IMPORT_TIMEOUT_S, OutsideError  # noqa: PLC0415 - see load

        # In the order of loading, also where another of its name was refused before.
        self._records.pop(one.name, None)
        self._records[one.name] = record_of(one, "failed")
        left = IMPORT_TIMEOUT_S if deadline is None else min(IMPORT_TIMEOUT_S, deadline - time.monotonic())
        if left < _LEAST_S:
            self._fail(one.name, "was not loaded: the plugins before it left it no time")
            return
        began = time.perf_counter()
        try:
            answer = self._host.load(one, timeout_s=left)
        except OutsideError as error:
            self._show_said(error)
            self._fail(one.name, error.words)
            return
        took = time.perf_counter() - began
        hooks, wrong, api = _loaded(answer.ok)
        if api not in (None, API_VERSION) and isinstance(api, int):
            wrong = (f"wants version {api} of the plugin interface; this is {API_VERSION}", *wrong)
        if wrong:
            self._host.forget(one.name)
            self._refuse(one.name, f"can't be used: {'; '.join(wrong)}")
            return
        self._records[one.name] = record_of(one, "loaded", hooks=hooks, import_s=took)
        self._note(one.name, answer.noted)

    def _call_outside(
        self, name: str, hook: str, arguments: Mapping[str, Any], timeout_s: float | None
    ) -> Any:
        from node.plugin_host.host import CALL_TIMEOUT_S  # noqa: PLC0415 - see load
        from node.plugin_host.values import result_from_data  # noqa: PLC0415 - see load

        signature = signatures()[hook]
        sent = {key: self._sent(signature.arguments[key], value) for key, value in arguments.items()}
        limit = timeout_s or self.call_timeout_s or CALL_TIMEOUT_S
        answer = self._host.call(name, hook, sent, timeout_s=limit)
        self._note(name, answer.noted)
        taken = result_from_data(signature, answer.ok, name, partial(OutsideModel, self, name))
        for complaint in taken.complaints:
            self.blame(name, complaint)
        return taken.value

    def ask_model(self, name: str, key: str, what: str, values: Any = None) -> Mapping[str, Any] | None:
        """Have a section's own model `validate` values, or give its `schema`.

        None where its plugin is not there any more, or fails.
        """
        from node.plugin_host.host import CALL_TIMEOUT_S  # noqa: PLC0415 - see load

        if self._records[name].state != "loaded":
            return None
        began = time.perf_counter()
        limit = self.call_timeout_s or CALL_TIMEOUT_S
        try:
            answer = self._host.ask_model(name, key, what, values, timeout_s=limit)
        except Exception as error:
            if not self._blame_outside(name, error):
                raise
            return None
        self._count(name, f"{what} {key}", time.perf_counter() - began, "")
        self._note(name, answer.noted)
        return answer.ok if isinstance(answer.ok, Mapping) else None

    def _blame_outside(self, name: str, error: BaseException) -> bool:
        """Record the failure of a plugin from outside; False where it is none of these."""
        if not self._records[name].outside:
            return False
        words = getattr(error, "words", None)
        if words is None and not isinstance(error, ValueError):
            return False
        if getattr(error, "lost", False):
            self._lose(name, str(words))
        else:
            self.blame(name, str(words or error))
        return True

    def _lose(self, name: str, words: str) -> None:
        """Go on without a plugin that is out of the host."""
        self._fail(name, words)

    def _note(self, name: str, noted: tuple[str, ...]) -> None:
        """Record what a plugin did that it may not, though what it gave is good."""
        for words in noted:
            self._add(
                Problem(
                    UNTIDY,
                    self._records[name].called,
                    words,
                    "Report it to its author",
                    owner=name,
                    severity=Severity.WARNING,
                    blame=Blame.MACHINE,
                )
            )

    # Records

    def _count(self, name: str, what: str, seconds: float, came: str) -> None:
        record = self._records[name]
        calls = {**record.calls, what: record.calls.get(what, Timing()).after(seconds)}
        self._records[name] = replace(record, calls=calls)
        if self._trace:
            where = "plugin host" if record.outside else "in process"
            sys.stderr.write(
                f"hook {what} of {name} ({where}): {seconds * 1000:.1f} ms {came}".rstrip() + "\n"
            )

    def _show_said(self, error: BaseException) -> None:
        """Show what a plugin printed before it failed to whoever looks at its calls."""
        if self._trace:
            sys.stderr.writelines(f"  | {line}\n" for line in getattr(error, "said", ()))

    def _fail(self, name: str, words: str) -> None:
        self._records[name] = replace(self._records[name], state="failed", why=mask_hashes(words))
        self.blame(name, words)

    def _refuse(self, name: str, words: str) -> None:
        self._records[name] = replace(self._records[name], state="refused", why=mask_hashes(words))
        self.blame(name, words)

    def _blame_record(self, record: Record, what: str, mend: str) -> None:
        self._failures[record.name] = self.failures_of(record.name) + 1
        # A built-in that fails leaves the plan without one of its parts: nothing may be written then.
        needed = record.name in NAMES or bool(record.stands_in_for)
        problem = Problem(
            code=FAILED,
            where=record.called,
            what=mask_hashes(what),
            mend=mend,
            owner=record.name,
            severity=Severity.ERROR if needed else Severity.WARNING,
            blame=Blame.MACHINE,
        )
        self._add(problem)

    def _add(self, problem: Problem) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


@dataclass(frozen=True)
class OutsideModel:
    """The model of a section that is in the plugin host; fulfils `node.plugin_host.sections.Model`."""

    plugins: Plugins
    plugin: str
    key: str

    def validate(self, values: Any) -> Mapping[str, Any] | None:
        """Judge values."""
        return self.plugins.ask_model(self.plugin, self.key, "validate", values)

    def schema(self) -> Mapping[str, Any] | None:
        """Give its JSON Schema."""
        return self.plugins.ask_model(self.plugin, self.key, "schema")


def _loaded(answer: Any) -> tuple[tuple[str, ...], tuple[str, ...], Any]:
    """Read what the host says of a plugin that it imported; what is nonsense is nothing."""
    data: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {}
    hooks = tuple(hook for hook in data.get("hooks") or () if hook in signatures())
    wrong = tuple(shown(str(words), 300) for words in data.get("wrong") or ())
    return hooks, wrong, data.get("api")


def _brief(value: Any) -> str:
    return f"-> {len(value)}" if isinstance(value, tuple) else f"-> {type(value).__name__}"
