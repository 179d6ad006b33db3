"""How long a password and an account are good for, as a line of /etc/shadow says it (shadow(5))."""

from __future__ import annotations

import re
from datetime import date
from typing import Protocol

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_EPOCH = date(1970, 1, 1)
# The day after the epoch; shadow(5) warns of 0, which some programs take for "never".
CLOSED = "1970-01-02"
_NEVER = 99999
_WARN_DAYS = 7


class Aging(Protocol):
    """What of an account decides."""

    @property
    def password_hash(self) -> str: ...  # noqa: D102 - the account's own words

    @property
    def locked(self) -> bool: ...  # noqa: D102

    @property
    def password_max_days(self) -> int: ...  # noqa: D102

    @property
    def password_changed(self) -> str: ...  # noqa: D102


def is_day(text: str) -> bool:
    """Tell whether `text` is a day of the calendar, as 2027-06-30."""
    try:
        return bool(_DAY.fullmatch(text)) and date.fromisoformat(text) > _EPOCH
    except ValueError:
        return False


def shadow_line(name: str, account: Aging, *, expires: str, installed: str) -> str:
    """Give the account's line. `expires` is the day from which it lets nobody in, "" for none.

    A day of change stands there only where the password ages, so that otherwise none is ever too old: the
    node's clock may be wrong at boot. An account without a password has none that could age, and PAM would
    make a key's owner change it.
    """
    # `*` fits no password and, other than `!`, does not make sshd take the account for a locked one.
    password = ("!" if account.locked else "") + (account.password_hash or "*")
    changed = account.password_changed or (installed if is_day(installed) else "")
    ages = bool(account.password_max_days and account.password_hash and changed)
    last, most = (_number(changed), account.password_max_days) if ages else ("", _NEVER)
    return f"{name}:{password}:{last}:0:{most}:{_WARN_DAYS}::{_number(expires)}:\n"


def _number(day: str) -> str:
    return str((date.fromisoformat(day) - _EPOCH).days) if day else ""
