"""One connection to the server: JSON in, JSON out, and every failure as one of a few kinds."""

from __future__ import annotations

import json
import re
import ssl
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError, InsecureRequestWarning

from node.errors import TryAgainError

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 30.0
# No answer of the protocol is longer; what is, is no server of ours.
MAX_BYTES = 4 << 20


class CertificateError(TryAgainError):
    """The server's certificate is refused; `clock` where only the time speaks against it."""

    def __init__(self, brief: str, *, clock: bool, mend: str) -> None:
        super().__init__(brief, mend=mend)
        self.clock = clock


class OwnCertificateError(TryAgainError):
    """The server refuses the node's certificate while the connection is made."""


class ProblemError(Exception):
    """The server says no: RFC 9457. `code` is one of the protocol's words, "" where it gives none."""

    def __init__(self, status: int, code: str, words: str, retry_after_s: float | None) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.words = words
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Answer:
    """An answer that is no refusal."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """Give the JSON object in it; TryAgainError where there is none."""
        try:
            data = json.loads(self.body)
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise TryAgainError("the server's answer is no JSON object", mend="Is it a node-server?")
        return data


class Connection:
    """Requests to one server over one TLS context."""

    def __init__(self, server: str, context: ssl.SSLContext) -> None:
        self._server = server
        checks: dict[str, Any] = {} if context.check_hostname else {"assert_hostname": False}
        self._pool = PoolManager(
            num_pools=1,
            ssl_context=context,
            retries=False,
            timeout=Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S),
            **checks,
        )

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.clear()

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Give the answer of 2xx or 304; ProblemError, CertificateError or TryAgainError for all else."""
        sent = {"Accept": "application/json", **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        with warnings.catch_warnings():
            # Of the one connection that believes nothing: what comes over it is compared with a fingerprint.
            warnings.simplefilter("ignore", InsecureRequestWarning)
            try:
                response = self._pool.request(
                    method,
                    self._server + path,
                    body=json.dumps(body).encode() if body is not None else None,
                    headers=sent,
                    redirect=False,
                    preload_content=False,
                )
                contents = response.read(MAX_BYTES + 1, decode_content=True)
                response.release_conn()
            except HTTPError as error:
                raise _explained(error, self._server) from None
        if len(contents) > MAX_BYTES:
            raise TryAgainError(f"{self._server} sends too much", mend="Is it a node-server?")
        given = {name.lower(): value for name, value in response.headers.items()}
        if response.status in (200, 201, 202, 204, 304):
            return Answer(response.status, contents, given)
        raise _problem(response.status, contents, given)


def _problem(status: int, contents: bytes, headers: Mapping[str, str]) -> ProblemError:
    try:
        data = json.loads(contents)
    except ValueError:
        data = {}
    data = data if isinstance(data, dict) else {}
    after = headers.get("retry-after", "")
    words = " ".join(str(data.get("detail") or data.get("title") or "").split())[:300]
    return ProblemError(status, str(data.get("code") or ""), words, float(after) if after.isdigit() else None)


def _explained(error: HTTPError, server: str) -> TryAgainError:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        why = text.rpartition("certificate verify failed: ")[2].partition(" (_ssl")[0]
        clock = "not yet valid" in text or "expired" in text
        return CertificateError(
            f"{server}: the server's certificate is refused: {why}",
            clock=clock,
            mend="Is this node's clock right?"
            if clock
            else "Does the server still have the CA and the name that this node was given?",
        )
    # What OpenSSL says of an alert: the server doesn't like what the node showed.
    if "ALERT" in text.upper() and any(
        word in text.upper() for word in ("CERTIFICATE", "UNKNOWN_CA", "ACCESS")
    ):
        return OwnCertificateError(f"{server} refuses this node's certificate")
    if "NameResolutionError" in text or "Name or service not known" in text:
        return TryAgainError(f"the name of {server} is not known", mend="Are the name servers right?")
    if "SSLError" in text:
        return TryAgainError(f"{server}: no TLS connection", details=text[:300], mend="Is it a node-server?")
    # Before that urllib3 names its objects, which say nothing to anybody.
    why = re.sub(r"\[Errno -?\d+\] ", "", text.rpartition(": ")[2])
    return TryAgainError(
        f"{server} can't be reached", details=why[:300], mend="Is the server up, and the link?"
    )
