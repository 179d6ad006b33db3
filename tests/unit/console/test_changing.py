"""Changes at the console, by keys alone: logging in, what is shown before, the trial, leaving."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.console.screens import LEFT, LOGIN
from node.console.views import Standing
from node.model.problem import Problem
from node.system.passwords import verify
from tests.unit.console.desk import Operator


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def to_servers(operator: Operator) -> Operator:
    """Type another log server and apply it."""
    operator.page("logging").press("enter", "ctrl u").type("udp://192.0.2.9")
    return operator.press("tab", "tab", "enter")


def to_address(operator: Operator) -> Operator:
    """Type another address and apply it."""
    operator.page("network").press("enter", *["tab"] * 5, "ctrl u").type("192.0.2.99/24")
    return operator.press(*["tab"] * 6, "enter")


def test_a_change_asks_for_a_log_in_shows_itself_and_is_stored(operator: Operator) -> None:
    to_servers(operator).sees("Log in as an admin", "Name admin")
    operator.type("demo").press("enter")
    operator.sees("Change this?", "- - tls://log.example.org", "+ - udp://192.0.2.9")
    assert operator.node.stored["logging"] == {"forward": ["tls://log.example.org"]}
    operator.press("enter").sees("Stored.", "Log servers udp://192.0.2.9")
    assert operator.node.stored["logging"] == {"forward": ["udp://192.0.2.9"]}
    assert operator.node.notes == ["log-in of admin on tty1"]


def test_not_yet_changes_nothing_and_keeps_what_was_typed(operator: Operator) -> None:
    to_servers(operator).type("demo").press("enter", "down", "enter")
    assert operator.node.stored["logging"] == {"forward": ["tls://log.example.org"]}
    operator.sees("Log servers udp://192.0.2.9")
    # Neither another page nor what is read meanwhile loses it; Undo does.
    operator.press("esc").page("status").page("logging").press("f5")
    operator.bg.wait(30)
    operator.sees("Log servers udp://192.0.2.9")
    operator.press("enter", "right", "enter").sees("tls://log.example.org")


def test_without_a_log_in_nothing_changes(operator: Operator) -> None:
    to_servers(operator).press("esc")
    assert operator.node.stored["logging"] == {"forward": ["tls://log.example.org"]}
    operator.sees("nobody logged in", "udp://192.0.2.9")


def test_a_wrong_password_twice_then_the_right_one(operator: Operator) -> None:
    operator.press("f9").type("wrong").press("enter").sees("The name or the password is wrong")
    operator.type("wronger").press("enter").sees("The name or the password is wrong")
    assert (operator.node.waited[0], operator.node.waited[-1]) == (2.0, 4.0)
    operator.type("demo").press("enter").sees("Logged in as admin.")
    assert operator.node.notes == [
        "failed log-in on tty1",
        "failed log-in on tty1",
        "log-in of admin on tty1",
    ]
    assert "wronger" not in operator.picture


def test_every_problem_stands_beside_its_field(operator: Operator) -> None:
    operator.log_in().page("logging").press("enter", "ctrl u").type("gopher://x").press("tab", "tab", "enter")
    operator.sees("This did not work", "logging.forward")
    operator.press("esc").sees("gopher://x", "! ")
    assert operator.node.stored["logging"] == {"forward": ["tls://log.example.org"]}


def test_a_problem_stands_beside_its_field_as_soon_as_it_is_left(operator: Operator) -> None:
    wrong = "! 'gopher' is none of udp, tcp, tls"
    operator.page("logging").press("enter", "ctrl u").type("gopher://x")
    assert wrong not in operator.words
    operator.press("tab").sees(wrong)
    assert operator.node.notes == []  # nobody logged in, and nothing was asked
    operator.press("shift tab", "ctrl u").type("udp://192.0.2.9").press("tab")
    assert wrong not in operator.words


def test_leaving_the_page_leaves_the_field(operator: Operator) -> None:
    operator.page("logging").press("enter", "ctrl u").type("gopher://x").press("esc")
    operator.sees("! 'gopher' is none of udp, tcp, tls")


def test_a_password_typed_once_is_no_problem_before_the_second_field_is_left(operator: Operator) -> None:
    operator.page("access").press("enter", "tab").type("x").press("tab").sees("Password *", "Once more")
    assert "the two passwords differ" not in operator.words
    operator.press("tab").sees("the two passwords differ")


def test_what_only_applying_tells_stays_until_its_field_is_another(operator: Operator) -> None:
    page = next(page for page in operator.screens.pages if page.key == "logging")
    operator.log_in().page("logging").press("enter", "ctrl u").type("udp://192.0.2.9").press("tab")
    page.show_problems([Problem("x", "logging.forward", "this server is on strike", "Wait")])
    operator.press("tab", "tab").sees("this server is on strike")
    operator.press("ctrl u").type("udp://192.0.2.10").press("tab")
    assert "on strike" not in operator.words


def test_the_network_is_on_trial_until_it_is_kept(operator: Operator) -> None:
    to_address(operator.log_in())
    operator.sees("It is tried first", "+ - 192.0.2.99/24")
    operator.press("enter").sees("Is the node still reachable?", "In 60 seconds it is taken back")
    assert "192.0.2.10/24" in str(operator.node.stored["network"])
    operator.press("enter").sees("Kept and stored.", "192.0.2.99/24")
    assert "192.0.2.99/24" in str(operator.node.stored["network"])


def test_the_network_is_taken_back_by_a_key(operator: Operator) -> None:
    to_address(operator.log_in()).press("enter", "down", "enter").sees("Taken back.", "Address 192.0.2.10/24")
    assert "192.0.2.10/24" in str(operator.node.stored["network"])


def test_the_network_is_taken_back_by_itself(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    to_address(operator.log_in()).press("enter")
    monkeypatch.setattr("node.agent.trial.uptime_s", lambda: 1e12)
    operator.bg.wait(25)
    operator.sees("The change was not kept in time and was taken back.", "Address 192.0.2.10/24")
    assert "192.0.2.10/24" in str(operator.node.stored["network"])


def test_a_trial_that_is_hidden_comes_back_by_a_key(operator: Operator) -> None:
    to_address(operator.log_in()).press("enter", "esc").sees("The change stays on trial")
    operator.bg.wait(20)
    assert "Is the node still reachable?" not in operator.words
    operator.press("f5").sees("Is the node still reachable?")


def test_a_bond_with_a_vlan_by_keys(operator: Operator) -> None:
    operator.log_in().page("network").press("enter", "tab", "tab", " ").sees("Bond active-backup")
    operator.press("tab", "right").sees("802.3ad")
    operator.press("tab").type("7").press("tab", "right", "right").sees("IPv4 by DHCP")
    operator.press(*["tab"] * 5, "enter", "enter")
    operator.sees("Is the node still reachable?")
    operator.press("enter")
    netplan = operator.node.stored["network"]["netplan"]
    assert netplan["bonds"]["bond0"]["interfaces"] == ["ens3", "ens4"]
    assert netplan["bonds"]["bond0"]["parameters"]["mode"] == "802.3ad"
    assert netplan["vlans"]["bond0.7"]["dhcp4"] is True


def test_a_password_is_stored_as_a_hash(operator: Operator) -> None:
    operator.log_in().page("access").press("enter", "tab").type("new words").press("tab").type("new word")
    operator.press(*["tab"] * 4, "enter").sees("! the two passwords differ", "Not yet")
    operator.press("tab", "tab", "tab").type("s")
    operator.press(*["tab"] * 4, "enter").sees("Change this?", "password_hash: '***")
    operator.press("enter")
    assert verify("new words", operator.node.stored["access"]["admin"]["password_hash"])
    assert operator.node.stored["access"]["admin"]["password_changed"]
    assert "new word" not in operator.picture


def test_restart_shows_first_what_would_be_lost(operator: Operator) -> None:
    operator.press("f10").sees("A restart would lose 3 changes", "/root/notes.txt")
    operator.press("enter", "enter").sees("Log in as an admin")
    operator.type("demo").press("enter").sees("Restart?", "/root/notes.txt", "Restart now")
    operator.press("enter")
    assert operator.node.left == []
    operator.press("enter", "down", "enter").sees("The node restarts")
    assert operator.node.left == ["reboot"]
    assert operator.node.notes[-1] == "reboot by admin on tty1"


def test_switching_off(operator: Operator) -> None:
    operator.log_in().press("f10", "enter", "right", "enter").sees("Switch off?")
    operator.press("down", "enter")
    assert operator.node.left == ["poweroff"]


def test_nobody_there_for_ten_minutes_is_logged_out(operator: Operator) -> None:
    operator.log_in().page("logging").press("enter", "ctrl u").type("secret.example.org")
    operator.bg.wait(602)
    assert operator.screens.standing == Standing()
    assert operator.screens.page.key == "status"
    operator.page("logging").sees("tls://log.example.org")


def test_who_types_stays_logged_in(operator: Operator) -> None:
    operator.log_in()
    for _ in range(3):
        operator.bg.wait(250)
        operator.press("down")
    assert operator.screens.standing.user == "admin"


@pytest.mark.parametrize("key", ["enter", "f2"])
def test_enter_and_f2_lead_to_the_log_in_prompt(operator: Operator, key: str) -> None:
    operator.press(key)
    assert operator.bg.code == LOGIN


def test_escape_and_f2_leave_where_no_prompt_follows(tmp_path: Path) -> None:
    operator = Operator(tmp_path, prompt=False)
    operator.press("f2").sees("Leave?")
    operator.press("enter")
    assert operator.bg.code == LEFT


def test_root_needs_no_log_in(tmp_path: Path) -> None:
    operator = Operator(tmp_path, prompt=False)
    to_servers(operator).sees("Change this?")


def test_keys_work_while_nothing_answers(operator: Operator) -> None:
    operator.bg.slow = True
    to_servers(operator).type("demo").press("enter").sees("Checking ...")
    operator.press("esc").page("storage").sees("/var/log")
    operator.bg.answer()


def test_a_page_that_fails_leaves_the_others(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError("broken")

    page = next(page for page in operator.screens.pages if page.key == "storage")
    monkeypatch.setattr(page, "_lines", broken)
    operator.press("f5").sees("Reference: ")
    operator.page("logging").sees("tls://log.example.org")


def test_a_token_is_stored_as_it_is_and_shown_nowhere(operator: Operator) -> None:
    operator.log_in().page("registration").press("enter").type("https://m.example.org").press("tab")
    operator.type("ab" * 32).press("tab").type("nct_a-token").press("tab").type("nct_a-token")
    assert "nct_a-token" not in operator.picture
    operator.press("tab", "tab", "enter").sees("Change this?", "server: https://m.example.org")
    assert "nct_a-token" not in operator.picture
    operator.press("enter").sees("Stored.")
    # No hash of it, which no server would know.
    assert operator.node.stored["registration"]["token"] == "nct_a-token"
    assert "nct_a-token" not in operator.picture
