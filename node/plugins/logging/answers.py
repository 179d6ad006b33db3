"""The section `logging` of the answers."""

from __future__ import annotations

import base64
import binascii
import re
from typing import ClassVar

from pydantic import Field, field_validator

from node.model.answers import SectionModel
from node.model.host_name import DNS_NAME_MAX, host_name_fault
from node.model.refusal import refuse
from node.model.words import Words
from node.plugins.logging.target import Target, TargetError, target_of

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----")


class LoggingAnswers(SectionModel):
    """Which servers get the log, and whom to believe that he is one."""

    key: ClassVar[str] = "logging"
    persists: ClassVar[bool] = True

    forward: Words = Field(
        default=(),
        description="Log servers such as `tls://log.example.org`, `tcp://192.0.2.5:1514` or "
        "`udp://[2001:db8::5]`. A name alone is sent to by UDP.",
    )
    ca: str = Field(
        default="",
        description="For tls: the CA that the server's certificate must come from, in PEM. Empty: those that "
        "the image knows.",
    )
    tls_name: str = Field(
        default="",
        description="For tls: the name in the server's certificate, where it is another than in `forward`.",
    )

    @property
    def targets(self) -> tuple[Target, ...]:
        """The servers, read."""
        return tuple(target_of(text) for text in self.forward)

    @field_validator("forward")
    @classmethod
    def _check_forward(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            try:
                target_of(text)
            except TargetError as error:
                raise refuse(
                    "log-server-invalid", str(error), "Write one such as tls://log.example.org:6514"
                ) from None
        return texts

    @field_validator("ca")
    @classmethod
    def _check_ca(cls, text: str) -> str:
        if text and (fault := _pem_fault(text)):
            raise refuse(
                "ca-invalid", fault, "Give the CA's certificate in PEM, as its .crt or .pem file has it"
            )
        return text

    @field_validator("tls_name")
    @classmethod
    def _check_tls_name(cls, name: str) -> str:
        if name and (fault := host_name_fault(name, longest=DNS_NAME_MAX)):
            raise refuse("tls-name-invalid", fault, "Write the name as the certificate has it")
        return name


def _pem_fault(text: str) -> str:
    """Say what keeps `text` from being certificates in PEM, "" where nothing does."""
    if "PRIVATE KEY" in text:
        return "it holds a private key, which belongs to the CA alone; consider it as known to others"
    found = _CERTIFICATE.findall(text)
    if not found or _CERTIFICATE.sub("", text).count("-----"):
        return "it is no certificate in PEM, or it is cut short"
    for body in found:
        try:
            der = base64.b64decode("".join(body.split()), validate=True)
        except (binascii.Error, ValueError):
            return "a certificate is cut short or altered"
        # A certificate is one SEQUENCE, whose length stands in the bytes that follow the tag (X.690).
        if len(der) < 4 or der[:2] != b"\x30\x82" or int.from_bytes(der[2:4], "big") + 4 != len(der):
            return "a certificate is cut short or altered"
    return ""
