"""Public SSH keys as a line of authorized_keys has them (sshd(8)), checked down to the blob's fields."""

from __future__ import annotations

import base64
import binascii
import re
import struct

_CERTIFICATE = "-cert-v01@openssh.com"
_LEAST_RSA_BITS = 2048

# The fields of a blob after its type (RFC 4253, RFC 5656, RFC 8709, OpenSSH's PROTOCOL.u2f): a number is
# the field's length in bytes, text its contents, "rsa" an exponent or a modulus, None anything.
_FIELDS: dict[str, tuple[int | str | None, ...]] = {
    "ssh-ed25519": (32,),
    "ssh-rsa": (None, "modulus"),
    "ecdsa-sha2-nistp256": ("nistp256", 65),
    "ecdsa-sha2-nistp384": ("nistp384", 97),
    "ecdsa-sha2-nistp521": ("nistp521", 133),
    "sk-ssh-ed25519@openssh.com": (32, None),
    "sk-ecdsa-sha2-nistp256@openssh.com": ("nistp256", 65, None),
}
_CERTIFIED = {kind.removesuffix("@openssh.com") + _CERTIFICATE for kind in _FIELDS}
_OPTIONS = re.compile(r'(?:[^\s"]|"(?:\\.|[^"\\])*")+\s+')


def fault_of(line: str) -> str:  # noqa: PLR0911 - one return a reason
    """Say why a line is no public key that sshd takes, "" where it is one. Never repeats the blob."""
    if "PRIVATE KEY" in line:
        return "it is a private key; give the public one, and consider the private one as known to others"
    if "\n" in line.strip() or "\0" in line:
        return "a key is one line"
    words = _without_options(line.strip()).split(None, 2)
    if not words:
        return "there is no key on the line"
    kind = words[0]
    if kind == "ssh-dss":
        return "DSA keys are refused by sshd"
    if kind not in _FIELDS and kind not in _CERTIFIED:
        return "it does not begin with a type of key, such as ssh-ed25519"
    if len(words) == 1:
        return f"nothing follows the type {kind}"
    return _blob_fault(kind, words[1])


def _without_options(line: str) -> str:
    first = line.split(None, 1)[0] if line else ""
    if first in _FIELDS or first in _CERTIFIED or first == "ssh-dss":
        return line
    match = _OPTIONS.match(line)
    rest = line[match.end() :] if match else ""
    # Only what a type of key follows were options; otherwise the line is judged as it stands.
    return (
        rest
        if rest.split(None, 1)[:1] and rest.split(None, 1)[0] in {*_FIELDS, *_CERTIFIED, "ssh-dss"}
        else line
    )


def _blob_fault(kind: str, text: str) -> str:  # noqa: PLR0911 - one return a reason
    try:
        # A certificate has numbers among its strings, so only its type is read.
        fields = _strings(base64.b64decode(text, validate=True), most=1 if kind in _CERTIFIED else None)
    except (binascii.Error, ValueError):
        return f"what follows {kind} is cut short or altered"
    if not fields or fields[0] != kind.encode():
        return f"it says {kind}, and the key itself is of another type"
    if kind in _CERTIFIED:
        return ""
    wanted = _FIELDS[kind]
    if len(fields) != len(wanted) + 1:
        return f"what follows {kind} is cut short or altered"
    for field, want in zip(fields[1:], wanted, strict=True):
        if want == "modulus":
            if (bits := int.from_bytes(field, "big").bit_length()) < _LEAST_RSA_BITS:
                return f"an RSA key of {bits} bits is weak; {_LEAST_RSA_BITS} are the least"
        elif want is not None and (field != want.encode() if isinstance(want, str) else len(field) != want):
            return f"what follows {kind} is cut short or altered"
    return ""


def _strings(blob: bytes, *, most: int | None = None) -> list[bytes]:
    """Split a blob into its strings (RFC 4251, section 5); ValueError where it doesn't end with one.

    No more than the first `most` are read.
    """
    found: list[bytes] = []
    at = 0
    while at < len(blob) and len(found) != most:
        if len(blob) - at < 4:
            raise ValueError("a length is cut short")
        (length,) = struct.unpack_from(">I", blob, at)
        at += 4
        if length > len(blob) - at:
            raise ValueError("a string is cut short")
        found.append(blob[at : at + length])
        at += length
    return found
