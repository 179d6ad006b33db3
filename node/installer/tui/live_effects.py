"""What the screens do on the machine that is installed: the real engine, sticks, keys, a shell."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import Any

from node.errors import CommandFailedError, NodeError, TryAgainError
from node.installer.flow import Look, install
from node.installer.network_form import described
from node.installer.tui.effects import Effects, Tested
from node.installer.tui.outcome import outcome_of
from node.installer.tui.runner import EngineProcess
from node.model.install import Afterwards
from node.model.inventory import Inventory
from node.model.size import format_size
from node.model.system import Commands
from node.plugins.access.ssh_keys import fault_of
from node.plugins.locale.keymaps import keymap, layout_of
from node.plugins.network import NetworkAnswers
from node.system.passwords import hash_password

_MOST_BYTES = 1 << 20
_LOG_LINES = 400
FILE_NAME = "answers.yaml"


def live_effects(
    inventory: Inventory, commands: Commands, *, leave: Callable[[Afterwards], None], logs: Sequence[Path]
) -> Effects:
    """Give the effects on this machine; `logs` are what F8 shows."""
    return Effects(
        start=lambda plan: EngineProcess(plan, install),
        hash_password=hash_password,
        fetch_keys=fetch_keys,
        test_network=partial(test_network, inventory, commands),
        targets=partial(sticks, inventory),
        save=partial(save, commands),
        shell=_shell,
        leave=leave,
        # The run tells the host key's fingerprint.
        outcome=partial(outcome_of, inventory),
        log_lines=partial(_tail, logs),
        set_keyboard=partial(set_keyboard, commands),
    )


def fetch_keys(url: str) -> Sequence[str]:
    """Give the public keys at an https address; NodeError where there are none, or what is no key."""
    from urllib3 import PoolManager, Timeout  # noqa: PLC0415 - only who fetches needs it
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    with PoolManager(ssl_context=ssl.create_default_context()) as pool:
        try:
            answer = pool.request(
                "GET", url, timeout=Timeout(connect=5.0, read=10.0), retries=2, preload_content=False
            )
            if answer.status != 200:
                raise NodeError(f"the server says {answer.status}")
            text = answer.read(_MOST_BYTES).decode("utf-8", "replace")
        except HTTPError as error:
            raise TryAgainError(f"it can't be fetched: {type(error).__name__}") from None
    return keys_in(text)


def keys_in(text: str) -> Sequence[str]:
    """Give the keys of a text, one a line; NodeError for the first line that is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for number, line in enumerate(lines, 1):
        if fault := fault_of(line):
            raise NodeError(f"line {number} is no public key: {fault}")
    if not lines:
        raise NodeError("there is no key at this address")
    return lines


def test_network(inventory: Inventory, commands: Commands, look: Look) -> Sequence[Tested]:
    """Try links, gateways, name servers and time servers, as the network of this boot reaches them."""
    network = look.answers[NetworkAnswers]
    named = {name for kind in network.netplan.values() if isinstance(kind, dict) for name in kind}
    found = [
        Tested(f"link of {nic.name}", bool(nic.link), described(nic))
        for nic in inventory.nics
        if not named or nic.name in named
    ]
    for what, host in (*_gateways(network.netplan), *(("name server", one) for one in network.dns),
                       *(("time server", one) for one in network.ntp)):  # fmt: skip
        ran = commands.run(["ping", "-n", "-c", "1", "-W", "2", host], timeout_s=10.0, check=False)
        found.append(Tested(f"{what} {host}", ran.status == 0))
    return found


def sticks(inventory: Inventory) -> Sequence[tuple[str, str]]:
    """Give the partitions that any computer can read, on removable disks."""
    return [
        (part.node, f"{part.node}: {part.filesystem_label or disk.model}, {format_size(part.size)}")
        for disk in inventory.disks
        if disk.removable or disk.transport == "usb"
        for part in disk.partitions
        if part.filesystem == "vfat"
    ]


def save(commands: Commands, text: str, target: str) -> str:
    """Write the answers to a stick, flushed; where they are. CommandFailedError where it takes none."""
    with TemporaryDirectory(prefix="node-stick-") as folder:
        commands.run(["mount", "-t", "vfat", "-o", "sync,umask=0077", target, folder], timeout_s=30.0)
        try:
            Path(folder, FILE_NAME).write_text(text, encoding="utf-8")
        except OSError as error:
            raise NodeError(f"{target}: {error.strerror or error}") from None
        finally:
            commands.run(["umount", folder], timeout_s=60.0)
    return f"{FILE_NAME} on {target}"


def set_keyboard(commands: Commands, name: str) -> None:
    """Have the machine's own keyboard speak a layout; a serial line has none."""
    if known := layout_of(name.replace("(", "-").rstrip(")")) if name else None:
        with suppress(CommandFailedError):
            commands.run(["loadkeys", "-q", "-C", "/dev/tty0", keymap(*known)])


def _gateways(netplan: Any) -> Iterator[tuple[str, str]]:
    for kind in netplan.values():
        for body in kind.values() if isinstance(kind, dict) else ():
            for route in body.get("routes", ()) if isinstance(body, dict) else ():
                if isinstance(route, dict) and "via" in route:
                    yield "gateway", str(route["via"])


def _shell(fd: int) -> Popen[bytes]:
    return Popen(["/bin/bash", "-l"], stdin=fd, stdout=fd, stderr=fd, start_new_session=False)


def _tail(logs: Sequence[Path]) -> Sequence[str]:
    lines: list[str] = []
    for path in logs:
        with suppress(OSError):
            lines += path.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    return lines
