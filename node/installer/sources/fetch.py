"""Fetches the answers over a network: with retries, within bounds, checked, every failure in words."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urljoin, urlsplit

from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError, IncompleteRead, InsecureRequestWarning, ProtocolError, SSLError

from node.errors import CommandFailedError, InputError, NodeError, TryAgainError
from node.installer.document import MAX_BYTES
from node.installer.sources.location import Location, Scheme, check_sha256, place
from node.installer.sources.pinned import tls_context
from node.model.system import Commands

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 20.0
# The link may need seconds to come up (spanning tree), and a rack that starts at once asks a server hard.
RETRIES = 6
BACKOFF_S = 1.0
_MAX_REDIRECTS = 5
_OK = 200
_BUSY = (408, 425, 429, 500, 502, 503, 504)
# curl's exit codes (man curl): file not found and access denied by TFTP, and a file that is too large.
_CURL_NOT_THERE = {68: "there is no such file", 69: "the server denies it"}
_CURL_TOO_LARGE = 63


def fetch(
    location: Location,
    *,
    commands: Callable[[], Commands],
    retries: int = RETRIES,
    backoff_s: float = BACKOFF_S,
) -> bytes:
    """Give what is at an https, http or tftp location, its SHA-256 checked where one is given.

    InputError where it isn't there or is another; TryAgainError, after `retries` more tries, where the
    network or the server fails. `commands` is called for tftp alone, which curl speaks.
    """
    if location.scheme is Scheme.TFTP:
        contents = _over_tftp(location, commands(), retries)
    else:
        contents = _over_http(location, retries, backoff_s)
    check_sha256(contents, location)
    return contents


def _over_http(location: Location, retries: int, backoff_s: float) -> bytes:
    retry = Retry(
        total=retries,
        redirect=False,
        backoff_factor=backoff_s,
        backoff_max=30,
        status_forcelist=_BUSY,
        allowed_methods=("GET",),
        raise_on_status=False,
    )
    for _ in range(_MAX_REDIRECTS + 1):
        contents, leads_to = _get(location, retry)
        if not leads_to:
            return contents
        onward = replace(location, address=_joined(location.address, leads_to))
        if place(onward.address)[0] is not location.scheme:
            raise InputError(
                f"{location} leads to {onward}, which is no {location.scheme.value}",
                mend="Give the address itself",
            )
        location = onward
    raise InputError(f"{location} leads in a circle", mend="Give the address itself")


def _joined(address: str, leads_to: str) -> str:
    try:
        return urljoin(address, leads_to)
    except ValueError:
        return leads_to


def _get(location: Location, retry: Retry) -> tuple[bytes, str]:
    """Give the body of one answer, or the address that it leads to."""
    # urllib3 and not requests, which would add the CAs of its own bundle to what we pin.
    with PoolManager(**_tls(location)) as pool, warnings.catch_warnings():
        # What isn't pinned is checked by its hash, or trusted on purpose: that was said on every console.
        warnings.simplefilter("ignore", InsecureRequestWarning)
        try:
            response = pool.request(
                "GET",
                location.address,
                retries=retry,
                redirect=False,
                preload_content=False,
                timeout=Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S),
            )
            if leads_to := response.get_redirect_location():
                return b"", leads_to
            _check_status(response, location)
            contents = response.read(MAX_BYTES + 1, decode_content=True)
        except HTTPError as error:
            raise _explained(error, location) from None
    if len(contents) > MAX_BYTES:
        raise InputError(f"{location} is larger than {MAX_BYTES >> 20} MiB", mend="Is it the right file?")
    return contents, ""


def _tls(location: Location) -> dict[str, Any]:
    if location.scheme is Scheme.HTTP:
        return {}
    parts = urlsplit(location.address)
    context = tls_context(
        location, host=parts.hostname or "", port=parts.port or 443, timeout_s=CONNECT_TIMEOUT_S
    )
    return {"ssl_context": context} | ({} if context.check_hostname else {"assert_hostname": False})


def _check_status(response: BaseHTTPResponse, location: Location) -> None:
    if response.status == _OK:
        return
    words = f"{location}: the server says {response.status} {response.reason or ''}".rstrip()
    if response.status in _BUSY:
        raise TryAgainError(words, mend="Try again later")
    raise InputError(words, mend="Correct node.answers, or put the file there")


def _explained(error: HTTPError, location: Location) -> NodeError:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        why = text.rpartition("certificate verify failed: ")[2].partition(" (_ssl")[0]
        clock = "not yet valid" in text or "expired" in text
        return InputError(
            f"{location}: the server's certificate is refused: {why}",
            mend="Is this machine's clock right?" if clock else "Is node.answers.ca the right one?",
        )
    if "SSLError" in text or isinstance(error, SSLError):
        return TryAgainError(f"{location}: no TLS connection", details=_shortened(text))
    if "NameResolutionError" in text or "Name or service not known" in text:
        return TryAgainError(
            f"{location}: the host's name is not known", mend="Is the name server right (ip=, DHCP)?"
        )
    if isinstance(error, IncompleteRead | ProtocolError):
        return TryAgainError(f"{location} broke off in the middle", details=text[:300])
    return TryAgainError(
        f"{location} can't be reached", details=_shortened(text), mend="Is the link up, and the server?"
    )


def _shortened(text: str) -> str:
    """Give the cause at the end of the chain that urllib3 tells, without its names of classes and objects."""
    cause = text.rpartition("Caused by ")[2]
    return re.split(r"(?:>|\)): |\(['\"]", cause)[-1].rstrip("')\"")[:300]


def _over_tftp(location: Location, commands: Commands, retries: int) -> bytes:
    with TemporaryDirectory(prefix="node-answers-") as folder:
        path = Path(folder) / "answers"
        argv: list[str | Path] = [
            "curl", "--silent", "--show-error", "--max-time", "60", "--retry", str(retries),
            "--retry-all-errors", "--max-filesize", str(MAX_BYTES), "--output", path, location.address,
        ]  # fmt: skip
        try:
            commands.run(argv, timeout_s=60.0 * (retries + 1))
            return path.read_bytes()
        except CommandFailedError as error:
            if error.status in _CURL_NOT_THERE:
                raise InputError(
                    f"{location}: {_CURL_NOT_THERE[error.status]}", mend="Correct node.answers"
                ) from None
            if error.status == _CURL_TOO_LARGE:
                raise InputError(f"{location} is larger than {MAX_BYTES >> 20} MiB") from None
            raise TryAgainError(
                f"{location} can't be had", details=error.details, mend="Is the server up?"
            ) from None
