"""TFTP's packets; transfers themselves are tested with a real client in tests/image."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image.tftp import accept_options, full_number, parse_request


def test_a_request_with_options() -> None:
    packet = b"\0\x01pxelinux.0\0octet\0TSIZE\x000\0blksize\x001456\0odd\0"
    assert parse_request(packet) == (1, "pxelinux.0", {"tsize": 0, "blksize": 1456})


@pytest.mark.parametrize("packet", [b"", b"\0\x01", b"\0\x01name", b"\0\x03\0\x01data", b"\0\x01name\0"])
def test_no_request(packet: bytes) -> None:
    with pytest.raises(ValueError, match="request"):
        parse_request(packet)


@given(st.binary(max_size=64))
def test_whatever_comes_is_a_request_or_a_value_error(packet: bytes) -> None:
    try:
        operation, name, options = parse_request(packet)
    except ValueError:
        return
    assert operation in (1, 2)
    assert isinstance(name, str)
    assert all(value >= 0 for value in options.values())


def test_options_are_granted_within_bounds() -> None:
    asked = {"blksize": 100_000, "tsize": 0, "windowsize": 1000, "multicast": 1}
    assert accept_options(asked, 42) == {"blksize": 65464, "tsize": 42, "windowsize": 64}
    assert accept_options({"blksize": 4}, 42) == {}


@given(st.integers(min_value=0, max_value=1 << 20), st.integers(min_value=0, max_value=64))
def test_block_numbers_start_again_at_0(acked: int, more: int) -> None:
    assert full_number(acked, (acked + more) % 65536) == acked + more
