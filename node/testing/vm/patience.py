"""How long a machine is waited for: limits fit an emulated machine on a host that does nothing else."""

from __future__ import annotations

import os

#: What they are multiplied by on hosts that are slower or have more to do.
FACTOR = float(os.environ.get("NODECRUST_VM_PATIENCE", "1"))


def patient(seconds: float) -> float:
    """Give a limit as this host needs it."""
    return seconds * FACTOR
