"""Brings a stored document to the version that this image knows, one pure step a version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from node.errors import NodeError
from node.model.state import STATE_VERSION

Document = dict[str, Any]
"""The state as YAML holds it: `version`, `install`, `sections` and perhaps `section_versions`."""

Ask = Callable[[str, Any, int], Any]
"""`node_migrate` of all plugins: (section, values, version) -> values of version + 1, None where unknown."""

CORE: Mapping[int, Callable[[Document], Document]] = {}
"""What makes version N + 1 of version N. A pure function each, with a golden file in the tests."""


class MigrationError(NodeError):
    """An old document that can't be brought up to date."""


class FutureVersionError(MigrationError):
    """A document, or a section of it, that is newer than this image."""


def migrate_core(
    document: Document,
    *,
    steps: Mapping[int, Callable[[Document], Document]] = CORE,
    newest: int = STATE_VERSION,
) -> Document:
    """Give the document in version `newest`; sections stay in their own versions.

    FutureVersionError where it is newer than that, MigrationError where a step is missing or fails.
    """
    version = document["version"]
    if version > newest:
        raise _future("the state", version, newest)
    while version < newest:
        if version not in steps:
            raise MigrationError(f"nothing brings a state of version {version} up to date")
        try:
            document = {**steps[version](document), "version": version + 1}
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            words = f"the state of version {version} could not be brought up to date"
            raise MigrationError(words, details=type(error).__name__) from error
        version += 1
    return document


def migration(versions: Mapping[str, int], ask: Ask) -> Callable[[Document], Document]:
    """Give what brings a whole document up to date, its sections too; for `read_state`'s `migrate`.

    `versions` says for each section which version its model has; sections that it leaves out belong to
    plugins that this image lacks, and stay as they are. A section without a version has version 1.
    """

    def migrate(document: Document) -> Document:
        document = migrate_core(document)
        sections, stored = document.get("sections"), document.get("section_versions", {})
        if not isinstance(sections, dict) or not isinstance(stored, dict):
            return document
        migrated = {
            key: _section(key, values, stored.get(key, 1), versions[key], ask) if key in versions else values
            for key, values in sections.items()
        }
        # Also of sections that it lacks: one that is added later has its model's version.
        now = {**stored, **versions}
        versions_beyond = {key: version for key, version in now.items() if version != 1}
        return {**document, "sections": migrated, "section_versions": versions_beyond}

    return migrate


def _section(key: str, values: Any, version: Any, newest: int, ask: Ask) -> Any:
    if type(version) is not int or version < 1:
        raise MigrationError(f"the version of section '{key}' is not a number")
    if version > newest:
        raise _future(f"section '{key}' of the state", version, newest)
    while version < newest:
        values = ask(key, values, version)
        if values is None:
            raise MigrationError(f"nothing brings section '{key}' of version {version} up to date")
        version += 1
    return values


def _future(what: str, version: int, newest: int) -> FutureVersionError:
    return FutureVersionError(
        f"{what} has version {version}; this image knows {newest}",
        mend="Boot an image that knows this version; until then the state stays as it is. To give it up, go"
        " back to what this image knows: nodectl config rollback --replace-newer keeps a copy of it",
    )
