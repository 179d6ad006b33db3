"""Writes docs/hooks.md from node/hookspecs.py: `python -m node.cli.hook_docs`."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from node.hookspecs import API_VERSION, Hooks
from node.model.step import PHASE_WORDS

FACTS = ("When", "Gets", "Gives", "Never", "Since")
_HEAD = "<!-- Written by python -m node.cli.hook_docs; a test compares it with the code. -->\n"
_TEXT = """
# Hooks

A plugin is a Python distribution with an entry point in the group `nodecrust`. What it names, a module or
an object, implements some of these hooks, each marked with `hookimpl` of `node.hookspecs`. This is version
{version} of the interface; a distribution says in its keywords for which ones it was written,
`nodecrust-api=1` or `nodecrust-api=1-2`. [Writing a plugin](writing-plugins.md) goes from nothing to a
tested one.

- Hooks give data and change nothing. What acts is a step, which the engine alone runs, or a backend of
  registration, which the agent alone calls. A hook starts no process, opens no socket and writes no file.
  `node_probe`, `node_health_checks` and `node_status_panels` of a running node may read what they tell of,
  also by a program that changes nothing.
- The hooks of the installer give the same result for the same arguments.
- A hook takes any of the arguments that stand here, by their names, or none.
- None, or an empty sequence, says that there is nothing to give.
- What is given is of the types that stand here, which are in `node.hookspecs` and `node.model`;
  [Types](types.md) has each with its fields.
- A hook that raises, takes too long or gives something else is named with its plugin, and the others go on.

## The promise

Version {version} stays as it is described here: hooks keep their names, arguments and meaning, the types
that they name keep their fields. What may come without a new version: further hooks, further arguments of
hooks (a plugin takes those that it names), further fields that have a default, further values of an
enumeration that is given to a plugin. A plugin that was written for a version loads and runs with every
later release that has it.

A hook goes in three steps. A release says on this page that it is deprecated, what takes its place and
which version of the interface is the last to have it; both work from then on. The next version of the
interface comes a year later at the earliest. Plugins whose range has the version before it are loaded for
another year, with a warning that names them. What mends a hole in security may be quicker, and says so.

Everything else in `node` may change in any release. What plugins may import is `node.hookspecs`,
`node.model`, `node.errors` and, in their tests, `node.testing`.

## The hooks

| hook | in short |
| --- | --- |
{table}
{hooks}"""


def hooks() -> dict[str, Callable[..., Any]]:
    """Give the specification of every hook by its name, in order."""
    return {name: hook for name, hook in vars(Hooks).items() if name.startswith("node_")}


def signature(name: str) -> str:
    """Give a hook as a plugin's module writes it, on one line."""
    found = inspect.signature(hooks()[name])
    parameters = [each for each in found.parameters.values() if each.name != "self"]
    arguments = ", ".join(f"{each.name}: {each.annotation}" for each in parameters)
    return f"def {name}({arguments}) -> {found.return_annotation}"


def facts(name: str) -> dict[str, str]:
    """Give what the page says of a hook by the words of `FACTS`, each as one paragraph."""
    text = inspect.getdoc(hooks()[name]) or ""
    parts = re.split(rf"^({'|'.join(FACTS)}): ", text, flags=re.MULTILINE)
    return {key: " ".join(words.split()) for key, words in zip(parts[1::2], parts[2::2], strict=True)}


def page() -> str:
    """Give docs/hooks.md."""
    table = "".join(f"| [`{name}`](#{name}) | {_short(name)} |\n" for name in hooks())
    text = _TEXT.replace("{version}", str(API_VERSION)).replace("{table}\n", table)
    return _HEAD + text.replace("{hooks}", "".join(_section(name) for name in hooks()))


def _short(name: str) -> str:
    return (inspect.getdoc(hooks()[name]) or "").split("\n\n")[0].strip()


def _section(name: str) -> str:
    words = [f"\n### {name}\n", f"```python\n@hookimpl\n{signature(name)}: ...\n```\n", f"{_short(name)}\n"]
    said = facts(name)
    items = [textwrap.fill(f"- {key}: {said[key]}", 110, subsequent_indent="  ",
                           break_on_hyphens=False, break_long_words=False) for key in FACTS]  # fmt: skip
    if name == "node_plan":
        items.append("\nThe phases, in the order in which they run:\n")
        items += [f"- `{phase}`: {what}" for phase, what in PHASE_WORDS.items()]
    return "\n".join([*words, "\n".join(items), ""])


def main() -> None:
    """Write it into the folder that is given, docs/ by default."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs")
    (folder / "hooks.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
