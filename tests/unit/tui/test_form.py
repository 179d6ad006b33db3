from __future__ import annotations

import pytest
import urwid

from node.tui.bars import widths
from node.tui.boundary import Boundary, reference_of
from node.tui.form import Form, shown
from node.tui.rows import ButtonsRow, TextRow, ToggleRow, Words
from node.tui.table import Column, TableRow

SIZE = (60, 12)


def form(*rows) -> tuple[Form, list[str]]:
    pressed: list[str] = []
    buttons = ButtonsRow([("Next", lambda: pressed.append("next")), ("Back", lambda: pressed.append("back"))])
    return Form(rows, buttons, on_enter=lambda: pressed.append("enter")), pressed


def press(page: Form, *keys: str) -> None:
    for key in keys:
        page.render(SIZE, True)
        page.keypress(SIZE, key)


def test_a_value_is_told_once_and_when_it_is_left():
    told: list[str] = []
    page, _ = form(TextRow("a", "A", on_change=told.append), TextRow("b", "B"))
    press(page, *"text")
    assert told == []
    press(page, "tab", "shift tab", "tab")
    assert told == ["text"]


def test_enter_goes_from_field_to_field_and_on_from_the_last():
    page, pressed = form(TextRow("a", "A"), Words("-"), ToggleRow("b", "B", value=False, on_change=print))
    press(page, "enter")
    assert page.row.group == "b"
    press(page, "enter")
    assert pressed == ["enter"]


def test_tab_passes_over_the_rows_of_a_table():
    columns = (Column("Name", 5), Column("More", 5, 1))
    cells = [TableRow(columns, [f"n{n}", "x"], on_press=lambda _key: False, group="table") for n in range(64)]
    page, pressed = form(*cells, TextRow("a", "A"))
    press(page, "down", "tab")
    assert page.row.group == "a"
    press(page, "shift tab")
    assert page.walker.focus == 0
    press(page, "shift tab", "enter")
    assert pressed == ["next"]


def test_problems_stand_below_their_field():
    row = TextRow("a", "A")
    page, _ = form(row)
    row.show_problems([("problem", "! wrong")])
    lines = shown(page, SIZE)
    assert lines[1].strip() == "! wrong"
    row.show_problems([])
    assert "wrong" not in "".join(shown(page, SIZE))


def test_rows_that_come_later_leave_the_cursor_where_it_is():
    page, _ = form(TextRow("a", "A"), TextRow("b", "B"))
    press(page, "tab")
    page.replace([TextRow("a", "A"), TextRow("new", "New"), TextRow("b", "B")])
    assert page.row.group == "b"


def test_a_page_that_raises_becomes_a_calm_one():
    class Broken(urwid.Filler):
        def render(self, size, focus=False):
            raise ZeroDivisionError("secret")

    page = Boundary(Broken(urwid.Text("")), lambda reference: urwid.Filler(urwid.Text(f"calm {reference}")))
    lines = shown(page, SIZE)
    assert any(line.startswith("calm ") for line in lines)
    assert "secret" not in "".join(lines)


def test_the_same_fault_has_the_same_reference():
    def fault(text: str) -> str:
        try:
            raise ValueError(text)
        except ValueError as error:
            return reference_of(error)

    assert fault("one") == fault("another")


@pytest.mark.parametrize("columns", [10, 78, 200])
def test_the_bar_is_filled_and_shows_every_part(columns: int):
    found = widths([1, 10, 1000, 100000], columns)
    assert sum(found) == columns
    assert min(found) >= 2
    assert found == sorted(found)
