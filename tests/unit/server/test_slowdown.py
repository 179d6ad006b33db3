"""Counting what went wrong, by address."""

from __future__ import annotations

from server.slowdown import Seldom, Slowdown


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_few_are_answered_then_it_waits_until_the_minute_is_over() -> None:
    clock = _Clock()
    slowdown = Slowdown(3, clock)
    assert [slowdown.count("192.0.2.1") for _ in range(3)] == [0, 0, 0]
    clock.now = 20
    assert slowdown.count("192.0.2.1") == 40
    assert slowdown.count("192.0.2.1") == 40
    assert slowdown.count("192.0.2.2") == 0
    clock.now = 60
    assert slowdown.count("192.0.2.1") == 0


def test_addresses_that_one_machine_can_change_count_as_one() -> None:
    slowdown = Slowdown(1, _Clock())
    assert slowdown.count("2001:db8::1") == 0
    assert slowdown.count("2001:db8::ffff") > 0
    assert slowdown.count("2001:db8:0:1::1") == 0
    assert slowdown.count("::ffff:192.0.2.1") == 0
    assert slowdown.count("::ffff:192.0.2.2") == 0
    assert slowdown.count("fe80::1%eth0") == 0
    assert slowdown.count("no address") == 0


def test_memory_is_bounded() -> None:
    slowdown = Slowdown(1, _Clock())
    for number in range(10_050):
        slowdown.count(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(slowdown._wrong) == 10_000


def test_each_kind_is_told_once_an_hour() -> None:
    clock = _Clock()
    seldom = Seldom(clock)
    assert [seldom.is_time(what) for what in ("a", "a", "b", "a")] == [True, False, True, False]
    clock.now = 3599
    assert not seldom.is_time("a")
    clock.now = 3600
    assert seldom.is_time("a")
    assert not seldom.is_time("a")


def test_all_together_are_told_a_few_times_a_minute() -> None:
    clock = _Clock()
    seldom = Seldom(clock)
    assert sum(seldom.is_time(str(number)) for number in range(50_000)) == 60
    clock.now = 60
    assert seldom.is_time("49999")
    for minute in range(2, 300):
        clock.now = 60 * minute
        for number in range(61):
            seldom.is_time(f"{minute} {number}")
    assert len(seldom._told) == 10_000
