"""A kickstart as answers, such as cobbler renders for a machine; what has no place in them is a problem."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from node.installer.sources.kickstart_options import UNDERSTOOD, OptionError, parse
from node.installer.sources.kickstart_words import Words
from node.model.answers import Layer
from node.model.origin import Precedence
from node.model.problem import Problem, Severity

# What begins YAML or JSON and no kickstart: a key with its colon, a brace, the mark of a document.
_YAML = re.compile(r"""(---|\{|\[|[\w."'-]+\s*:(\s|$))""")
_DIRECTIVE = re.compile(r"(%?[a-z][a-z-]*)(\s|$)")
# They speak of anaconda itself, or of what every node has: nothing is missing where they do nothing.
_IDLE = frozenset(
    """
    autopart cdrom cmdline driverdisk eula firstboot graphical harddrive hmc install logging nfs repo skipx
    text unsupported_hardware url vnc zerombr
    """.split()  # noqa: SIM905 - names read best as words
)
# They would change the installed system, and the node goes on without: said, so that nobody counts on them.
_WITHOUT = {
    "auth": "a node's passwords are hashed by yescrypt",
    "authconfig": "a node's passwords are hashed by yescrypt",
    "authselect": "a node's passwords are hashed by yescrypt",
    "selinux": "Debian's image confines by AppArmor",
    "xconfig": "a node has no desktop",
}
_SECTIONS = frozenset(
    "%pre %post %pre-install %packages %addon %onerror %traceback %certificate".split()  # noqa: SIM905
)


def is_kickstart(contents: bytes) -> bool:
    """Tell whether a document is a kickstart and not YAML, by its first line that says something."""
    for line in contents.decode("utf-8", errors="replace").lstrip("\ufeff").splitlines():
        text = line.strip()
        if text and not text.startswith("#"):
            return not _YAML.match(text) and _DIRECTIVE.match(text) is not None
    return False


def read_kickstart(contents: bytes, *, name: str) -> tuple[Layer, tuple[Problem, ...]]:
    """Give a kickstart as a layer, and a problem for each line that has no place in it.

    `name` is what messages call it. No message repeats more of a line than its directive and options.
    """
    words = Words(name)
    try:
        text = contents.decode("utf-8-sig")
    except UnicodeDecodeError:
        words.complain("kickstart", name, "is no text in UTF-8", "Save it as UTF-8")
        text = ""
    for number, line in _lines(text, words):
        words.line = number
        _take(line, words)
    words.finish()
    return Layer(Precedence.FILE, words.values, name, words.places), tuple(words.problems)


def _lines(text: str, words: Words) -> Iterator[tuple[int, str]]:
    """Give the lines that are directives; sections are named as a whole and passed over."""
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if inside:
            inside = "" if stripped == "%end" else inside
            continue
        if not stripped or stripped.startswith("#"):
            continue
        first = stripped.split()[0]
        if first in _SECTIONS:
            inside = first
            words.line = number
            _section(first, words)
        else:
            yield number, stripped


def _section(name: str, words: Words) -> None:
    if name == "%packages":
        what = "chooses packages, which are the image's: nothing is installed but that"
        words.complain("kickstart-ignored", name, what, "Build them into the image", Severity.WARNING)
        return
    words.complain(
        "kickstart-not-honoured",
        name,
        "is a script or an extension of another installer, and is not run",
        "Take it out; say it by answers, or have a plugin do it",
    )


def _take(line: str, words: Words) -> None:
    try:
        name, *options = shlex.split(line, comments=True)
    except ValueError:
        words.complain("kickstart", words.name, "has a quotation that doesn't end", "Close it")
        return
    if name in _IDLE and "--encrypted" not in options:
        return
    if why := _WITHOUT.get(name):
        words.complain(
            "kickstart-ignored", name, f"does nothing here: {why}", "Take it out", Severity.WARNING
        )
    elif name in UNDERSTOOD:
        try:
            getattr(words, f"take_{name}")(parse(name, options))
        except OptionError as error:
            words.complain("kickstart-option", name, str(error), "Correct the line, or take it out")
    else:
        words.complain(
            "kickstart-not-honoured", name, "can't be said to a node",
            f"Take it out; a node understands {', '.join(sorted(UNDERSTOOD))}",
        )  # fmt: skip
