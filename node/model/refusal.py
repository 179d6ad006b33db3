"""How a field of a section refuses a value: with a slug, what is wrong and how to mend it."""

from __future__ import annotations

from pydantic_core import PydanticCustomError

DEFAULT_MEND = "Correct it"


def refuse(code: str, what: str, mend: str = DEFAULT_MEND) -> PydanticCustomError:
    """Give the error that a validator raises; whoever reads pydantic's errors makes a Problem of it.

    In `ValidationError.errors()` its `type` is `code`, its `msg` is `what` and its `ctx` holds `mend`.
    `what` never repeats a value that could be a secret.
    """
    # The text goes through the context, since a brace in the message itself would be taken as a field.
    return PydanticCustomError(code, "{what}", {"what": what, "mend": mend})
