from __future__ import annotations

from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, create_model

from node.installer.answers import merge, validate
from node.installer.document import read_document
from node.installer.keys import KnownKeys
from node.installer.problem_text import problem_lines
from node.model.answers import Layer, SectionModel
from node.model.install import InstallAnswers
from node.model.origin import Precedence
from tests.unit.installer.sections import MODELS, Access, Admin, Network, Storage


def layer(precedence: Precedence, **values: object) -> Layer:
    return Layer(precedence, values, precedence.name.lower())


def validated(text: str):
    found, problems = read_document(text.encode(), name="a.yaml")
    assert not problems
    return validate(merge([found]), MODELS)


def test_higher_layers_overrule_lower_ones_key_by_key():
    low = layer(Precedence.IMAGE, storage={"disk": {"serial": "A", "prefer": "largest"}, "keep": True})
    high = layer(Precedence.KERNEL, storage={"disk": {"serial": "B"}})
    for order in ([low, high], [high, low]):
        answers, problems = validate(merge(order), MODELS)
        assert not problems
        storage = answers[Storage]
        assert (storage.disk.serial, storage.disk.prefer, storage.keep) == ("B", "largest", True)
        assert str(answers.origin("storage.disk.serial")) == "kernel"
        assert str(answers.origin("storage.disk.prefer")) == "image"
        assert str(answers.origin("storage.consent")) == "default"


def test_lists_are_replaced_as_a_whole():
    low = layer(Precedence.FILE, storage={"consent": ["A", "B", "C"]})
    high = layer(Precedence.SCREEN, storage={"consent": ["D"]})
    answers, _ = validate(merge([low, high]), MODELS)
    assert answers[Storage].consent == ("D",)
    assert "storage.consent.1" not in answers.origins


def test_an_empty_section_takes_nothing_away():
    low = layer(Precedence.FILE, storage={"keep": True})
    answers, problems = validate(merge([low, layer(Precedence.KERNEL, storage=None)]), MODELS)
    assert not problems
    assert answers[Storage].keep


def test_the_origin_of_every_value_is_known():
    answers, _ = validated("storage:\n  consent: [x]\n")
    assert str(answers.origin("storage.consent")) == "a.yaml, line 2"
    assert str(answers.origin("network.hostname")) == "default"
    assert set(KnownKeys(MODELS).leaves()) <= set(answers.origins)


def test_digits_without_quotes_are_a_serial_number():
    answers, problems = validated("storage: {disk: {serial: 12345}, consent: [0123, 77]}")
    assert not problems
    assert answers[Storage].disk.serial == "12345"
    assert answers[Storage].consent == ("0123", "77")


BAD = """\
version: 2
install: {mode: unatended, reinstall: "a b"}
storage:
  serial: ABC
  disk:
    serail: 123
    min_size: 4 Gigs
    prefer: bigest
  consent: [a, {b: c}, 7]
  keep: maybe
access:
  admin:
    password_hash: $1$hunter2
    name:
  password_hash: hunter2
netwrk: {}
"""


def test_every_problem_is_told_at_once_with_its_line_and_its_mend():
    answers, problems = validated(BAD)
    assert [(p.code, p.where, str(p.origin).rpartition("line ")[2]) for p in problems] == [
        ("answers-version", "version", "1"),
        ("wrong-value", "install.mode", "2"),
        ("wrong-value", "install.reinstall", "2"),
        ("unknown-key", "storage.serial", "4"),
        ("unknown-key", "storage.disk.serail", "6"),
        ("wrong-value", "storage.disk.min_size", "7"),
        ("wrong-value", "storage.disk.prefer", "8"),
        ("wrong-type", "storage.consent.1", "9"),
        ("wrong-type", "storage.keep", "10"),
        ("weak-hash", "access.admin.password_hash", "13"),
        ("wrong-value", "access.admin.name", "14"),
        ("unknown-key", "access.password_hash", "15"),
        ("unknown-section", "netwrk", "16"),
    ]
    mends = {problem.where: problem.mend for problem in problems}
    assert mends["storage.serial"] == "Did you mean storage.disk.serial?"
    assert mends["storage.disk.serail"] == "Did you mean storage.disk.serial?"
    assert mends["access.password_hash"] == "Did you mean access.admin.password_hash?"
    assert mends["netwrk"] == "Did you mean network?"
    assert mends["storage.keep"] == "Write true or false (Keep what is there)"
    # What is right is kept, so that later checks see it.
    assert answers[Storage].consent == ("a", "7")
    assert answers[InstallAnswers] == InstallAnswers()


