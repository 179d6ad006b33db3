"""cobbler's two ways in: XML-RPC (cobbler 3.2 and 3.3) and the web services beside it."""

from __future__ import annotations

import hashlib
import ssl
import xmlrpc.client
from typing import Any
from urllib.parse import quote, urlsplit
from xml.parsers.expat import ExpatError

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from node.errors import NodeError, TryAgainError
from node.system.tls import anchored, chain_of

_TIMEOUT = Timeout(connect=10.0, read=60.0)
_MOST = 4 << 20
_OK = 200
# What `modify_system` and `find_system` are called and give is that of this version.
_MAJOR = 3


class Cobbler:
    """One server. Every call may raise TryAgainError (away) or NodeError (it says no)."""

    def __init__(self, server: str, fingerprint: str = "") -> None:
        self._server = server
        self._pool = PoolManager(num_pools=1, retries=False, timeout=_TIMEOUT, **_tls(server, fingerprint))

    def version(self) -> tuple[int, ...]:
        """Give its version; NodeError where its API is another than ours."""
        told = self.call("extended_version")
        numbers = told.get("version_tuple") if isinstance(told, dict) else None
        if not numbers or numbers[0] != _MAJOR:
            found = told.get("version", "unknown") if isinstance(told, dict) else "unknown"
            raise NodeError(f"this cobbler is {found}; its API is known for {_MAJOR}.x only")
        return tuple(numbers)

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method over XML-RPC."""
        body = xmlrpc.client.dumps(arguments, method, allow_none=True)
        contents = self._ask("POST", "/cobbler_api", body.encode(), "text/xml")
        try:
            (value,), _ = xmlrpc.client.loads(contents.decode())
        except xmlrpc.client.Fault as fault:
            # Its words begin with Python's own of the exception.
            words = fault.faultString.partition(":")[2].strip(" '\"") or fault.faultString
            raise NodeError(f"cobbler refuses {method}: {words[:200]}") from None
        except (xmlrpc.client.Error, ExpatError, ValueError):
            raise TryAgainError(
                f"{self._server}: what answers is no cobbler", mend="Is its /cobbler_api served?"
            ) from None
        return value

    def service(self, *words: str) -> str:
        """Give the body of a web service: `service("nopxe", "system", NAME)`."""
        path = "/cblr/svc/op/" + "/".join(quote(word, safe="") for word in words)
        return self._ask("GET", path).decode(errors="replace").strip()

    def _ask(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> bytes:
        headers = {"Content-Type": kind} if kind else {}
        try:
            response = self._pool.request(
                method, self._server + path, body=body, headers=headers, redirect=False, preload_content=False
            )
            contents = response.read(_MOST, decode_content=True)
            response.release_conn()
        except HTTPError as error:
            raise TryAgainError(
                f"{self._server} can't be reached", details=str(error)[:300], mend="Is cobbler up?"
            ) from None
        if response.status != _OK:
            raise TryAgainError(
                f"{self._server}{path}: the server says {response.status}", mend="Is cobblerd up?"
            )
        return contents


def _tls(server: str, fingerprint: str) -> dict[str, Any]:
    parts = urlsplit(server)
    if parts.scheme != "https":
        return {}
    host = parts.hostname or ""
    try:
        chain = chain_of(host, parts.port or 443, timeout_s=10.0)
    except OSError as error:
        raise TryAgainError(
            f"{server} can't be reached: {error.strerror or error}", mend="Is it up?"
        ) from None
    for der in chain:
        if hashlib.sha256(der).hexdigest() == fingerprint:
            return {"ssl_context": anchored(pem=ssl.DER_cert_to_PEM_cert(der))}
    raise NodeError(
        f"{server} has no certificate with the fingerprint cobbler.fingerprint",
        mend="Give the right one; the server must send the CA's certificate with its own",
    )
