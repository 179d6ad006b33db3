"""What each page shows, as golden text; and that turned-off reading shows nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from node.console.clerk import Clerk
from node.console.views import Change, TrialView
from node.demo.console import recorded
from node.hookspecs import StatusLine
from node.locale import use
from node.model.fingerprint import shown
from node.model.status import Interface
from node.plugins.registration.panel import lines
from tests.unit.console.desk import Operator

PAGES = ("status", "network", "access", "storage", "logging", "registration", "plugins", "log", "power")
SIZES = ((80, 24), (132, 43))


@pytest.fixture(autouse=True)
def english():
    use("en")
    yield
    use("en")


@pytest.mark.parametrize("language", ["en", "cs"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("page", PAGES)
def test_page(page: str, size: tuple[int, int], language: str, tmp_path: Path, snapshot) -> None:
    use(language)
    operator = Operator(tmp_path, size=size).page(page)
    assert all(len(line) <= size[0] for line in operator.lines())
    assert operator.picture == snapshot


@pytest.mark.parametrize("language", ["en", "cs"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_dialogs(size: tuple[int, int], language: str, tmp_path: Path, snapshot) -> None:
    use(language)
    operator = Operator(tmp_path, size=size)
    pictures = [operator.press("f9").picture]
    operator.type("demo").press("enter").page("network").press("enter", "tab", "tab", "tab", "tab", "tab")
    operator.press("ctrl u").type("192.0.2.254/24").press("enter", "enter", "enter", "enter", "enter")
    pictures += [operator.picture, operator.press("enter").picture, operator.press("enter").picture]
    pictures += [operator.press("enter").picture]
    pictures += [operator.press("enter").press("f10", "enter", "enter").picture]
    pictures += [operator.press("esc", "esc").press("f1").picture]
    assert "\n".join(pictures) == snapshot


def test_a_degraded_node(tmp_path: Path, snapshot) -> None:
    seen = recorded()
    panels = (*seen.panels, StatusLine("registration", "not registered: server away", healthy=False))
    operator = Operator(
        tmp_path,
        status=replace(seen.status, interfaces=(Interface("ens3"),), failed_units=("ssh.service",)),
        panels=panels,
        faults=("ssh.service failed", "no network interface has an address", "registration: server away"),
        trial=None,
    )
    assert operator.picture == snapshot
    # The page of the registration is there once there is something to show.
    assert operator.page("registration").screens.page.key == "registration"
    operator.sees("! not registered: server away")


@pytest.mark.parametrize(
    ("host", "columns", "seen"),
    [
        ("node1.example.org", 80, "2026-11-23 09:02 UTC"),
        ("rack-12-unit-7.east.datacenter.example.org", 80, " Nodecrust  rack-12-unit-7.east.d…"),
        ("rack-12-unit-7.east.datacenter.example.org", 132, "datacenter.example.org"),
        ("node1.example.org", 60, "node1.example.org"),
    ],
)
def test_who_is_logged_in_is_seen_whatever_the_name(
    host: str, columns: int, seen: str, tmp_path: Path
) -> None:
    status = replace(recorded().status, hostname=host)
    line = Operator(tmp_path, size=(columns, 24), status=status).lines()[0]
    assert seen in line
    assert line.endswith("tty1  nobody logged in")


def test_where_the_node_stands_is_said_above_the_settings(tmp_path: Path, snapshot) -> None:
    known = {
        "asked": ["server"],
        "backends": {
            "server": {
                "standing": "pending",
                "words": "waits until somebody agrees to node 7d1a",
                "mend": "Compare the key's fingerprint with the server's and agree there",
                "terms": [["registration CA", shown("ab" * 32)], ["registration key", shown("0123" * 16)]],
            }
        },
    }
    operator = Operator(tmp_path, panels=lines(known))
    # On the first page only what must be done.
    operator.sees("waits until somebody agrees")
    assert "SHA256:ab" not in operator.picture
    assert operator.page("registration").picture == snapshot
    operator.sees("SHA256:ab:ab", "SHA256:01:23", "Server")


def test_a_node_that_is_told_of_no_server_says_so(tmp_path: Path) -> None:
    Operator(tmp_path).page("registration").sees("told of no server")


def test_a_trial_of_somebody_else_is_said(tmp_path: Path) -> None:
    operator = Operator(tmp_path)
    operator.screens._take_overview(replace(recorded(), trial=TrialView("config set network.dns", 90)))
    operator.sees("On trial", "config set network.dns; taken back in 90 s")


def test_what_plugins_and_logs_say_acts_on_no_terminal(tmp_path: Path) -> None:
    operator = Operator(tmp_path, events=("\x1b[2Jgone\x07",), panels=(StatusLine("a\x1b", "b\x9b1m"),))
    assert not [letter for letter in operator.picture if not letter.isprintable() and letter != "\n"]
    operator.sees("?[2Jgone?", "b?1m")


def test_reading_that_is_turned_off_elsewhere_ends_what_is_shown(tmp_path: Path) -> None:
    operator = Operator(tmp_path).page("log")
    operator.sees("Linux version")
    root = Clerk(operator.node.surroundings(place="ssh"), user="root")
    root.carry_out(root.propose([Change("access.console_reading", False)]).number)
    operator.bg.wait(11)
    operator.sees("This node tells nothing")
    assert "Linux version" not in operator.picture
    assert "node1" not in operator.picture


def test_reading_turned_off_shows_nothing(tmp_path: Path, snapshot) -> None:
    operator = Operator(tmp_path)
    operator.press("f9").type("demo").press("enter").page("access").press("enter")
    operator.press(*["tab"] * 5, " ", "enter").press("enter").press("enter")
    assert operator.node.stored["access"]["console_reading"] is False
    operator.press("f9")
    operator.bg.wait(11)
    assert operator.press("home").picture == snapshot
    for page in PAGES:
        picture = operator.page(page).picture
        assert "192.0.2" not in picture
        assert "node1" not in picture
        assert "Linux version" not in picture
        assert "notes.txt" not in picture
    # Not even the admin's name is told.
    operator.press("f9").type("admin").press("tab").type("demo").press("enter")
    operator.page("status").sees("192.0.2.10")


def test_help_tells_what_f2_does_where_no_prompt_follows(tmp_path: Path) -> None:
    alone = Operator(tmp_path, prompt=False)
    alone.press("f1").sees("F2: leave, F5: read again")
    alone.press("esc", "f2").sees("Leave?")
