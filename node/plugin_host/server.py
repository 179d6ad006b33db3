"""What runs in the host: loads plugins, calls their hooks and validates their sections, one after another.

A request is `{"do": ..., "plugin": ...}`; the answer to it `{"ok": ...}` or `{"failed": "words"}`, with
`"noted"`: what the plugin changed of its process. Nothing of a plugin can end the loop but the process's end.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from node.model.answers import Section, SectionModel
from node.plugin_host.built_ins import BUILT_INS
from node.plugin_host.describing import judge, schema_of
from node.plugin_host.frames import (
    KEPT_ARGUMENTS,
    LENGTH,
    MOST_BYTES,
    FrameError,
    from_body,
    read_exactly,
    to_frame,
    write_all,
)
from node.plugin_host.hooks import Implementation, implemented, signatures
from node.plugin_host.surroundings import Surroundings
from node.plugin_host.values import argument_from_json, result_to_data

_log = logging.getLogger(__name__)
_WORDS = 1000


class Server:
    """The plugins of one host."""

    def __init__(self) -> None:
        self._hooks: dict[str, dict[str, Implementation]] = {}
        self._models: dict[tuple[str, str], type[SectionModel]] = {}
        self._built_in: dict[str, type[SectionModel]] | None = None
        # As they came, and made of it: the one to compare with, the other to give away.
        self._arguments: OrderedDict[int, tuple[str, Any, Any]] = OrderedDict()
        self._surroundings = Surroundings()
        self._work = {
            "load": self._load,
            "call": self._call,
            "validate": self._validate,
            "schema": self._schema,
        }

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Do what is asked; what a plugin raises is an answer too."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answer = {"ok": self._work[request["do"]](request)}
        except BaseException as error:
            _log.exception("plugin %s failed", request.get("plugin"))
            answer = {"failed": _words_of(error)}
        noted = [*answer.pop("noted", ()), *self._surroundings.put_back()]
        if changed := self._changed_argument(request):
            noted.append(changed)
        if noted:
            answer["noted"] = noted
        if patched := self._surroundings.patched():
            answer["patched"] = patched
        return answer

    def _load(self, request: Mapping[str, Any]) -> Any:
        module, _, attributes = request["value"].partition(":")
        plugin: Any = importlib.import_module(module)
        for attribute in attributes.split(".") if attributes else ():
            plugin = getattr(plugin, attribute)
        found = implemented(plugin)
        self._hooks[request["plugin"]] = {one.hook: one for one in found.hooks}
        wants = getattr(plugin, "NODECRUST_API", None)
        return {
            "hooks": [one.hook for one in found.hooks],
            "wrong": list(found.wrong),
            "api": wants if isinstance(wants, int) else None,
        }

    def _call(self, request: Mapping[str, Any]) -> Any:
        plugin, hook = request["plugin"], request["hook"]
        implementation, signature = self._hooks[plugin][hook], signatures()[hook]
        given, inventory = {}, None
        for name, argument in request["arguments"].items():
            value = self._argument(signature.arguments[name], argument)
            inventory = value if hook == "node_prepare" and name == "inventory" else inventory
            if name in implementation.arguments:
                given[name] = value
        offered: list[Any] = []
        data = result_to_data(signature, implementation.function(**given), offered.append, inventory)
        for one in offered:
            if isinstance(one, Section):
                self._models[plugin, one.key] = one.model
        return data

    def _validate(self, request: Mapping[str, Any]) -> Any:
        return judge(self._models[request["plugin"], request["section"]], request["values"])

    def _schema(self, request: Mapping[str, Any]) -> Any:
        return schema_of(self._models[request["plugin"], request["section"]])

    def _argument(self, kind: Any, argument: Mapping[str, Any]) -> Any:
        """Make an argument, or take that of the last plugin, which is known to be as it was."""
        number = argument["number"]
        if text := argument.get("json"):
            self._arguments.pop(number, None)
            given = argument_from_json(kind, text, self._model)
            self._arguments[number] = (text, given, argument_from_json(kind, text, self._model))
            while len(self._arguments) > KEPT_ARGUMENTS:
                self._arguments.popitem(last=False)
        return self._arguments[number][1]

    def _changed_argument(self, request: Mapping[str, Any]) -> str:
        for name, argument in (request.get("arguments") or {}).items():
            entry = self._arguments.get(argument["number"])
            if entry is None:
                continue
            text, given, pristine = entry
            with suppress(Exception):
                if given == pristine:
                    continue
            kind = signatures()[request["hook"]].arguments[name]
            fresh = argument_from_json(kind, text, self._model)
            self._arguments[argument["number"]] = (text, fresh, argument_from_json(kind, text, self._model))
            return f"its argument {name}, which nobody else sees"
        return ""

    def _model(self, plugin: str, key: str) -> type[SectionModel] | None:
        if plugin:
            return self._models.get((plugin, key))
        if self._built_in is None:
            self._built_in = {
                section.key: section.model
                for name in BUILT_INS
                for section in _sections_of(importlib.import_module(name))
            }
        return self._built_in.get(key)


def serve(request_fd: int, answer_fd: int) -> None:
    """Answer requests until there are no more."""
    server = Server()
    while True:
        try:
            (size,) = LENGTH.unpack(read_exactly(request_fd, LENGTH.size))
        except EOFError:
            return
        request = from_body(read_exactly(request_fd, size))
        answer = server.answer(request)
        answer["id"] = request["id"]
        try:
            frame = to_frame(answer, MOST_BYTES)
        except FrameError as error:
            frame = to_frame({"id": request["id"], "failed": f"it gave {error}"})
        write_all(answer_fd, frame)


def _sections_of(module: Any) -> Sequence[Section]:
    offers = getattr(module, "node_sections", None)
    return tuple(offers()) if offers else ()


def _words_of(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"it called exit({error.code!r}) instead of returning"[:_WORDS]
    try:
        words = str(error)
    except BaseException:  # the plugin's own class of errors
        words = ""
    name = type(error).__name__
    return (f"{name}: {words}" if words else name)[:_WORDS]


def be_quiet() -> None:
    """Let log records go where output goes, and nothing of the caller's be written to."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(logging.StreamHandler())
    logging.raiseExceptions = False