def test_no_problem_repeats_a_secret():
    _, problems = validated(BAD)
    assert "hunter2" not in "\n".join(problem_lines(problems))
    _, problems = validated("access: {admin: {password_hash: [hunter2]}}")
    assert "hunter2" not in str(problems)
    _, problems = validated("access: hunter2")
    assert "hunter2" not in str(problems)


def test_problems_fit_eighty_columns():
    _, problems = validated(BAD)
    assert max(map(len, problem_lines(problems))) <= 80


def test_a_mapping_of_any_keys_is_taken_as_it_is():
    answers, problems = validated("network: {netplan: {ethernets: {eth0: {dhcp4: true}}}}")
    assert not problems
    assert answers[Network].netplan == {"ethernets": {"eth0": {"dhcp4": True}}}


def test_only_persistent_sections_outlive_the_install():
    answers, _ = validated("storage: {keep: true}\naccess: {admin: {name: op}}")
    assert answers.persistent() == {"access": {"admin": {"name": "op"}}}
    assert answers[Access].admin.name == "op"


# A stored section is JSON's values, which know no infinity; nor does any key or netplan.
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["disk", "serial", "consent", "keep", "admin", "password_hash", "netplan", "x", "0"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["version", "install", "storage", "access", "network", "x"]), values))
def test_validation_is_total_and_gives_every_section(document: dict[str, object]):
    answers, problems = validate(merge([Layer(Precedence.FILE, document)]), MODELS)
    assert {type(section) for section in answers.sections.values()} == set(MODELS.values())
    again, none = validate(
        merge(
            [
                Layer(
                    Precedence.FILE,
                    {key: section.model_dump(mode="json") for key, section in answers.sections.items()},
                )
            ]
        ),
        MODELS,
    )
    assert not none
    assert again.sections == answers.sections
    assert all(problem.mend and problem.where for problem in problems)


def test_no_key_of_another_section_is_proposed_for_a_word_that_is_only_alike():
    known = KnownKeys(MODELS)
    assert known.nearest("install.kep") == ""
    assert known.nearest("install.serial") == "storage.disk.serial"
    assert known.nearest("storage.disk.SERIAL") == "storage.disk.serial"
    assert known.nearest("Storage.disk.serail") == "storage.disk.serial"


@pytest.mark.parametrize(
    ("choices", "mend"),
    [
        (("", "on", "off", "blink"), "Leave it empty, or write on, off or blink"),
        (("on", ""), "Leave it empty, or write on"),
        (("on", "", "off"), "Leave it empty, or write on or off"),
        (("on", "off"), "Write on or off"),
        (("",), "Leave it empty"),
    ],
)
def test_an_empty_choice_is_told_in_words(choices: tuple[str, ...], mend: str):
    light = create_model("Light", __base__=SectionModel, led=(Literal[choices], choices[0]))
    light.key = "light"
    _, problems = validate(merge([Layer(Precedence.FILE, {"light": {"led": "glow"}}, "x")]), {"light": light})
    assert [(one.where, one.mend) for one in problems] == [("light.led", mend)]


class Lasting(SectionModel):
    key: ClassVar[str] = "lasting"
    persists: ClassVar[bool] = True
    admin: Admin = Admin()
    netplan: dict[str, Any] = Field(default={})
    zone: str = ""


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({}, ()),
        ({"zone": "Etc/UTC"}, ("lasting.zone",)),
        ({"zone": ""}, ("lasting.zone",)),
        ({"admin": {"ssh_keys": ["a", "b"]}}, ("lasting.admin.ssh_keys",)),
        ({"admin": None, "netplan": {}}, ()),
        ({"netplan": {"ethernets": {"e1": {"mtu": 9000}}}}, ("lasting.netplan",)),
    ],
)
def test_what_somebody_said_is_known_from_what_the_image_has(said: Any, fields: tuple[str, ...]) -> None:
    image = layer(Precedence.IMAGE, lasting={"admin": {"name": "root"}, "zone": "Etc/UTC"}, access={})
    asked = layer(Precedence.FILE, lasting=said, storage={"keep": True})
    answers, problems = validate(merge([image, asked]), {**MODELS, "lasting": Lasting})
    assert not problems
    assert answers.said() == fields
