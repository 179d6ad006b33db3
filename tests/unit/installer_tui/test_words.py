"""The catalogues: whole, well formed, and with the places that the originals have."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import node
from node import locale
from node.installer.flow import load_plugins
from node.installer.tui.derived import pages_of
from node.locale.catalogue import read_catalogue
from node.model.inventory import Contents, Finding, Holding
from node.model.page import ChoiceField, TextField
from node.plugins.storage.foreign import foreign
from node.testing.machines import machine
from tests.unit.installer_tui.sentences import VALUE, sentences
from tests.unit.installer_tui.test_session import looked, session

ROOT = Path(node.__file__).parent
_PLACE = re.compile(r"\{\w+\}")
# The names of things, which are the same everywhere.
_NAMES = {"BOOT", "SWAP", "CONFIG", "LOGGING", "DATA", "ext4", "XFS"}


def texts(folder: str) -> Iterator[tuple[str, str]]:
    """Give what is marked for translation in a folder's modules, with the function that marks it."""
    for path in sorted((ROOT / folder).glob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args:
                first = call.args[0]
                if call.func.id in ("_", "plural") and isinstance(first, ast.Constant):
                    yield call.func.id, str(first.value)


def words_of_pages() -> Iterator[str]:
    for page in pages_of(load_plugins().sections()):
        yield from (page.title, page.help)
        for field in page.fields:
            yield from (field.label, field.help)
            if isinstance(field, TextField):
                yield field.empty
            if isinstance(field, ChoiceField) and field.key != "locale.keyboard":
                yield from (words for _value, words in field.options)


def test_every_text_of_the_screens_is_in_czech():
    czech = locale.catalogue("cs")
    marked = [pair for folder in ("tui", "installer/tui") for pair in texts(folder)]
    missing = {text for kind, text in marked if kind == "_" and text not in czech.messages}
    missing |= {text for kind, text in marked if kind == "plural" and text not in czech.plurals}
    missing |= {text for text in words_of_pages() if text and text not in czech.messages}
    assert missing - _NAMES == set()


# Pieces that come together in the code and never on a node: an empty one, a verb behind another's beginning.
_NEVER_SAID = {
    "Did you mean ''?",
    "Did you mean ?",
    f"line {VALUE}: ",
    f"the layout {VALUE}",
    f"in the layout, {VALUE}",
    f"in the layout, is on {VALUE}, which this machine doesn't have",
}


def test_every_sentence_of_a_problem_is_in_czech():
    locale.use("cs")
    found = [
        sentence
        for path in sorted(ROOT.rglob("*.py"))
        if "cli" not in path.parts  # only the command line says these, in English
        for sentence in sentences(path, str(path.relative_to(ROOT)))
    ]
    assert len(found) > 200
    missing = [
        f"{sentence.place}: {sentence.text}"
        for sentence in found
        if not sentence.is_only_a_value
        and sentence.text not in _NEVER_SAID
        and locale.say(sentence.text) == sentence.text
    ]
    assert missing == []


@pytest.mark.parametrize(
    "kind", ["lvm", "md", "raid", "zfs", "vmfs", "ceph", "luks", "multipath", "btrfs", "bcache", "drbd"]
)
@pytest.mark.parametrize("detail", ["", "of something"])
def test_what_belongs_to_another_system_is_in_czech(kind: str, detail: str):
    disk = machine("vm-virtio-blank").disks[0]
    held = (Holding(kind=kind, detail=detail, node="/dev/vda1"),)
    (problem,) = foreign(replace(disk, contents=Contents(Finding.HOLDS, held)))
    locale.use("cs")
    said = locale.say(problem.what)
    assert said.startswith("/dev/vda1")
    assert said != problem.what


@pytest.mark.parametrize(
    "name", ["vm-virtio-blank", "server-foreign-lvm", "server-nvme-pair", "vm-installed"]
)
def test_every_step_of_a_plan_is_in_czech(name: str):
    one = session(name)
    one.set("storage.disk", {"serial": one.inventory.disks[0].serial})
    looked(one).agree(one.disk)
    steps = [entry.step.summary() for entry in looked(one).view.seen.plan.steps]
    locale.use("cs")
    assert len(steps) > 10
    assert [words for words in steps if locale.say(words) == words] == []


@pytest.mark.parametrize(
    "words",
    [
        "Write new partitions beside the kept ones on /dev/vda (serial A): DATA 1 GiB (kept)",
        "Bring the node's kept configuration up to date (node.yaml on CONFIG)",
        "Mark the earlier installation as replaced (on CONFIG)",
        "/dev/vda (20 GiB, serial NODE0001)",
    ],
)
def test_what_a_reinstallation_says_is_in_czech(words: str):
    locale.use("cs")
    assert locale.say(words) not in ("", words)


@pytest.mark.parametrize("language", ["cs", "en"])
def test_translations_have_the_places_of_their_originals(language: str):
    for source, text in locale.catalogue(language).messages.items():
        assert set(_PLACE.findall(text)) <= set(_PLACE.findall(source)), source


def test_sentences_are_found_by_their_places():
    locale.use("cs")
    assert locale.say("SWAP needs 128 MiB at least, not 1 MiB") == "SWAP potřebuje nejméně 128 MiB, ne 1 MiB"
    assert locale.say("something that nobody knows") == "something that nobody knows"


@pytest.mark.parametrize(("number", "words"), [(1, "1 klíč"), (3, "3 klíče"), (5, "5 klíčů")])
def test_plurals(number: int, words: str):
    locale.use("cs")
    assert words in locale.plural("{n} key was added.", "{n} keys were added.", number)


def test_what_is_no_catalogue_is_refused():
    with pytest.raises(ValueError, match="line 1"):
        read_catalogue("msgid without quotes")


@pytest.mark.parametrize(
    ("given", "wanted"), [("cs_CZ.UTF-8", "cs"), ("C", "en"), ("", "en"), ("de_DE", "en")]
)
def test_the_language_of_the_environment(given: str, wanted: str):
    locale.use(given)
    assert locale.language() == wanted
