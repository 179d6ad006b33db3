"""SHA-256 fingerprints: read as openssl and people write them, kept as 64 small hexadecimal digits."""

from __future__ import annotations

import re

_SHA256 = re.compile(r"[0-9a-f]{64}")


def fingerprint(text: str) -> str:
    """Give 64 hexadecimal digits in lower case, with openssl's colons taken out; "" where it is not that."""
    digits = re.sub(r"[\s:]", "", text.lower().removeprefix("sha256"))
    return digits if _SHA256.fullmatch(digits) else ""


def shown(digits: str) -> str:
    """Give a fingerprint as a person compares it: `SHA256:12:34:...`, in four groups; "" for an empty one."""
    pairs = [digits[at : at + 2] for at in range(0, len(digits), 2)]
    # The blanks are where a narrow screen may begin a new line; `fingerprint` reads them too.
    groups = [":".join(pairs[at : at + 8]) for at in range(0, len(pairs), 8)]
    return f"SHA256:{' '.join(groups)}" if pairs else ""
