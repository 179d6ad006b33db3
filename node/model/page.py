"""What a section asks on a screen, as data: pages of fields, in the words that an operator reads.

A plugin gives pages with its section; where it gives none, one is made from the section's model. Titles,
labels and helps are English here and translated where they are shown.
"""

from __future__ import annotations

from dataclasses import dataclass

# The order of the built-in pages; a plugin's own stands between or behind them.
WELCOME, LANGUAGE, DISK, SIZES, NETWORK, ACCESS, REGISTRATION, OWN = 10, 20, 30, 40, 50, 60, 70, 80


@dataclass(frozen=True, kw_only=True)
class Field:
    """One value of the answers: `key` is dotted, section included. `help` is one or two sentences."""

    key: str
    label: str
    help: str = ""


@dataclass(frozen=True, kw_only=True)
class TextField(Field):
    """A line of text. `empty` says in a few words what an empty one means (`DHCP may give one`)."""

    empty: str = ""


@dataclass(frozen=True, kw_only=True)
class NumberField(TextField):
    """A whole number."""


@dataclass(frozen=True, kw_only=True)
class SizeField(TextField):
    """A size in bytes with its unit, or `rest` where `rest` says that it may take what is left."""

    rest: bool = False


@dataclass(frozen=True, kw_only=True)
class SecretField(Field):
    """A text that is never shown; typed twice. What is stored is its yescrypt hash where `hashed`."""

    hashed: bool = True


@dataclass(frozen=True, kw_only=True)
class ToggleField(Field):
    """Yes or no."""


@dataclass(frozen=True, kw_only=True)
class ChoiceField(Field):
    """One of some values, each with words; many of them are picked from a list that can be searched.

    `more` names a list that is long to make and is added when it is shown: `timezones`.
    """

    options: tuple[tuple[str, str], ...]
    more: str = ""


@dataclass(frozen=True, kw_only=True)
class ListField(TextField):
    """Several texts: in one line by blanks or commas, or where `lines` one a line."""

    lines: bool = False


@dataclass(frozen=True, kw_only=True)
class DocumentField(Field):
    """Nested values that have no fields of their own, written as YAML."""


@dataclass(frozen=True, kw_only=True)
class ViewField(Field):
    """A view that the screens themselves have, by its name (`disks`, `sizes`, `cards`); `key` is its part."""

    view: str


@dataclass(frozen=True)
class Page:
    """A page of the installer. `help` is what F1 shows; fields without an order of their own stand as given.

    Pages come in `order`; one that is not `asked` is passed over and reached from the summary.
    """

    key: str
    title: str
    help: str = ""
    order: int = OWN
    fields: tuple[Field, ...] = ()
    asked: bool = True
