"""Reads from the code what the sentences of its problems can be, with places where values stand.

It follows names to what is assigned to them, parameters to what the same module passes, and tuples that a
loop takes apart; what comes from elsewhere is a place like any value.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# Stands for a value. No entry of a catalogue has this word, so nothing fits it by chance.
VALUE = "xvaluex"
_DEPTH = 8
_NAMES = ("code", "where", "what", "mend")
# Who makes a problem, or an error that becomes one, and where its sentences stand among the arguments.
_MAKERS = {
    "Problem": _NAMES,
    "refuse": ("code", "what", "mend"),
    "Fault": ("code", "what"),
    "Doubt": ("code", "key", "what", "mend"),
    "SysctlError": ("what", "mend"),
    "TargetError": ("what",),
}
# What such a function gives is the `what` of a problem that is made elsewhere.
_FAULT = re.compile(r"_?(\w+_)?fault(_of)?")


@dataclass(frozen=True)
class Sentence:
    """One sentence of a problem as `place` (file and line) makes it; values are VALUE."""

    place: str
    text: str

    @property
    def is_only_a_value(self) -> bool:
        """Tell whether nothing of it is known here: the words are somebody else's."""
        return not re.search(r"[a-z]", self.text.replace(VALUE, ""))


def sentences(path: Path, name: str) -> Iterator[Sentence]:
    """Give every sentence of `what` and `mend` that a module can put into a problem."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = _Module(tree)
    for function, call in module.calls():
        maker = _called(call)
        if maker not in _MAKERS:
            continue
        for word, value in _arguments(call, _MAKERS[maker]).items():
            if word in ("what", "mend"):
                for text in dict.fromkeys(module.texts(value, function)):
                    yield Sentence(f"{name}:{call.lineno}", text)
    for function in module.functions.values():
        if _FAULT.fullmatch(function.name):
            for text in dict.fromkeys(module.given(function)):
                if text:
                    yield Sentence(f"{name}:{function.lineno}", text)


class _Module:
    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self.functions = {f.name: f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)}

    def calls(self) -> Iterator[tuple[ast.AST, ast.Call]]:
        """Give each call with the innermost function that it stands in."""
        yield from _calls(self._tree, self._tree)

    def texts(self, value: ast.AST, scope: ast.AST, depth: int = 0) -> list[str]:
        if depth > _DEPTH:
            return [VALUE]
        match value:
            case ast.Constant(value=str() as text):
                return [text]
            case ast.JoinedStr(values=values):
                pieces = [self.texts(piece, scope, depth + 1) for piece in values]
                return ["".join(piece) for piece in itertools.product(*pieces)]
            case ast.FormattedValue(conversion=114):  # !r
                return [f"'{VALUE}'"]
            case ast.FormattedValue(value=inner):
                return self.texts(inner, scope, depth + 1)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                pairs = itertools.product(
                    self.texts(left, scope, depth + 1), self.texts(right, scope, depth + 1)
                )
                return ["".join(pair) for pair in pairs]
            case ast.IfExp(body=body, orelse=other):
                return [*self.texts(body, scope, depth + 1), *self.texts(other, scope, depth + 1)]
            case ast.Name(id=name):
                found = [t for e in self._values_of(name, scope) for t in self.texts(*e, depth + 1)]
                return found or [VALUE]
            case ast.Subscript(value=ast.Name(id=name)):
                tables = [e for e, _scope in self._values_of(name, self._tree) if isinstance(e, ast.Dict)]
                return [t for d in tables for v in d.values for t in self.texts(v, scope, depth + 1)] or [
                    VALUE
                ]
            case ast.Call(func=ast.Name(id=name)) if name in self.functions:
                return self.given(self.functions[name], depth + 1) or [VALUE]
        return [VALUE]

    def given(self, function: ast.FunctionDef, depth: int = 0) -> list[str]:
        """Give the texts that a function may return."""
        values = [r.value for r in ast.walk(function) if isinstance(r, ast.Return) and r.value]
        return [text for value in values for text in self.texts(value, function, depth + 1)]

    def _values_of(self, name: str, scope: ast.AST) -> list[tuple[ast.AST, ast.AST]]:
        """Give what a name may stand for, each with the scope that it is to be read in."""
        found: list[tuple[ast.AST, ast.AST]] = []
        for inner in ast.walk(scope) if scope is not self._tree else iter(self._tree.body):
            match inner:
                case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                    found.append((value, scope))
                case ast.AnnAssign(target=ast.Name(id=target), value=ast.AST() as value) if target == name:
                    found.append((value, scope))
                case ast.NamedExpr(target=ast.Name(id=target), value=value) if target == name:
                    found.append((value, scope))
                case ast.For(target=ast.Tuple() as target, iter=ast.Name(id=rows)):
                    found += [(e, scope) for e in _column(name, target, _rows(rows, scope))]
                case ast.comprehension(target=ast.Tuple() as target, iter=ast.Name(id=rows)):
                    found += [(e, scope) for e in _column(name, target, _rows(rows, scope))]
        if isinstance(scope, ast.FunctionDef):
            found += self._passed(name, scope)
        if not found and scope is not self._tree:
            return self._values_of(name, self._tree)
        return found

    def _passed(self, name: str, function: ast.FunctionDef) -> list[tuple[ast.AST, ast.AST]]:
        names = [a.arg for a in function.args.args + function.args.kwonlyargs]
        if name not in names:
            return []
        names = names[1:] if names[:1] == ["self"] else names
        return [
            (given[name], scope)
            for scope, call in self.calls()
            if _called(call) == function.name and name in (given := _arguments(call, names))
        ]


def _calls(tree: ast.AST, scope: ast.AST) -> Iterator[tuple[ast.AST, ast.Call]]:
    for inner in ast.iter_child_nodes(tree):
        if isinstance(inner, ast.Call):
            yield scope, inner
        yield from _calls(inner, inner if isinstance(inner, ast.FunctionDef) else scope)


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _arguments(call: ast.Call, names: tuple[str, ...] | list[str]) -> Mapping[str, ast.AST]:
    given = dict(zip(names, call.args, strict=False))
    return {**given, **{word.arg: word.value for word in call.keywords if word.arg}}


def _rows(name: str, scope: ast.AST) -> Iterator[ast.Tuple]:
    """Give the tuples of a list that a scope writes out or appends to."""
    for inner in ast.walk(scope):
        match inner:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=found), attr="append"), args=[ast.Tuple() as row]
            ) if found == name:
                yield row
            case ast.Assign(
                targets=[ast.Name(id=found)], value=ast.List(elts=rows) | ast.Tuple(elts=rows)
            ) if found == name:
                yield from (row for row in rows if isinstance(row, ast.Tuple))


def _column(name: str, target: ast.Tuple, rows: Iterator[ast.Tuple]) -> list[ast.AST]:
    names = [getattr(e, "id", "") for e in target.elts]
    if name not in names:
        return []
    return [row.elts[names.index(name)] for row in rows if len(row.elts) == len(names)]
