"""The JSON Schema of the answers, every plugin's sections included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import ConfigDict, Field, create_model
from pydantic.json_schema import GenerateJsonSchema

from node.installer.answers import VERSION
from node.model.answers import Section

_DIALECT = GenerateJsonSchema.schema_dialect


def json_schema(sections: Sequence[Section]) -> dict[str, Any]:
    """Give the schema of a whole document (JSON Schema 2020-12)."""
    fields: dict[str, Any] = {
        "version": (Literal[1], Field(VERSION, description="The version of this form of the answers."))
    }
    for section in sections:
        words = section.title if not section.help else f"{section.title}. {section.help}"
        fields[section.key] = (
            section.model,
            Field(default_factory=section.model, title=section.title, description=words),
        )
    model = create_model(
        "Answers", __config__=ConfigDict(extra="forbid", title="Answers of Nodecrust"), **fields
    )
    return {"$schema": _DIALECT, **model.model_json_schema()}
