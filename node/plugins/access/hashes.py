"""Password hashes by their form, as crypt(5) of libxcrypt has them; nothing here sees a password."""

from __future__ import annotations

import re
from dataclasses import dataclass

_64 = "[./0-9A-Za-z]"

# The regular expressions are crypt(5)'s, section "AVAILABLE HASHING METHODS".
_ACCEPTED = (
    re.compile(rf"\$y\${_64}+\${_64}{{,86}}\${_64}{{43}}"),  # yescrypt
    re.compile(rf"\$gy\${_64}+\${_64}{{,86}}\${_64}{{43}}"),  # gost-yescrypt
    re.compile(rf"\$7\${_64}{{11,97}}\${_64}{{43}}"),  # scrypt
    re.compile(rf"\$6\$(?:rounds=(?P<rounds>[1-9][0-9]{{0,8}})\$)?[^$:\n]{{1,16}}\${_64}{{86}}"),  # SHA-512
)
# crypt(5) has 5000 as the default; fewer make guessing cheaper than that.
_LEAST_ROUNDS = 5000

_KNOWN_PREFIXES = ("$y$", "$gy$", "$7$", "$6$")
_WEAK_PREFIXES = {
    "$5$": "SHA-256 crypt costs an attacker's graphics card little",
    "$2": "bcrypt is not accepted, since it uses no memory and only 72 characters of a password",
    "$1$": "MD5 crypt is broken by guessing at billions of tries a second",
    "$md5": "SunMD5 rests on MD5 and is too cheap to guess",
    "$sha1": "SHA-1 crypt is too cheap to guess",
    "$3$": "an NT hash has no salt and is broken at once",
    "_": "BSDi's DES crypt is broken by guessing",
}
_DES = re.compile(rf"{_64}{{13}}")

MEND = "Make a hash with `mkpasswd -m yescrypt` or `openssl passwd -6`"


@dataclass(frozen=True)
class Fault:
    """Why a hash is refused: a slug and words, which never repeat it."""

    code: str
    what: str


def fault_of(text: str) -> Fault | None:  # noqa: PLR0911 - one return a reason
    """Say why `text` is no password hash that we accept; None where it is one."""
    for form in _ACCEPTED:
        if match := form.fullmatch(text):
            rounds = match.groupdict().get("rounds")
            if rounds is not None and int(rounds) < _LEAST_ROUNDS:
                return Fault(
                    "weak-password-hash", f"SHA-512 crypt with fewer than {_LEAST_ROUNDS} rounds is weak"
                )
            return None
    if text.startswith(_KNOWN_PREFIXES):
        prefix = next(prefix for prefix in _KNOWN_PREFIXES if text.startswith(prefix))
        return Fault(
            "broken-password-hash",
            f"it begins like a {prefix} hash and is cut short or altered; a shell may have eaten a `$`",
        )
    for prefix, why in _WEAK_PREFIXES.items():
        if text.startswith(prefix):
            return Fault("weak-password-hash", why)
    if _DES.fullmatch(text):
        return Fault("weak-password-hash", "it has the form of a DES hash, which is broken by guessing")
    if text[:1] in ("!", "*"):
        return Fault("locked-password-hash", "it marks a locked account")
    return Fault("clear-text-password", "it is no hash; a password in clear text is never accepted")
