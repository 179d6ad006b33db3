"""Every text of the console is in every language."""

from __future__ import annotations

import ast
from pathlib import Path

import node
from node import locale
from node.console.asked import _MORE
from node.console.login import Verdict

ROOT = Path(node.__file__).parent


def test_every_text_of_the_console_is_in_czech() -> None:
    czech = locale.catalogue("cs")
    missing = set()
    for path in [*(ROOT / "console").glob("*.py"), ROOT / "demo/console.py"]:
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args):
                continue
            first = call.args[0]
            if call.func.id in ("_", "plural") and isinstance(first, ast.Constant):
                known = czech.messages if call.func.id == "_" else czech.plurals
                missing |= {str(first.value)} - set(known)
    for fields in _MORE.values():
        for field in fields:
            words = {field.label, field.help, getattr(field, "empty", "")} - {""}
            missing |= words - set(czech.messages)
    missing |= {verdict.value for verdict in Verdict} - {"admitted"} - set(czech.messages)
    assert missing == set()
