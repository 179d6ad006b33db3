"""Where the commands of `nodectl persist` find what is kept, and what they need to be let there."""

from __future__ import annotations

import os

from node.errors import InputError
from node.persist.kept_places import KeptPlaces


def kept_places(what: str) -> KeptPlaces:
    """Give them; InputError for whoever may not `what`, since what is kept may be secret."""
    if os.geteuid() != 0:
        raise InputError(f"only root can {what}", mend="Run it with sudo")
    return KeptPlaces()
