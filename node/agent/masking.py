"""A state as it may be shown: without its secrets, and what a change does to it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from node.model.answers import SectionModel
from node.model.mask import MASK, mask_hashes

CHANGED = f"{MASK} (changed)"

# Netplan's own secrets (netplan-yaml(5)): wifis and 802.1X, modems, WireGuard; to us it is any mapping.
_SECRET_NAMES = frozenset({"password", "client-key-password", "private", "shared", "pin"})
# A WireGuard tunnel's private key, where it is no mapping.
_TUNNEL_KEY = re.compile(r"(^|\.)tunnels\..+\.keys?$")


def masked(
    sections: Mapping[str, Any],
    models: Mapping[str, type[SectionModel]],
    *,
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Give the sections with stars for every secret; one that is another than in `before` says so.

    Sections without a model here are masked whole, since nobody knows what in them is secret.
    """
    shown = {}
    for key, values in sections.items():
        secret = models[key].secret if key in models else None
        shown[key] = _masked(values, "", secret, (before or {}).get(key), compare=before is not None)
    return shown


def holds_secret(path: Sequence[str], value: Any, models: Mapping[str, type[SectionModel]]) -> bool:
    """Tell whether a value at a place of the sections is a secret or has one in it."""
    for part in reversed(path[1:]):
        value = {part: value}
    sections = {path[0]: value}
    return path[0] in models and masked(sections, models) != sections


def difference(
    before: Mapping[str, Any], after: Mapping[str, Any], models: Mapping[str, type[SectionModel]]
) -> str:
    """Give the unified difference of two states as YAML, "" where there is none; secrets are stars.

    Sections that say nothing, which a state may have or not, are no difference.
    """
    before, after = said(before), said(after)
    old = to_yaml(masked(before, models)).splitlines(keepends=True)
    new = to_yaml(masked(after, models, before=before)).splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, "before", "after", n=2))


def said(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the sections that say nothing."""
    return {key: values for key, values in sections.items() if values}


class _Plain(yaml.SafeDumper):
    """Without anchors, and lists indented below their key."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the dumper's own interface
        """Write every value where it stands."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """Indent lists, too."""
        super().increase_indent(flow, False)


def to_yaml(document: Any) -> str:
    """Give a document as YAML that an operator reads, "" for an empty one."""
    if document in ({}, [], None):
        return ""
    return yaml.dump(
        document, Dumper=_Plain, sort_keys=False, allow_unicode=True, default_flow_style=False, width=1000
    )


def _masked(value: Any, key: str, secret: frozenset[str] | None, before: Any, *, compare: bool) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _masked(
                inner,
                f"{key}.{name}".lstrip("."),
                secret,
                before.get(name) if isinstance(before, Mapping) else None,
                compare=compare,
            )
            for name, inner in value.items()
        }
    if _is_secret(key, secret) and value not in ("", None, True, False):
        return CHANGED if compare and value != before else MASK
    if isinstance(value, list | tuple):
        old = before if isinstance(before, list | tuple) else ()
        return [
            _masked(item, key, secret, old[number] if number < len(old) else None, compare=compare)
            for number, item in enumerate(value)
        ]
    return mask_hashes(value) if isinstance(value, str) else value


def _is_secret(key: str, secret: frozenset[str] | None) -> bool:
    if secret is None or key.rpartition(".")[2] in _SECRET_NAMES or _TUNNEL_KEY.search(key):
        return True
    return any(key == one or key.startswith(f"{one}.") for one in secret)


def unmasked(edited: Any, before: Any) -> Any:
    """Give an edited document with the secret of before wherever its stars were left standing."""
    if isinstance(edited, Mapping):
        old = before if isinstance(before, Mapping) else {}
        return {name: unmasked(inner, old.get(name)) for name, inner in edited.items()}
    if isinstance(edited, list):
        olds = list(before) if isinstance(before, list | tuple) else []
        return [unmasked(item, _counterpart(item, at, edited, olds)) for at, item in enumerate(edited)]
    return before if edited == MASK and before is not None else edited


def _counterpart(item: Any, at: int, items: list[Any], olds: list[Any]) -> Any:
    """Give what an item of a list was: the one that it is but for stars, else the one at its place.

    Where the list became longer or shorter, places say nothing, and a secret must not go to another item.
    """
    if at < len(olds) and _is_but_for_stars(item, olds[at]):
        return olds[at]
    alike = [old for old in olds if _is_but_for_stars(item, old)]
    if len(alike) == 1:
        return alike[0]
    return olds[at] if len(items) == len(olds) else None


def _is_but_for_stars(edited: Any, before: Any) -> bool:
    if isinstance(edited, Mapping) and isinstance(before, Mapping):
        same = edited.keys() == before.keys()
        return same and all(_is_but_for_stars(edited[key], before[key]) for key in edited)
    if isinstance(edited, list) and isinstance(before, list | tuple):
        same = len(edited) == len(before)
        return same and all(_is_but_for_stars(one, old) for one, old in zip(edited, before, strict=True))
    return bool(edited in (MASK, before))
