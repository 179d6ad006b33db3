"""Who may change things at the console, by /etc/shadow and /etc/group; and what a wrong password costs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from node.console.login import Verdict, judge
from node.console.tries import Tries, cost_s
from node.system.passwords import hash_password, verify

TODAY = date(2026, 11, 23)
DAY = (TODAY - date(1970, 1, 1)).days
NO_HASH = "$y$none"


def fake_verify(password: str, hashed: str) -> bool:
    return hashed == f"$y${password}"


@pytest.mark.parametrize(
    ("user", "password", "line", "group", "verdict"),
    [
        ("admin", "x", "admin:$y$x:20000:0:99999:7:::", "admin", Verdict.ADMITTED),
        ("admin", "y", "admin:$y$x:20000:0:99999:7:::", "admin", Verdict.WRONG),
        ("admin", "", "admin::20000:0:99999:7:::", "admin", Verdict.WRONG),
        ("admin", "x", "admin:!$y$x:20000:0:99999:7:::", "admin", Verdict.WRONG),
        ("admin", "x", "admin:*:20000:0:99999:7:::", "admin", Verdict.WRONG),
        ("nobody", "none", "admin:$y$x:20000:0:99999:7:::", "admin,nobody", Verdict.WRONG),
        ("admin", "x", "admin:$y$x:20000:0:99999:7:::", "other", Verdict.NO_ADMIN),
        ("root", "x", "root:$y$x:20000:0:99999:7:::", "", Verdict.ADMITTED),
        ("admin", "x", f"admin:$y$x:20000:0:99999:7::{DAY}:", "admin", Verdict.CLOSED),
        ("admin", "x", f"admin:$y$x:20000:0:99999:7::{DAY + 1}:", "admin", Verdict.ADMITTED),
        ("admin", "x", f"admin:$y$x:{DAY - 31}:0:30:7:::", "admin", Verdict.AGED),
        ("admin", "x", f"admin:$y$x:{DAY - 30}:0:30:7:::", "admin", Verdict.ADMITTED),
        ("admin", "x", "admin:$y$x:0:0:99999:7:::", "admin", Verdict.AGED),
        ("admin", "x", "admin:$y$x", "admin", Verdict.ADMITTED),
        # A wrong password learns nothing of the account.
        ("admin", "y", f"admin:$y$x:0:0:30:7::{DAY}:", "other", Verdict.WRONG),
    ],
)
def test_verdicts(user: str, password: str, line: str, group: str, verdict: Verdict, tmp_path: Path) -> None:
    (tmp_path / "shadow").write_text(f"daemon:*:1::::::\n{line}\n")
    (tmp_path / "group").write_text(f"adm:x:4:everyone\nsudo:x:27:{group}\n")
    found = judge(user, password, verify=fake_verify, no_hash=NO_HASH, etc=tmp_path, today=TODAY)
    assert found is verdict


def test_without_files_nobody_is_an_admin(tmp_path: Path) -> None:
    assert judge("root", "x", verify=fake_verify, no_hash=NO_HASH, etc=tmp_path) is Verdict.WRONG


def test_a_real_hash(tmp_path: Path) -> None:
    (tmp_path / "shadow").write_text(f"root:{hash_password('words')}:20000:0:99999:7:::\n")
    assert judge("root", "words", verify=verify, no_hash=NO_HASH, etc=tmp_path) is Verdict.ADMITTED
    assert judge("root", "word", verify=verify, no_hash=NO_HASH, etc=tmp_path) is Verdict.WRONG


def test_an_unknown_name_is_hashed_too(tmp_path: Path) -> None:
    asked: list[str] = []

    def watching(_password: str, hashed: str) -> bool:
        asked.append(hashed)
        return True

    assert judge("who", "x", verify=watching, no_hash=NO_HASH, etc=tmp_path) is Verdict.WRONG
    assert asked == [NO_HASH]


def test_each_failure_costs_more_up_to_half_a_minute() -> None:
    assert [cost_s(count) for count in range(7)] == [0, 2, 4, 8, 16, 30, 30]
    assert cost_s(10**6) == 30


class Clock:
    def __init__(self) -> None:
        self.at = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def test_a_console_that_is_started_anew_waits_for_the_failure_before(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "tries.json"
    interrupted = Tries(path, clock, lambda _seconds: None)
    interrupted.failed()
    interrupted.failed()
    clock.at += 1
    again = Tries(path, clock, clock.sleep)
    again.wait()
    assert clock.slept == [3.0]
    again.wait()
    assert clock.slept == [3.0]
    again.passed()
    again.failed()
    assert clock.slept == [3.0, 2.0]


@pytest.mark.parametrize("text", ["", "{}", '{"count": "x", "at": 1}', "[]", '{"count": 3, "at": 1e12}'])
def test_a_broken_record_or_another_clock_costs_no_more_than_a_failure(text: str, tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "tries.json").write_text(text)
    Tries(tmp_path / "tries.json", clock, clock.sleep).wait()
    assert sum(clock.slept) <= 8
