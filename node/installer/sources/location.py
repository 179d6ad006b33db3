"""Where the answers are to be had and why they may be believed: decided before anything is fetched."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from node.errors import InputError
from node.model.fingerprint import fingerprint
from node.model.origin import Origin, Precedence
from node.model.problem import Problem, Severity

_USER = re.compile(r"(://)[^/?#]*@")
# Where an image or a medium keeps the certificates that https is checked with.
IMAGE_CA = Path("/etc/nodecrust/ca.pem")
MEDIUM_CA = Path("/run/node/medium/nodecrust-ca.pem")


class Scheme(StrEnum):
    """The ways to the answers."""

    FILE = "file"
    MEDIUM = "medium"
    HTTPS = "https"
    HTTP = "http"
    TFTP = "tftp"


@dataclass(frozen=True)
class Location:
    """One place. `sha256` in lower case or ""; `ca_sha256` is a pinned certificate, `ca_file` a file of them.

    `checked` says that what comes from there can be believed: by its hash, by TLS, or since it is local.
    """

    scheme: Scheme
    address: str
    sha256: str = ""
    ca_sha256: str = ""
    ca_file: Path | None = None
    checked: bool = True

    def __str__(self) -> str:
        """The address without a password that may stand in it."""
        return without_password(self.address)


def without_password(address: str) -> str:
    """Give an address as it may be shown, be it well formed or not."""
    return _USER.sub(r"\1", address)


def locate(
    own: Mapping[str, str], *, image_ca: Path = IMAGE_CA, medium_ca: Path = MEDIUM_CA
) -> tuple[Location | None, tuple[Problem, ...]]:
    """Give the location that `answers`, `answers.sha256`, `answers.ca`, `answers.trust` name, and problems.

    None where none is named or where a problem forbids to fetch from there.
    """
    address = own.get("answers", "")
    if not address:
        lost = [f"node.{name}" for name in own if name.startswith("answers.")]
        return None, tuple(
            _problem(name, "is given without node.answers", "Add node.answers=URL") for name in lost
        )
    problems: list[Problem] = []
    scheme, target = place(address)
    if scheme is None:
        return None, (
            _problem(
                "node.answers",
                f"'{without_password(address)}' is no place that answers can come from",
                "Write https://, http:// or tftp:// with a host, medium:/PATH or file:/PATH",
            ),
        )
    sha256 = fingerprint(own.get("answers.sha256", ""))
    if own.get("answers.sha256") and not sha256:
        problems.append(
            _problem("node.answers.sha256", "is not a SHA-256", "Write its 64 hexadecimal digits")
        )
    ca_sha256, ca_file = "", None
    if given := own.get("answers.ca", ""):
        if given.startswith("/"):
            ca_file = Path(given)
        elif not (ca_sha256 := fingerprint(given)):
            problems.append(
                _problem(
                    "node.answers.ca",
                    "is neither a SHA-256 fingerprint nor a path",
                    "Write the 64 hexadecimal digits of openssl x509 -fingerprint -sha256",
                )
            )
    elif scheme is Scheme.HTTPS:
        ca_file = next((path for path in (image_ca, medium_ca) if path.is_file()), None)
    trust = own.get("answers.trust", "")
    if trust not in ("", "network"):
        problems.append(
            _problem("node.answers.trust", f"can't be '{trust}'", "Write network, or take it out")
        )
    local = scheme in (Scheme.FILE, Scheme.MEDIUM)
    checked = bool(local or sha256 or (scheme is Scheme.HTTPS and (ca_sha256 or ca_file)))
    problems += _trust_problems(
        scheme, without_password(address), checked=checked, trusted=trust == "network"
    )
    if any(problem.severity is Severity.ERROR for problem in problems):
        return None, tuple(problems)
    return Location(scheme, target, sha256, ca_sha256, ca_file, checked), tuple(problems)


def check_sha256(contents: bytes, location: Location) -> None:
    """Raise InputError, naming both, where the contents don't have the SHA-256 of the location."""
    found = hashlib.sha256(contents).hexdigest()
    if location.sha256 and found != location.sha256:
        raise InputError(
            f"the answers from {location} are not those that node.answers.sha256 names",
            details=f"wanted {location.sha256}\nfound  {found} ({len(contents)} bytes)",
            mend="Give the right node.answers.sha256, or put the right file there",
        )


def place(address: str) -> tuple[Scheme | None, str]:
    """Give the scheme, None where the address is none that answers can come from, and what follows it."""
    if address.startswith("/"):
        return Scheme.FILE, address
    name, _, rest = address.partition(":")
    try:
        scheme = Scheme(name.lower())
        host, port = urlsplit(address).hostname, urlsplit(address).port
    except ValueError:
        return None, ""
    if scheme in (Scheme.FILE, Scheme.MEDIUM):
        path = "/" + rest.lstrip("/")
        return (scheme, path) if len(path) > 1 and ".." not in Path(path).parts else (None, "")
    return (scheme, address) if host and port != 0 else (None, "")


def _trust_problems(scheme: Scheme, address: str, *, checked: bool, trusted: bool) -> list[Problem]:
    if checked:
        return []
    if trusted:
        what = f"the answers from {address} are taken unchecked: whoever owns the network owns this node"
        mend = "Give node.answers.sha256" + (" or node.answers.ca" if scheme is Scheme.HTTPS else "")
        return [_problem("node.answers.trust", what, mend, Severity.WARNING)]
    if scheme is Scheme.HTTPS:
        what = "is https without a pinned CA, so anyone's certificate would do"
        mend = "Give node.answers.ca=FINGERPRINT or node.answers.sha256=HEX"
    else:
        what = f"is {scheme.value}, which anyone on the network can forge"
        mend = "Give node.answers.sha256=HEX, or node.answers.trust=network to take them as they come"
    return [_problem("node.answers", what, mend)]


def _problem(where: str, what: str, mend: str, severity: Severity = Severity.ERROR) -> Problem:
    origin = Origin(Precedence.KERNEL, f"kernel argument {where}")
    return Problem("answers-location", where, what, mend, origin, severity=severity)
