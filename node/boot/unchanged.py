"""A start with nothing new since the last good one: the same image, the same state, so the same files.

Rendering is a pure function of these two (`node_render`). Where both are as they were, no plugin is loaded
and nothing is validated again, which is most of what a start takes; see docs/adr/0016.
"""

from __future__ import annotations

import hashlib
import json

from node.boot.last_good import LastGood, read_last_good
from node.boot.outcome import Outcome
from node.boot.places import Places
from node.system.plugin_folders import BUNDLE

# As node.persist has it, which reads YAML.
_STATE_FILE = "node.yaml"


def made_of(places: Places) -> str:
    """Give a digest of the state's bytes and of the root image; "" where either is unknown."""
    try:
        image = json.loads((places.run / "image.json").read_bytes())["sha256"]
        state = (places.config / _STATE_FILE).read_bytes()
    except (OSError, ValueError, LookupError, TypeError):
        return ""
    if not image or not isinstance(image, str):
        return ""
    return hashlib.sha256(f"{image}\n".encode() + state).hexdigest()


def unchanged(places: Places) -> Outcome | None:
    """Give what the last good start came to, where this one would come to the same."""
    if (places.run / BUNDLE.name).exists():
        return None  # plugins that came with this boot may be others than those of the last one
    last_good: LastGood = read_last_good(places.config)
    if not last_good.made_of or last_good.made_of != made_of(places):
        return None
    outcome = Outcome(last_good.all, "current", declared=last_good.declared)
    return outcome if outcome.has_network else None
