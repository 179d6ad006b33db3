"""Reads a catalogue of gettext in its text form (GNU gettext's manual, "The Format of PO Files")."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

_LINE = re.compile(
    r'(?:(?P<word>msgid|msgid_plural|msgstr|msgctxt)(?:\[(?P<number>\d)\])?\s+)?(?P<text>".*")'
)
_PLURAL = re.compile(r"plural=([^;\n]+)")
# A place in a sentence: {name}. What stands there is taken over as it is, or said in turn where it is known.
_PLACE = re.compile(r"\{(\w+)\}")
_LEAST_FIXED = 10
# So many at its beginning say as much: `line {number}: {why}`.
_LEAST_LEADING = 5


@dataclass(frozen=True)
class Catalogue:
    """Texts by their English; `plurals` by the English singular, `form_of` gives which of them fits."""

    messages: Mapping[str, str] = field(default_factory=dict)
    plurals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    form_of: Callable[[int], int] = lambda number: int(number != 1)

    def sentence(self, text: str) -> str:
        """Give a whole sentence translated, by its own entry or by one with places that it fits."""
        if known := self.messages.get(text):
            return known
        for form, translated in self._forms:
            if parts := form.parts_of(text):
                said = {name: self.sentence(value) for name, value in parts.items()}
                return _PLACE.sub(lambda place: said.get(place[1], place[0]), translated)  # noqa: B023
        return text

    @cached_property
    def _forms(self) -> list[tuple[_Form, str]]:
        """Give the entries with places; those with the most fixed text first."""
        found = [(_Form(source), text) for source, text in self.messages.items() if _PLACE.search(source)]
        # `{a} of {b}` fits half of all sentences.
        found = [
            pair
            for pair in found
            if pair[0].fixed >= _LEAST_FIXED or len(pair[0].beginning) >= _LEAST_LEADING
        ]
        return sorted(found, key=lambda pair: -pair[0].fixed)


class _Form:
    """A sentence with places. Its pattern is compiled for a text that begins and ends so: few ever are."""

    def __init__(self, source: str) -> None:
        self._source = source
        places = list(_PLACE.finditer(source))
        self.fixed = len(_PLACE.sub("", source))
        self.beginning, self._end = source[: places[0].start()], source[places[-1].end() :]

    def parts_of(self, text: str) -> dict[str, str]:
        """Give what stands in the places, nothing where the text is another sentence."""
        if not (text.startswith(self.beginning) and text.endswith(self._end)):
            return {}
        match = self._pattern.fullmatch(text)
        return match.groupdict() if match else {}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(_pattern(self._source), re.DOTALL)


def read_catalogue(text: str) -> Catalogue:
    """Read a catalogue; ValueError where it is none. Entries without a translation are left out."""
    messages: dict[str, str] = {}
    plurals: dict[str, tuple[str, ...]] = {}
    header = ""
    for entry in _entries(text):
        source = entry.get("msgid", "")
        if not source:
            header = entry.get("msgstr", "")
        elif "msgid_plural" in entry:
            forms = tuple(entry[key] for key in sorted(entry) if key.startswith("msgstr[") and entry[key])
            if forms:
                plurals[source] = forms
        elif entry.get("msgstr"):
            messages[source] = entry["msgstr"]
    rule = _PLURAL.search(header)
    form_of = gettext.c2py(rule[1]) if rule else Catalogue.form_of
    return Catalogue(messages, plurals, form_of)


def _entries(text: str) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = []
    key = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise ValueError(f"line {number} is no line of a catalogue")
        if match["word"] == "msgid":
            entries.append({})
        if match["word"]:
            key = match["word"] + (f"[{match['number']}]" if match["number"] else "")
        entry = entries[-1]
        entry[key] = entry.get(key, "") + str(ast.literal_eval(match["text"]))
    return entries


def _pattern(source: str) -> str:
    """Give a pattern that fits a sentence; a name that comes twice must be the same twice."""
    seen: set[str] = set()
    pieces: list[str] = []
    end = 0
    for place in _PLACE.finditer(source):
        pieces.append(re.escape(source[end : place.start()]))
        name = place[1]
        pieces.append(f"(?P={name})" if name in seen else f"(?P<{name}>.+?)")
        seen.add(name)
        end = place.end()
    return "".join([*pieces, re.escape(source[end:])])
