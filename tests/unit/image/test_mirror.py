"""Where packages come from, and that no address of it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from image import mirror
from image.kickstart import Suite
from node.errors import CommandFailedError, InputError, NodeError, TryAgainError

MIRROR = mirror.Mirror("http://secret.invalid/debian", "http://secret.invalid/debian-security")


def own_apt(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setattr(mirror, "run", lambda *_, **__: said)


def test_the_order_of_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    own_apt(
        monkeypatch,
        "Google|http://g.invalid/\nDebian|http://own.invalid/debian/\nDebian|http://second.invalid/\n"
        "Debian-Security|http://own.invalid/security/\n",
    )
    assert mirror.discover(None, None, {}) == mirror.Mirror(
        "http://own.invalid/debian", "http://own.invalid/security"
    )
    given = mirror.discover(None, None, {"NODE_IMAGE_MIRROR": "http://env.invalid/debian"})
    assert given == mirror.Mirror("http://env.invalid/debian", "http://env.invalid/debian-security")
    flag = mirror.discover("http://flag.invalid/debian/", "http://sec.invalid/", {"NODE_IMAGE_MIRROR": "x"})
    assert flag == mirror.Mirror("http://flag.invalid/debian", "http://sec.invalid")


def test_no_mirror_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    own_apt(monkeypatch, "")
    with pytest.raises(InputError, match="no Debian mirror"):
        mirror.discover(None, None, {})


def test_security_suites_lie_on_their_own_mirror() -> None:
    lines = MIRROR.source_lines([Suite("trixie"), Suite("trixie-security", ("main", "non-free-firmware"))])
    assert lines[0].endswith(" http://secret.invalid/debian trixie main")
    assert lines[1].endswith(" http://secret.invalid/debian-security trixie-security main non-free-firmware")


def test_only_what_reaches_a_mirror_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    own_apt(
        monkeypatch,
        'APT::Periodic "1";\nAcquire::http::Proxy "http://p";\nAcquire::Check-Valid-Until "false";\n'
        'Acquire::Languages "";\nDir::Etc::netrc "auth.conf";\nDPkg::Post-Invoke:: "rm";\n',
    )
    assert mirror.reach_options() == [
        'Acquire::http::Proxy "http://p";',
        'Acquire::Check-Valid-Until "false";',
        'Dir::Etc::netrc "auth.conf";',
    ]


@pytest.mark.parametrize(
    ("words", "kind", "code"),
    [
        ("Err:1 http://secret.invalid/debian trixie\n Could not connect to secret", TryAgainError, 75),
        (
            "E: The repository 'http://secret.invalid/debian x Release' does not have a Release file.",
            InputError,
            2,
        ),
        ("The following signatures couldn't be verified: NO_PUBKEY 123", NodeError, 1),
        ("E: something else", NodeError, 1),
    ],
)
def test_what_apt_says_becomes_an_exit_code(words: str, kind: type[NodeError], code: int) -> None:
    error = CommandFailedError("apt-get failed", argv=["apt-get"], status=100, details=words)
    told = mirror._explain(error, MIRROR)
    assert type(told) is kind
    assert told.exit_code == code
    assert "http://secret.invalid/debian" not in told.details


def test_every_unknown_package_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "preferences.d").mkdir()
    archive = mirror.Archive(tmp_path, "state", 0)

    def run(argv: list[str], **_: object) -> str:
        details = (
            "E: Unable to locate package nosuch\nE: Package 'virtual' has no installation candidate\n"
            "E: Unable to locate package other\n"
        )
        raise CommandFailedError("x", argv=argv, status=100, details=details)

    monkeypatch.setattr(mirror, "run", run)
    assert mirror.simulate(archive, ["a"], ["nano"]).unknown == ("nosuch", "other", "virtual")
    assert (
        "Package: nano\nPin: release *\nPin-Priority: -1" in (tmp_path / "preferences.d/excluded").read_text()
    )


def test_the_date_of_a_release(tmp_path: Path) -> None:
    release = tmp_path / "x_InRelease"
    release.write_text(
        "-----BEGIN PGP SIGNED MESSAGE-----\nOrigin: Debian\nDate: Sat, 17 May 2025 09:05:32 UTC\n"
    )
    assert mirror._date(release) == 1747472732
