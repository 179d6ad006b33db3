"""The wire between the console's two processes: one JSON document a line, each call answered by one.

Both ends check what they read by its type, since who asks has no rights and isn't believed.
"""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Sequence
from functools import cache
from inspect import signature
from typing import Any, TypeVar, cast, get_type_hints

from pydantic import TypeAdapter

from node.console.calls import Calls
from node.console.views import Change, Overview, Proposed, Standing, TrialView
from node.errors import InputError, NodeError, TryAgainError, UnfitMachineError
from node.model.problem import Problem

_log = logging.getLogger(__name__)
# A page of settings with certificates is some 100 kB; more is nobody's honest request.
_LONGEST = 1 << 20
_KINDS: dict[str, type[NodeError]] = {"input": InputError, "unfit": UnfitMachineError, "again": TryAgainError}
_NAMES = tuple(name for name in vars(Calls) if not name.startswith("_"))

Value = TypeVar("Value")


def serve(line: socket.socket, calls: Calls) -> None:
    """Answer calls until the other end is closed."""
    with line, line.makefile("rb") as incoming:
        while asked := incoming.readline(_LONGEST):
            try:
                line.sendall(_answer(asked, calls) + b"\n")
            except OSError:
                return


class Remote:
    """Fulfils `Calls` over the wire; one thread at a time may use it."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._incoming = line.makefile("rb")

    def close(self) -> None:
        """Let go of the wire, which ends the other side's serving."""
        self._incoming.close()
        self._line.close()

    def standing(self) -> Standing:  # noqa: D102 - see Calls, here and below
        return cast(Standing, self._ask("standing"))

    def overview(self) -> Overview:  # noqa: D102
        return cast(Overview, self._ask("overview"))

    def settings(self) -> dict[str, Any]:  # noqa: D102
        return cast(dict[str, Any], self._ask("settings"))

    def log(self, lines: int) -> tuple[str, ...]:  # noqa: D102
        return cast(tuple[str, ...], self._ask("log", lines=lines))

    def lost(self) -> tuple[str, ...]:  # noqa: D102
        return cast(tuple[str, ...], self._ask("lost"))

    def login(self, user: str, password: str) -> Standing:  # noqa: D102
        return cast(Standing, self._ask("login", user=user, password=password))

    def logout(self) -> Standing:  # noqa: D102
        return cast(Standing, self._ask("logout"))

    def stay(self) -> Standing:  # noqa: D102
        return cast(Standing, self._ask("stay"))

    def propose(self, changes: Sequence[Change]) -> Proposed:  # noqa: D102
        return cast(Proposed, self._ask("propose", changes=changes))

    def carry_out(self, number: int) -> TrialView | None:  # noqa: D102
        return cast("TrialView | None", self._ask("carry_out", number=number))

    def confirm(self) -> str:  # noqa: D102
        return cast(str, self._ask("confirm"))

    def take_back(self) -> None:  # noqa: D102
        self._ask("take_back")

    def leave(self, how: str) -> None:  # noqa: D102
        self._ask("leave", how=how)

    def _ask(self, name: str, **arguments: Any) -> Any:
        types = _types(name)
        plain = {key: types[key].dump_python(value, mode="json") for key, value in arguments.items()}
        try:
            self._line.sendall(json.dumps({"call": name, "arguments": plain}).encode() + b"\n")
            said = self._incoming.readline()
        except OSError as error:
            said = b""
            _log.warning("the wire broke: %s", error)
        if not said:
            raise NodeError("the console's other half has ended", mend="Leave the console and start it again")
        answer = json.loads(said)
        if "error" in answer:
            raise _error(answer["error"])
        return types["return"].validate_python(answer["value"], strict=False)


def _answer(asked: bytes, calls: Calls) -> bytes:
    try:
        document = json.loads(asked)
        name = document["call"]
        if name not in _NAMES:
            raise InputError("there is no such call")
        types = _types(name)
        arguments = {
            key: types[key].validate_python(document["arguments"][key]) for key in types if key != "return"
        }
        value = getattr(calls, name)(**arguments)
        return json.dumps({"value": types["return"].dump_python(value, mode="json")}).encode()
    except NodeError as error:
        return _refusal(error)
    except (ValueError, KeyError, TypeError) as error:
        # The type alone: what stands in the rest may be a password.
        _log.warning("a call could not be read or answered: %s", type(error).__name__)
        return _refusal(NodeError(f"a fault of ours: {type(error).__name__}"))
    except Exception as error:
        _log.exception("a call failed")
        return _refusal(NodeError(f"a fault of ours: {type(error).__name__}"))


def _refusal(error: NodeError) -> bytes:
    return json.dumps({"error": _error_data(error)}).encode()


@cache
def _types(name: str) -> dict[str, TypeAdapter[Any]]:
    function = getattr(Calls, name)
    hints = get_type_hints(function)
    names = [key for key in signature(function).parameters if key != "self"]
    return {key: TypeAdapter(hints[key]) for key in [*names, "return"]}


_PROBLEMS = TypeAdapter(tuple[Problem, ...])


def _error_data(error: NodeError) -> dict[str, Any]:
    kind = next((key for key, one in reversed(_KINDS.items()) if type(error) is one), "")
    problems = error.problems if isinstance(error, InputError) else ()
    return {
        "kind": kind,
        "brief": error.brief,
        "details": error.details,
        "mend": error.mend,
        "problems": _PROBLEMS.dump_python(problems, mode="json"),
    }


def _error(data: dict[str, Any]) -> NodeError:
    words = {"details": data["details"], "mend": data["mend"]}
    kind = _KINDS.get(data["kind"], NodeError)
    if issubclass(kind, InputError):
        return kind(data["brief"], problems=_PROBLEMS.validate_python(data["problems"]), **words)
    return kind(data["brief"], **words)
