"""nodectl password."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from node.agent.configuration import Sections
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
    require_root("change passwords")
    office = open_office()
    access = AccessAnswers.model_validate(office.desk.read().state.sections.get(AccessAnswers.key, {}))
    if adopt:
        _adopt(office, access, ["admin", "root"] if user is None else [_account(user, access)])
        return
    account = _account(user, access)
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
    _store(office, account, values, what=f"password of {_name(access, account)}")


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
        return sys.stdin.readline().rstrip("\n")
    if not sys.stdin.isatty():
        raise InputError("nobody is there to be asked", mend="Give the password by --stdin")
    return str(click.prompt(f"New password of {name}", hide_input=True, confirmation_prompt="Once more"))


def _fresh(hashed: str) -> dict[str, Any]:
    return {"password_hash": hashed, "password_changed": f"{datetime.now(UTC):%Y-%m-%d}"}


def _adopted(access: AccessAnswers, account: str) -> dict[str, Any]:
    """Give the hash that the running node has, where it is another than the stored one."""
    name = _name(access, account)
    lines = SHADOW.read_text(encoding="utf-8").splitlines()
    fields = next((line.split(":") for line in lines if line_key(line) == name), ["", ""])
    hashed = fields[1]
    stored = access.root.password_hash if account == "root" else access.admin.password_hash
    # `!` and `*` lock an account; what locks it lies in the configuration, not here.
    return _fresh(hashed) if hashed.startswith("$") and hashed != stored else {}


def _adopt(office: Office, access: AccessAnswers, accounts: Sequence[str]) -> None:
    """Store the hashes that the running node has; quiet where it has the stored ones."""
    for account in accounts:
        if values := _adopted(access, account):
            _store(office, account, values, what=f"password of {_name(access, account)}, set by passwd")


def _store(office: Office, account: str, values: Mapping[str, Any], *, what: str) -> None:
    edits = [Edit(("access", account, key), Operator.SET, value) for key, value in values.items()]
    defaults = {AccessAnswers.key: AccessAnswers().model_dump(mode="json")}
    edit: Callable[[Sections], Sections] = lambda sections: edited(sections, edits, defaults)  # noqa: E731
    change(office.desk, edit, Manner(), what=what)
