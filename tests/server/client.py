"""A node as small as can be: a key, requests over TLS, nothing else."""

from __future__ import annotations

import hashlib
import json
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def new_mac() -> str:
    """Give a MAC as a maker of cards would."""
    return "52:54:00:" + ":".join(uuid4().hex[place : place + 2] for place in (0, 2, 4))


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class FakeNode:
    """A machine with a key. `certificate` is what enrolling gave last."""

    def __init__(
        self,
        url: str,
        ca: Path,
        folder: Path,
        *,
        product_uuid: str | None = None,
        key: ec.EllipticCurvePrivateKey | None = None,
        **identity: Any,
    ) -> None:
        self.url, self.ca, self.folder = url, ca, folder
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.identity = {
            "product_uuid": product_uuid or str(uuid4()),
            "vendor": "ACME",
            "serial": uuid4().hex,
            "macs": [new_mac()],
        } | identity
        self.node_id: str | None = None
        self.certificate: str | None = None

    @property
    def fingerprint(self) -> str:
        public = self.key.public_key()
        return hashlib.sha256(
            public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        ).hexdigest()

    def csr(self, key: Any = None) -> str:
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        return request.sign(key or self.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    def context(self, certificate: str | None = None, key: Any = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.ca))
        certificate = certificate or self.certificate
        if certificate:
            path = self.folder / f"{uuid4().hex}.pem"
            pem = (key or self.key).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            path.write_bytes(pem + certificate.encode())
            context.load_cert_chain(path)
        return context

    def client(self, *, with_certificate: bool = True) -> httpx.Client:
        bare = ssl.create_default_context(cafile=str(self.ca))
        context = self.context() if with_certificate else bare
        return httpx.Client(base_url=self.url, verify=context, timeout=30, trust_env=False)

    def enroll(self, token: str | None = None, **body: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        content = {"protocol": 1, "csr": self.csr(), "identity": self.identity, "name": "n1"} | body
        with self.client(with_certificate=False) as client:
            answer = client.post("/v1/enroll", json=content, headers=headers)
        if answer.status_code in (200, 202):
            self.node_id = answer.json()["node_id"]
        if answer.status_code == 200:
            self.certificate = answer.json()["certificate"]
        return answer

    def send(self, method: str, path: str, *, node_id: str | None = None, **options: Any) -> httpx.Response:
        with self.client() as client:
            return client.request(method, f"/v1/nodes/{node_id or self.node_id}/{path}", **options)

    def heartbeat(self, **body: Any) -> httpx.Response:
        content = {"boot_id": "b1", "uptime_s": 5, "time": now_text(), "state": {"health": "good"}} | body
        return self.send("POST", "heartbeat", json=content)

    def put_facts(self, facts: Any, sha256: str | None = None) -> httpx.Response:
        text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        digest = sha256 or hashlib.sha256(text.encode()).hexdigest()
        return self.send("PUT", "facts", json={"facts": facts}, headers={"Nodecrust-Facts-SHA256": digest})
