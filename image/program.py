"""The program node-image; where its libraries are not installed it says which extra brings them."""

from __future__ import annotations

import sys

_OURS = ("image", "node")


def main() -> int:
    """Run node-image; 1 where a library is not here, as with `nodecrust[testing]` alone."""
    try:
        from image.cli import main as run  # noqa: PLC0415 - this is what may be missing
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in _OURS:
            raise
        sys.stderr.write(f"node-image: {missing} is not installed here\n")
        sys.stderr.write("  -> install nodecrust with the extra image: pip install 'nodecrust[image]'\n")
        return 1
    return run()
