"""Where to listen, and what the certificate is made out to."""

from __future__ import annotations

import click
import pytest

from node.errors import InputError
from server.cli.spans import span
from server.names import read_listen, require_hosts


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("127.0.0.1:8443", ("127.0.0.1", 8443)),
        ("127.0.0.1", ("127.0.0.1", 8443)),
        (":9000", ("0.0.0.0", 9000)),
        ("[::]:9000", ("::", 9000)),
        ("::1", ("::1", 8443)),
        ("nodes.example:1", ("nodes.example", 1)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
    ],
)
def test_listen(text: str, where: tuple[str, int]) -> None:
    assert read_listen(text) == where


@pytest.mark.parametrize("text", ["a:b", "127.0.0.1:99999", "127.0.0.1:123456", "[::1"])
def test_no_address(text: str) -> None:
    with pytest.raises(InputError):
        read_listen(text)


def test_hosts() -> None:
    require_hosts("--name", ["a", "a.b-c.example", "192.0.2.1", "2001:db8::1"])
    for bad in ("", "a b", "-a", "a..b", "a/b", "a" * 64, "*.example"):
        with pytest.raises(InputError, match="--name"):
            require_hosts("--name", [bad])


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("12h", 43200), (" 7d", 604800)])
def test_spans(text: str, seconds: int) -> None:
    assert span(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "7", "-1s", "1.5h", "0d", "4000d", "7 days"])
def test_no_spans(text: str) -> None:
    with pytest.raises(click.BadParameter):
        span(text)
