"""What runs in the new root just before systemd starts there: the stored state becomes files of /etc."""

from __future__ import annotations

import time

from node.boot.last_good import LastGood, read_last_good, remember
from node.boot.outcome import Outcome, bring_about
from node.boot.places import Places
from node.boot.plugin_bundle import accept_bundle
from node.boot.rendering import ALL_TIMEOUT_S, load_plugins, render
from node.boot.stored import Found, find_state
from node.boot.unchanged import made_of
from node.errors import NodeError
from node.model.state import State
from node.plugin_manager import Plugins


class NetworkNotRenderedError(NodeError):
    """No plugin gave a network configuration: whoever called must see to one."""


def boot(places: Places) -> tuple[str, ...]:
    """Render the state into the root and give the alarms that were raised.

    NetworkNotRenderedError after all else was written, where the node would come up without a network.
    """
    deadline = time.monotonic() + ALL_TIMEOUT_S
    accept_bundle(places)
    plugins = load_plugins()
    found = find_state(places.config, plugins, run=places.run)
    last_good = LastGood() if found.state is None else read_last_good(places.config)
    if not found.usable and last_good.files:
        # A version of the past, or the defaults, would be another node than the one that was here yesterday.
        outcome = last_good_outcome(last_good, found.alarms)
    else:
        outcome = _rendered(places, found, last_good, plugins, deadline)
    alarms = bring_about(outcome, places)
    if not outcome.has_network:
        raise NetworkNotRenderedError("the network could not be rendered", details="\n".join(alarms))
    return alarms


def last_good_outcome(last_good: LastGood, alarms: tuple[str, ...] = ()) -> Outcome:
    """Give what the last good start had, as it was."""
    told = tuple(f"{alarm}; the node starts as it last started well" for alarm in alarms)
    return Outcome(last_good.all, "last-good", told)


def _rendered(
    places: Places, found: Found, last_good: LastGood, plugins: Plugins, deadline: float
) -> Outcome:
    rendering = render(plugins, found.state or State(), last_good.files, deadline=deadline)
    alarms = (*found.alarms, *rendering.failures)
    if not found.usable:
        words = "with defaults" if found.source == "defaults" else f"with {found.source}"
        alarms = (*(f"{alarm}; the node starts {words}" for alarm in found.alarms), *rendering.failures)
    elif found.state is not None:
        kept = {name: files for name, files in rendering.by_plugin.items() if files}
        # What was amiss shall be tried again, and told again, at the next start.
        whole = found.source == "current" and not alarms
        warnings = (
            last_good.warning,
            remember(
                places.config, kept, made_of=made_of(places) if whole else "", declared=rendering.declared
            ),
        )
        alarms = (*alarms, *(words for words in warnings if words))
    return Outcome(rendering.files, found.source, alarms, rendering.declared)
