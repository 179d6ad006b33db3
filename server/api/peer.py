"""Who is at the other end: by the certificate of the connection, or by what a proxy of ours says of it."""

from __future__ import annotations

import base64
import binascii
import logging
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import Request
from sqlalchemy.orm import Session

from server import clock
from server.certificates import CLIENT, NODE_URI, PROXY_URI, holds, key_fingerprint, uris
from server.enrolment import drop_other_keys, node_of_key
from server.models import Node
from server.nodes import is_trusted
from server.refusal import RefusalError
from server.site import Site
from server.states import State

# Where the server's protocol class puts the certificate (DER) of the connection (server.tls).
PEER = "nodecrust.peer_certificate"
_WARNED = timedelta(days=30)
_LOG = logging.getLogger("node-server")


@dataclass(frozen=True)
class Peer:
    """An address, and a certificate that our CA issued and that is valid now; None without one."""

    address: str
    certificate: x509.Certificate | None


def peer_of(request: Request) -> Peer:
    """Tell who sent a request.

    A proxy that shows a certificate of ours for proxies speaks for others: X-SSL-Client-Cert, and the last of
    X-Forwarded-For. One header and no more: a proxy lets those through that it doesn't know.

    RefusalError (403 certificate-refused) for a certificate that our CA doesn't stand by.
    """
    site: Site = request.app.state.site
    address = request.client.host if request.client else "unknown"
    der = request.scope.get(PEER)
    if der is None:
        return Peer(address, None)
    certificate = x509.load_der_x509_certificate(der)
    if not any(uri.startswith(PROXY_URI) for uri in uris(certificate)):
        return Peer(address, _stood_by(certificate, site))
    _stood_by(certificate, site)
    _warn_of_end(certificate, site)
    address = request.headers.get("x-forwarded-for", address).rpartition(",")[2].strip()[:64]
    sent = _sent_by_proxy(request)
    return Peer(address, None if sent is None else _stood_by(sent, site))


def require_node(session: Session, request: Request, node_id: str) -> Node:
    """Give the node whose certificate the request came with; locked until the transaction ends.

    RefusalError where there is none, where it is another node's, or where the node is not trusted any more.
    """
    certificate = peer_of(request).certificate
    if certificate is None:
        raise RefusalError(401, "certificate-needed", "this needs the certificate that enrolling gave")
    key = certificate.public_key()
    fingerprint = key_fingerprint(key) if isinstance(key, ec.EllipticCurvePublicKey) else ""
    node = node_of_key(session, fingerprint, lock=True)
    if node is None or NODE_URI + node.id not in uris(certificate):
        raise RefusalError(403, "certificate-refused", "this certificate's key is no node's (any more)")
    if node.id != node_id:
        # Which one was meant stands in its path, that anybody may have written.
        raise RefusalError(403, "not-this-node", "this certificate is another node's", node_id=node.id)
    if node.state == State.RETIRED:
        raise RefusalError(403, "retired", "this node was retired", node_id=node.id)
    if not is_trusted(node):
        raise RefusalError(403, "certificate-refused", f"this node is {node.state}")
    if node.older_key and node.key_fingerprint == fingerprint:
        # The first use of a new key ends the old one; until then the answer may have been lost.
        drop_other_keys(session, node, fingerprint)
    return node


def _stood_by(certificate: x509.Certificate, site: Site) -> x509.Certificate:
    if not holds(certificate, site.authority.certificate, CLIENT, clock.now()):
        raise RefusalError(403, "certificate-refused", "this certificate is not of this CA, or it is over")
    return certificate


def _warn_of_end(proxy: x509.Certificate, site: Site) -> None:
    """Say in time that a proxy's certificate ends: nobody renews it, and all its nodes go silent with it."""
    left = proxy.not_valid_after_utc - clock.now()
    if left < _WARNED and site.told.is_time(f"proxy {proxy.serial_number}"):
        words = "%s: its certificate ends in %d days; make another one (node-server proxy create)"
        _LOG.warning(words, proxy.subject.rfc4514_string(), left.days)


def _sent_by_proxy(request: Request) -> x509.Certificate | None:
    """Read PEM with URL's escapes, as nginx has it, or the base64 of DER, as HAProxy has it."""
    sent = request.headers.get("x-ssl-client-cert", "").strip()
    try:
        if not sent or "%" in sent:
            return x509.load_pem_x509_certificate(unquote_to_bytes(sent)) if sent else None
        return x509.load_der_x509_certificate(base64.b64decode(sent, validate=True))
    except (ValueError, binascii.Error) as error:
        raise RefusalError(
            403, "certificate-refused", "the proxy sent a certificate that can't be read"
        ) from error
