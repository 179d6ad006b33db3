"""Archives that others made: read whole, or refused in words."""

from __future__ import annotations

import contextlib
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.system.zip_files import BadArchiveError, read_zip


def archive(*entries: tuple[str, bytes], mode: int | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, data in entries:
            entry = zipfile.ZipInfo(name)
            if mode is not None:
                entry.external_attr = mode << 16
            made.writestr(entry, data)
    return buffer.getvalue()


def refused(data: bytes, **limits: int) -> str:
    with pytest.raises(BadArchiveError) as caught:
        read_zip(io.BytesIO(data), **limits)
    return str(caught.value)


def test_files_with_their_right_to_run() -> None:
    files = read_zip(io.BytesIO(archive(("b/", b""), ("b/x", b"1"), ("a", b"22"))))
    assert {name: file.data for name, file in files.items()} == {"a": b"22", "b/x": b"1"}
    assert not files["a"].executable
    [file] = read_zip(io.BytesIO(archive(("a", b""), mode=0o100755))).values()
    assert file.executable


def test_no_more_of_a_mode_than_that() -> None:
    [file] = read_zip(io.BytesIO(archive(("a", b""), mode=0o104640))).values()
    assert not file.executable


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (0o120777, "a symbolic link"),
        (0o020666, "no plain file"),
        (0o060666, "no plain file"),
        (0o010666, "no plain file"),
    ],
)
def test_no_links_and_devices(mode: int, words: str) -> None:
    assert words in refused(archive(("a", b"/etc/shadow"), mode=mode))


@pytest.mark.parametrize("name", ["../a", "/a", "a/../b", "a\\..\\b", "../", "a/../"])
def test_no_way_out(name: str) -> None:
    assert "can't be unpacked" in refused(archive((name, b"")))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_name_twice() -> None:
    assert "'a' is in it twice" in refused(archive(("a", b"1"), ("a", b"2")))


def test_a_name_with_a_zero_byte() -> None:
    data = archive(("aXb", b"1")).replace(b"aXb", b"a\0b")
    assert "not a plain one" in refused(data) or "can't be" in refused(data)


def test_limits() -> None:
    assert "more than 0 MiB" in refused(archive(("a", b"123456")), most_bytes=5)
    assert read_zip(io.BytesIO(archive(("a", b"12345"))), most_bytes=5)


def test_a_length_that_lies() -> None:
    data = bytearray(archive(("a", b"0" * 1000)))
    at = data.rindex(b"PK\x01\x02")
    # uncompressed size in the central directory (PKWARE APPNOTE 4.3.12)
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    assert refused(bytes(data))


@given(st.data())
def test_whatever_is_damaged_is_refused_in_words(data: st.DataObject) -> None:
    good = archive(("a/b.py", b"x = 1\n" * 20), ("c", b"2"))
    at = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[at] ^= data.draw(st.integers(1, 255))
    # Anything else that it raised would be a crash.
    with contextlib.suppress(BadArchiveError):
        read_zip(io.BytesIO(bytes(bad)))


@given(st.integers(0, 400))
def test_what_is_cut_off(length: int) -> None:
    good = archive(("a/b.py", b"x = 1\n" * 20), ("c", b"2"))
    if length < len(good):
        assert refused(good[:length])
