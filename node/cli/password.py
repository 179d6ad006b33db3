"""nodectl password."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from node.agent.configuration import Sections, refuse_beside_trial
from node.agent.edits import Edit, Operator, edited
from node.cli.config_change import Manner, change
from node.cli.config_desk import Office, open_office, require_root
from node.errors import InputError
from node.plugins.access import AccessAnswers
from node.system.account_lines import line_key
from node.system.passwords import hash_password

SHADOW = Path("/etc/shadow")


@click.command()
@click.argument("user", required=False, metavar="[USER]")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the password from standard input, one line.")
@click.option("--remove", is_flag=True, help="Have no password; keys still let in.")
@click.option(
    "--lock/--unlock", "lock", default=None, help="Let nobody in, or again who has key or password."
)
@click.option(
    "--max-days", type=click.IntRange(0), metavar="DAYS", help="When to demand a new one; 0: never."
)
@click.option(
    "--expires", metavar="YYYY-MM-DD", help="The day from which on the account is closed; '': never."
)
@click.option("--adopt", is_flag=True, help="Keep what passwd(1) changed on the running node.")
def command(
    *,
    user: str | None,
    from_stdin: bool,
    remove: bool,
    lock: bool | None,
    max_days: int | None,
    expires: str | None,
    adopt: bool,
) -> None:
    """Set the password of the admin user or of root.

    Asks twice, and keeps only a hash. USER is the admin user where it is not given. With another option the
    password itself stays as it is. --adopt without USER is for both.
    """
    _refuse_together({"--stdin": from_stdin, "--remove": remove, "--adopt": adopt})
    if adopt and (lock is not None or max_days is not None or expires is not None):
        raise click.UsageError("--adopt stands alone: it takes over what passwd did")
    require_root("change passwords")
    office = open_office()
    access = AccessAnswers.model_validate(office.desk.read().state.sections.get(AccessAnswers.key, {}))
    if adopt:
        _adopt(office, access, ["admin", "root"] if user is None else [_account(user, access)])
        return
    refuse_beside_trial(office.desk.places)
    account = _account(user, access)
    if expires is not None and account == "root":
        raise InputError(
            "root's account never expires", mend=f"Name {access.admin.name}, or close root's by --lock"
        )
    values: dict[str, Any] = {}
    if lock is not None:
        values["locked"] = lock or None
    if max_days is not None:
        values["password_max_days"] = max_days or None
    if expires is not None:
        values["expires"] = expires or None
    if remove:
        values |= {"password_hash": None, "password_changed": None}
    elif from_stdin or not values:
        values |= _fresh(hash_password(_typed(_name(access, account), from_stdin=from_stdin)))
    _store(office, account, values, what=f"{_done(values)} of {_name(access, account)}")


def _refuse_together(given: Mapping[str, bool]) -> None:
    if len(names := [name for name, is_given in given.items() if is_given]) > 1:
        raise click.UsageError(f"{' and '.join(names)} don't go together")


def _done(values: Mapping[str, Any]) -> str:
    """Name for the history what was set: no value, but more than that something was."""
    words = {
        "password_hash": "password",
        "locked": "lock",
        "password_max_days": "password's age",
        "expires": "expiry",
    }
    return ", ".join(word for key, word in words.items() if key in values)


def _account(user: str | None, access: AccessAnswers) -> str:
    if user in (None, access.admin.name):
        return "admin"
    if user == "root":
        return "root"
    raise InputError(f"'{user}' is no account of the configuration", mend=f"Name {access.admin.name} or root")


def _name(access: AccessAnswers, account: str) -> str:
    return "root" if account == "root" else access.admin.name


def _typed(name: str, *, from_stdin: bool) -> str:
    if from_stdin:
        # What is no UTF-8 must be refused in words, not by whatever the locale makes of it.
        return sys.stdin.buffer.readline().decode("utf-8", "surrogateescape").rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InputError("nobody is there to be asked", mend="Give the password by --stdin")
    return str(click.prompt(f"New password of {name}", hide_input=True, confirmation_prompt="Once more"))


def _fresh(hashed: str) -> dict[str, Any]:
    return {"password_hash": hashed, "password_changed": f"{datetime.now(UTC):%Y-%m-%d}"}


def _adopt(office: Office, access: AccessAnswers, accounts: Sequence[str]) -> None:
    """Store the hashes that the running node has; quiet where it has the stored ones."""
    for account in accounts:
        name = _name(access, account)
        stored = access.root.password_hash if account == "root" else access.admin.password_hash
        hashed = _live_hash(name)
        # `!` and `*` lock an account; what locks it lies in the configuration, not here.
        if hashed.startswith("$") and hashed != stored:
            # Of a change that is just being taken back, the file must not be left in the state.
            still = lambda name=name, hashed=hashed: _live_hash(name) == hashed  # noqa: E731
            _store(office, account, _fresh(hashed), what=f"password of {name}, set by passwd", still=still)


def _live_hash(name: str) -> str:
    """Give the hash that the running node has of an account, "" where it has no such account."""
    lines = SHADOW.read_text(encoding="utf-8").splitlines()
    fields = next((line.split(":") for line in lines if line_key(line) == name), ["", ""])
    return fields[1]


def _store(
    office: Office,
    account: str,
    values: Mapping[str, Any],
    *,
    what: str,
    still: Callable[[], bool] = lambda: True,
) -> None:
    edits = [Edit(("access", account, key), Operator.SET, value) for key, value in values.items()]
    defaults = {AccessAnswers.key: AccessAnswers().model_dump(mode="json")}
    edit: Callable[[Sections], Sections] = lambda sections: edited(sections, edits, defaults)  # noqa: E731
    change(office.desk, edit, Manner(), what=what, still=still)
