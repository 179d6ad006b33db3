"""The words of `nodectl status`: a page of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime

from node.hookspecs import StatusLine
from node.model.size import format_size
from node.model.status import (
    PLACES,
    SWAP,
    Interface,
    NodeStatus,
    RoleUse,
    Root,
    RunningImage,
    configuration_words,
)

WIDTH = 80
_TERM = 16
NOT_A_NODE = "This machine is not a Nodecrust node: no Nodecrust image runs on it."
# Sources of image.json as an operator would say them.
_SOURCES = {"url": "from the network", "medium": "from a boot medium"}


def page(status: NodeStatus, panels: Sequence[StatusLine], faults: Sequence[str]) -> str:
    """Give the page: what runs, what it reaches, what it keeps, and how it is, worst things last."""
    lines = [] if status.image else [NOT_A_NODE, ""]
    terms: list[tuple[str, str]] = [("host name", status.hostname)]
    if status.image:
        terms.append(("image", image_words(status.image)))
        terms.append(("installed", _installed_words(status)))
        if words := configuration_words(status):
            terms.append(("configuration", words))
        if status.on_trial:
            terms.append(("on trial", "a change of the configuration; see nodectl config show"))
        terms.append(("root", _root_words(status.root)))
    if status.uptime_s:
        terms.append(("running for", duration_words(status.uptime_s)))
    terms += [(interface.name, _interface_words(interface)) for interface in status.interfaces]
    terms += [("gateway", gateway) for gateway in status.gateways]
    terms += [(_role_term(role), _role_words(role)) for role in status.roles]
    terms += [(panel.term, panel.value) for panel in panels]
    terms += [("SSH host key", f"{key.kind} {key.fingerprint}") for key in status.host_keys]
    terms += [("failed unit", unit) for unit in status.failed_units] if not status.image else []
    terms += [("not known", f"{unknown.where}: {unknown.why}") for unknown in status.unknown]
    if status.image:
        terms.append(("health", "degraded" if faults else "ok"))
        terms += [("", fault) for fault in faults]
    for term, value in terms:
        lines += _entry(term, value)
    return "\n".join(lines) + "\n"


def image_words(image: RunningImage) -> str:
    """Say which image runs and where it came from."""
    where = f"slot {image.slot}" if image.slot else _SOURCES.get(image.source, image.source)
    name = f"{image.name} {image.version}".strip() or "unknown"
    return ", ".join(part for part in (name, where, f"kernel {image.kernel}" if image.kernel else "") if part)


def duration_words(seconds: float) -> str:
    """Give a time span in its two largest units."""
    minutes = int(seconds) // 60
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def _installed_words(status: NodeStatus) -> str:
    if status.image and status.image.source != "slot" and status.installed is None:
        return "no; this image runs in memory and keeps nothing"
    if status.installed is None:
        return "unknown"
    return f"{_time_words(status.installed.at)}, id {status.installed.install_id}"


def _time_words(text: str) -> str:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return text or "at an unknown time"


def _root_words(root: Root) -> str:
    if not root.is_thin:
        return f"{root.filesystem or 'unknown'}, not a read-only image under an overlay"
    return f"read-only {root.lower}, changes in memory ({format_size(root.used)} of {format_size(root.size)})"


def _interface_words(interface: Interface) -> str:
    kind = "" if interface.kind == "ethernet" else f"{interface.kind}, "
    addresses = ", ".join(interface.addresses) or "no address"
    return f"{kind}{addresses}, {'link' if interface.up else 'no link'}, {interface.mac}"


def _role_term(role: RoleUse) -> str:
    return f"{role.role} {role.node.removeprefix('/dev/')}"


def _role_words(role: RoleUse) -> str:
    if role.role == SWAP:
        return f"{format_size(role.size)}, {'on' if role.mounted_at else 'off'}"
    if role.role.startswith("ROOT-"):
        return f"{format_size(role.size)}{', runs now' if role.mounted_at else ''}"
    if not role.mounted_at:
        missing = f", not mounted at {PLACES[role.role]}" if role.role in PLACES else ""
        return f"{format_size(role.size)}{missing}"
    read_only = ", read-only" if role.read_only else ""
    return f"{role.mounted_at}, {role.share:.0%} of {format_size(role.size)} used{read_only}"


def _entry(term: str, value: str) -> list[str]:
    if len(term) > _TERM:
        term, value = "", f"{term}: {value}"
    wrapped = textwrap.wrap(" ".join(value.split()), WIDTH - _TERM - 1) or ["-"]
    return [f"{term if number == 0 else '':<{_TERM}} {line}".rstrip() for number, line in enumerate(wrapped)]
