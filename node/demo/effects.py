"""What the screens do in a demonstration: nothing, in the way the real thing does it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from node.demo.system import DemoSystem, log_path
from node.errors import NodeError
from node.installer.flow import Look, refusal
from node.installer.network_form import described
from node.installer.tui.effects import Effects, Runner, Tested
from node.installer.tui.outcome import outcome_of
from node.installer.tui.runner import EngineProcess
from node.locale import _
from node.model.event import Event
from node.model.install import Afterwards
from node.model.inventory import Inventory
from node.model.plan import Plan
from node.plugins.network import NetworkAnswers
from node.system.passwords import hash_password
from node.tui.boundary import noted

# Of invented people, made by ssh-keygen and thrown away.
_KEYS = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG4rT3vTt99Ox5kndS4HmgTrKBT8SKzhK4rhGkEVGlCI operator@example",)
_FINGERPRINT = "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8 (ED25519)"


def demo_effects(
    inventory: Inventory,
    *,
    seconds: float = 6.0,
    fails_at: str = "",
    hash_with: Callable[[str], str] | None = None,
) -> Effects:
    """Give effects that have none. A run takes about twice `seconds`; `fails_at` names a call that fails."""
    return Effects(
        start=partial(_start, inventory, seconds, fails_at),
        hash_password=hash_with or hash_password,
        fetch_keys=lambda _url: _KEYS,
        test_network=partial(_test_network, inventory, seconds),
        targets=lambda: (),
        save=lambda _text, _target: "",
        shell=None,
        leave=_leave,
        outcome=partial(outcome_of, inventory, fingerprint=_FINGERPRINT),
        log_lines=lambda: (_("This is a demonstration: nothing is real and nothing is written."), *noted()),
        set_keyboard=lambda _layout: None,
        demo=True,
    )


def _start(inventory: Inventory, seconds: float, fails_at: str, plan: Plan) -> Runner:
    return EngineProcess(plan, partial(_install, inventory, seconds, fails_at))


def _install(
    inventory: Inventory,
    seconds: float,
    fails_at: str,
    plan: Plan,
    observers: Sequence[Callable[[Event], None]],
) -> None:
    if error := refusal(plan.problems):
        raise error
    from node.installer.engine import run_plan  # noqa: PLC0415 - only the child needs it

    def system(progress: Callable[[int, int], None], say: Callable[[str], None]) -> DemoSystem:
        made = DemoSystem(inventory, progress, say, seconds=seconds)
        if fails_at:
            made.failing[fails_at] = NodeError("the disk does not answer", mend="Look at its cables")
        return made

    with tempfile.TemporaryDirectory(prefix="nodecrust-demo-") as folder:
        run_plan(plan, system_factory=system, observers=observers, journal=log_path(Path(folder)))


def _test_network(inventory: Inventory, seconds: float, look: Look) -> Sequence[Tested]:
    time.sleep(seconds / 6)
    network = look.answers[NetworkAnswers]
    named = {name for kind in network.netplan.values() if isinstance(kind, dict) for name in kind}
    found = [
        Tested(f"link of {nic.name}", bool(nic.link), described(nic))
        for nic in inventory.nics
        if not named or nic.name in named
    ]
    return (*found, *(Tested(f"name server {server}", True) for server in network.dns))


def _leave(_afterwards: Afterwards) -> None:
    """Stay."""
