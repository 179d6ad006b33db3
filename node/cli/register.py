"""nodectl register."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from node.agent.registration import Round, make_round
from node.agent.standings import read_standings
from node.cli.config_desk import open_office, require_root
from node.cli.options import json_option
from node.cli.register_post import arm_next, keep_told, open_post
from node.errors import NodeError, TryAgainError
from node.model.registration import WELL, Standing
from node.system.commands import LiveCommands

FORMAT = 1
# After a round that could not even begin.
_AGAIN_S = 60.0
_LOCK = Path("/run/node/registration.lock")
_OWN_ROOT = Path("/run/node/own-root")
_NOTHING = "This node is told of no server to register with."


@click.command()
@click.option("--now", "all_now", is_flag=True, help="Ask every server, also one whose time has not come.")
@click.option(
    "--new-key",
    is_flag=True,
    help="Give up who this node was and come with another key, as after it was retired.",
)
@json_option
def command(*, all_now: bool, new_key: bool, as_json: bool) -> int:
    """Register this node with the servers that its configuration names.

    Says where the node stands with each, and what is to be done. The node does this by itself, again and
    again; here it is done at once. Ends with 0 where all is well or nothing is asked for, with 75 where a
    server is away or somebody there must agree first, with 2 where one refuses.
    """
    require_root("register the node")
    refuse_beside_own_root(_OWN_ROOT)
    with _alone():
        try:
            post = open_post(open_office())
            before = read_standings(post.desk.places.run)
            done = make_round(post, all_now=all_now or new_key, new_key=new_key)
        except TryAgainError:
            # The unit takes this for no failure, so that nothing else begins the next round.
            arm_next(_AGAIN_S, LiveCommands())
            raise
        keep_told(done)
        arm_next(done.next_s, post.desk.commands)
    if as_json:
        click.echo(json.dumps(to_data(done), indent=2, ensure_ascii=False))
    else:
        for line in news(done, before) if "JOURNAL_STREAM" in os.environ else lines(done):
            click.echo(line)
    return exit_code(done)


def refuse_beside_own_root(word: Path) -> None:
    """Raise TryAgainError where the initrd left `word` that another root than the node's own runs here."""
    try:
        disk = word.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return
    raise TryAgainError(
        f"this start is none of the node's: its own root is on {disk}, and another one was booted",
        mend="Start the node from its disk: it registers there by itself",
    )


def lines(done: Round) -> Iterator[str]:
    """Give a round in words."""
    if not done.standings:
        yield _NOTHING
        yield "Name one: nodectl config set registration.server=https://HOST registration.fingerprint=HEX"
    for name, one in done.standings.items():
        yield f"{name}: {one['words']}"
        if one["mend"]:
            yield f"  -> {one['mend']}"
        for term, value in one["terms"]:
            yield f"  {term:<16} {value}"
    if done.next_s is not None:
        yield f"It is asked again in {done.next_s:.0f} s."


def news(done: Round, before: Mapping[str, Any]) -> Iterator[str]:
    """Give for the journal what is otherwise than after the last round, as notices (sd-daemon(3))."""
    for name, one in done.standings.items():
        last = before.get(name, {})
        if (one["standing"], one["words"]) != (last.get("standing"), last.get("words")):
            yield f"<5>{name}: {one['standing']}: {one['words']}{'. ' + one['mend'] if one['mend'] else ''}"


def to_data(done: Round) -> dict[str, Any]:
    """Give a round as the document of --json."""
    backends = {name: {**one, "terms": dict(one["terms"])} for name, one in done.standings.items()}
    return {"format": FORMAT, "exit_code": exit_code(done), "backends": backends, "next_s": done.next_s}


def exit_code(done: Round) -> int:
    """Give what the command ends with: the worst of all."""
    found = {Standing(one["standing"]) for one in done.standings.values()}
    if Standing.REFUSED in found:
        return 2
    return 0 if found <= WELL else TryAgainError.exit_code


@contextmanager
def _alone() -> Iterator[None]:
    """Hold off another round; TryAgainError where one is under way."""
    try:
        _LOCK.parent.mkdir(parents=True, exist_ok=True)
        file = _LOCK.open("w")
    except OSError as error:
        raise NodeError(f"{_LOCK} can't be opened: {error.strerror}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TryAgainError(
                "the node is registering just now", mend="See nodectl status, or try again when it is done"
            ) from None
        yield
