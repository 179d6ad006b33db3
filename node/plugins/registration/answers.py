"""The section `registration` of the answers. Its errors never repeat the token."""

from __future__ import annotations

import re
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, field_validator

from node.model.answers import SectionModel
from node.model.fingerprint import fingerprint
from node.model.host_name import host_fault
from node.model.refusal import refuse

# As a line of text it can be typed, put into a file and stand on a kernel command line.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{8,512}")
_POOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHA1_DIGITS = 40


class RegistrationAnswers(SectionModel):
    """The management server, whom to believe that he is it, and what lets the node in."""

    model_config = ConfigDict(**{**SectionModel.model_config, "hide_input_in_errors": True})

    key: ClassVar[str] = "registration"
    persists: ClassVar[bool] = True
    secret: ClassVar[frozenset[str]] = frozenset({"token"})

    server: str = Field(
        default="",
        description="The management server, such as https://manage.example.org:8443. Empty: the node "
        "registers with none.",
    )
    fingerprint: str = Field(
        default="",
        description="SHA-256 fingerprint of the server's CA, which `node-server` shows: 64 hexadecimal "
        "digits, colons allowed. Another CA is refused.",
    )
    token: str = Field(
        default="",
        description="Token that lets this node ask to be registered. It leaves the configuration once it is "
        "used. On the kernel command line, which every program reads, only one that is for a single use, "
        "bound to this machine and good for an hour at most.",
        repr=False,
    )
    pool: str = Field(
        default="",
        description="The pool that this node is for: a token for another one is refused. Empty: whichever "
        "the token is for.",
    )

    @field_validator("server")
    @classmethod
    def _check_server(cls, text: str) -> str:
        if text and (fault := _server_fault(text)):
            raise refuse("server-invalid", fault, "Write one such as https://manage.example.org:8443")
        return text.rstrip("/")

    @field_validator("fingerprint")
    @classmethod
    def _check_fingerprint(cls, text: str) -> str:
        if text and not fingerprint(text):
            digits = len(re.sub(r"[^0-9A-Fa-f]", "", text))
            what = "a SHA-1 fingerprint, which can be forged" if digits == _SHA1_DIGITS else "none of SHA-256"
            raise refuse(
                "fingerprint-invalid",
                f"this is {what}",
                "Give the 64 hexadecimal digits that `node-server` shows, or openssl x509 -fingerprint "
                "-sha256 of its CA",
            )
        return fingerprint(text)

    @field_validator("token")
    @classmethod
    def _check_token(cls, text: str) -> str:
        if text and not _TOKEN.fullmatch(text):
            raise refuse(
                "token-invalid",
                "this is not a token: it has letters that none has, or is too short",
                "Give it as `node-server token create` printed it",
            )
        return text

    @field_validator("pool")
    @classmethod
    def _check_pool(cls, text: str) -> str:
        if text and not _POOL.fullmatch(text):
            raise refuse(
                "pool-invalid", "this is not a pool's name", "Begin with a letter or digit; go on with . _ -"
            )
        return text


def _server_fault(text: str) -> str:
    """Say what keeps a text from being the address of a server, "" where nothing does."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "this is not an address"
    if parts.scheme == "http":
        return "registration never goes over plain http"
    if parts.scheme != "https":
        return "this is not an address that begins with https://"
    if "@" in parts.netloc:
        return "a name or password has no place in it"
    if port == 0 or parts.path.strip("/") or parts.query or parts.fragment:
        return "this is more than a host and a port"
    return host_fault(host) if host else "it names no host"
