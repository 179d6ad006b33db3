"""The node's certificate: kept, looked at, and renewed in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from node.errors import TryAgainError
from node.model.system import Files
from node.plugins.registration.memory import CERTIFICATE_FILE, keep

# At this part of its life a certificate is renewed, so that the rest is left for a server that is away.
RENEW_AT = 2 / 3


@dataclass(frozen=True)
class Held:
    """A certificate that is kept: when it counts. Times are aware."""

    since: datetime
    until: datetime

    def is_over(self, now: datetime) -> bool:
        """Whether it counts no more."""
        return now >= self.until

    def is_due(self, now: datetime) -> bool:
        """Whether it should be renewed."""
        return now >= self.since + (self.until - self.since) * RENEW_AT


def read_certificate(folder: Path, files: Files) -> Held | None:
    """Give the certificate that is kept; None where none can be read."""
    try:
        return held(files.read(folder / CERTIFICATE_FILE).decode())
    except (OSError, ValueError):
        return None


def held(pem: str) -> Held:
    """Look at a certificate in PEM; ValueError where it is none."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    return Held(certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def keep_certificate(pem: object, folder: Path, files: Files) -> Held:
    """Keep what the server gave; TryAgainError where it is no certificate."""
    try:
        found = held(str(pem))
    except ValueError:
        raise TryAgainError("the server gave no certificate that can be read") from None
    keep(folder / CERTIFICATE_FILE, str(pem), files)
    return found


def now() -> datetime:
    """Give the node's clock."""
    return datetime.now(UTC)
