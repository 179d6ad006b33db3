from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.installer.document import MAX_BYTES, read_document, scalar


def read(text: str | bytes):
    layer, problems = read_document(text.encode() if isinstance(text, str) else text, name="a.yaml")
    return layer, [(problem.code, problem.where, str(problem.origin)) for problem in problems]


def test_each_key_has_its_line():
    layer, problems = read("a:\n  b: 1\n  c:\n  - x\n  - y\n")
    assert not problems
    assert layer.values == {"a": {"b": 1, "c": ["x", "y"]}}
    assert str(layer.origin("a.b")) == "a.yaml, line 2"
    assert str(layer.origin("a.c.1")) == "a.yaml, line 5"
    assert str(layer.origin("a.zzz")) == "a.yaml, line 1"


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("no", "no"),  # Norway's keyboard
        ("on", "on"),
        ("true", True),
        ("0123", "0123"),  # a serial number, not 83
        ("1_000", "1_000"),
        ("52:54:00:12:34:56", "52:54:00:12:34:56"),  # not a number to base 60
        ("2026-11-23", "2026-11-23"),
        ("12", 12),
        ("-1", -1),
        ("1.5", 1.5),
        ("1.50", "1.50"),  # would not print as it was written
        ("1e5", "1e5"),
        ("0x1F", "0x1F"),
        ("~", None),
        ("99999999999999999999", "99999999999999999999"),
    ],
)
def test_plain_words_mean_what_they_look_like(word: str, value: object):
    assert scalar(word) == value
    assert type(scalar(word)) is type(value)
    layer, _ = read(f"a: {word}\n")
    assert layer.values == {"a": value}


def test_quoted_words_are_text():
    layer, _ = read("a: '12'\nb: \"true\"\nc: |\n  12\n")
    assert layer.values == {"a": "12", "b": "true", "c": "12\n"}


def test_json_with_tabs_and_its_own_escapes():
    layer, problems = read('{\n\t"a": "x\\/\\ud83d\\ude00",\n\t"b": [1, 2.5, null, true]\n}')
    assert not problems
    assert layer.values == {"a": "x/\U0001f600", "b": [1, 2.5, None, True]}
    assert str(layer.origin("b")) == "a.yaml, line 3"


def test_a_key_that_stands_twice_is_a_problem():
    assert read("a: 1\nb: 2\na: 3\n")[1] == [("duplicate-key", "a", "a.yaml, line 3")]
    assert read('{"a": {"b": 1,\n"b": 2}}')[1] == [("duplicate-key", "a.b", "a.yaml, line 2")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: [", "answers-syntax"),
        ("a: 1\n b: 2", "answers-syntax"),
        ("a: 1\n---\nb: 2\n", "answers-syntax"),
        ("a: !!python/object:os.system x", "answers-syntax"),
        ("a: !vault x", "answers-syntax"),
        ("a: *nowhere", "answers-syntax"),
        ("? [a, b]\n: c", "answers-syntax"),
        ("a: \x01", "answers-syntax"),
        ('{"a": 1,,}', "answers-syntax"),
        (b"a: \xff", "answers-encoding"),
        ("- a", "answers-form"),
        ("just words", "answers-form"),
        ("a: " + "[" * 3000, "answers-syntax"),
        ("a: &a [*a]", "answers-size"),
        ("x" * (MAX_BYTES + 1), "answers-size"),
    ],
)
def test_what_can_not_be_read_is_a_problem(text: str | bytes, code: str):
    assert [found for found, _, _ in read(text)[1]] == [code]


def test_a_bomb_of_aliases_ends_soon():
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{after}: &{after} [{','.join([f'*{before}'] * 10)}]\n"
    assert ("answers-size", "a.yaml", "a.yaml") in read(bomb)[1]


def test_syntax_errors_don_t_repeat_secrets():
    _, problems = read_document(b"access:\n  password_hash: hunter2: hunter2\n", name="a.yaml")
    assert "hunter2" not in str(problems[0])
    assert str(problems[0].origin) == "a.yaml, line 2"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n", "\ufeffa: 1\n"])
def test_an_empty_document_is_no_problem(text: str):
    assert read(text)[1] == []


@given(st.binary(max_size=300))
def test_it_never_raises(contents: bytes):
    read_document(contents, name="a.yaml")


@given(
    st.dictionaries(
        st.text(min_size=1),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=5,
        ),
        max_size=4,
    )
)
def test_json_reads_back_equal(values: dict[str, object]):
    layer, _ = read_document(json.dumps(values).encode(), name="a.json")
    assert layer.values == values
