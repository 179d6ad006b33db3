"""The tables. `migrations` makes them; a test compares both."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# SQLite numbers rows by itself only in a column of type INTEGER.
Number = BigInteger().with_variant(Integer, "sqlite")


class UtcTime(TypeDecorator[datetime]):
    """A time: aware in Python, UTC without a zone in the database."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store as UTC; a time without a zone is a bug."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        del dialect
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """All tables."""


class Node(Base):
    """A machine that enrolled, and what it told last."""

    __tablename__ = "node"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    pool: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str | None] = mapped_column(String(253))
    product_uuid: Mapped[str | None] = mapped_column(String(36))
    vendor: Mapped[str | None] = mapped_column(String(128))
    serial: Mapped[str | None] = mapped_column(String(128))
    macs: Mapped[str] = mapped_column(Text)
    key_fingerprint: Mapped[str] = mapped_column(String(64))
    # It renewed with a new key: the one from before is good until the new one is seen.
    older_key: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    address: Mapped[str | None] = mapped_column(String(64))
    certificate: Mapped[str | None] = mapped_column(Text)
    certificate_until: Mapped[datetime | None] = mapped_column(UtcTime)
    # The other key that asked for this machine last, until an operator decides.
    refused_key: Mapped[str | None] = mapped_column(String(64))
    refused_at: Mapped[datetime | None] = mapped_column(UtcTime)
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcTime, index=True)
    boot_id: Mapped[str | None] = mapped_column(String(64))
    uptime_s: Mapped[int | None] = mapped_column(BigInteger)
    clock_skew_s: Mapped[int | None] = mapped_column(BigInteger)
    health: Mapped[str | None] = mapped_column(Text)
    facts_sha256: Mapped[str | None] = mapped_column(String(64))
    config_etag: Mapped[str | None] = mapped_column(String(80))


class Mark(Base):
    """What at most one node may have (server.identity): the one constraint that keeps nodes single."""

    __tablename__ = "mark"

    mark: Mapped[str] = mapped_column(String(300), primary_key=True)
    node_id: Mapped[str] = mapped_column(ForeignKey("node.id"), index=True)


class Token(Base):
    """A right to enrol: limited in time and uses, for one pool; only its hash is known."""

    __tablename__ = "token"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    pool: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    created_by: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    uses: Mapped[int] = mapped_column(Integer)
    used: Mapped[int] = mapped_column(Integer, default=0)
    auto_approve: Mapped[bool] = mapped_column(default=False)
    bound_uuid: Mapped[str | None] = mapped_column(String(36))
    bound_mac: Mapped[str | None] = mapped_column(String(17))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)


class Event(Base):
    """What happened, when, and who did it. Rows are only added; triggers refuse everything else."""

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    node_id: Mapped[str | None] = mapped_column(String(36), index=True)
    kind: Mapped[str] = mapped_column(String(64))
    who: Mapped[str] = mapped_column(String(64))
    words: Mapped[str] = mapped_column(Text)

    __table_args__ = ({"sqlite_autoincrement": True},)


class Reported(Base):
    """An event that a node told, by the number that it gave to it."""

    __tablename__ = "reported"

    id: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    node_id: Mapped[str] = mapped_column(ForeignKey("node.id"))
    key_fingerprint: Mapped[str] = mapped_column(String(64))
    seq: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(UtcTime)
    received_at: Mapped[datetime] = mapped_column(UtcTime)
    kind: Mapped[str] = mapped_column(String(64))
    words: Mapped[str] = mapped_column(Text)

    __table_args__ = (UniqueConstraint("node_id", "key_fingerprint", "seq"),)


class Facts(Base):
    """What a node was made of at a time; the newest row is what it is."""

    __tablename__ = "facts"

    id: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    node_id: Mapped[str] = mapped_column(ForeignKey("node.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcTime)
    document: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_facts_node_id_id", "node_id", "id"),)


class Configuration(Base):
    """What an operator wants of a node or of a pool, since a generation. No document: nothing any more."""

    __tablename__ = "configuration"

    generation: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    scope: Mapped[str] = mapped_column(String(80), index=True)
    document: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcTime)
    who: Mapped[str] = mapped_column(String(64))


class ConfigurationReport(Base):
    """What became of a generation on a node."""

    __tablename__ = "configuration_report"

    id: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    node_id: Mapped[str] = mapped_column(ForeignKey("node.id"), index=True)
    generation: Mapped[int] = mapped_column(BigInteger)
    result: Mapped[str] = mapped_column(String(16))
    words: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcTime)


class KnownCa(Base):
    """The CA that the nodes know (server.known_ca): one row, whose id is 1."""

    __tablename__ = "known_ca"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    fingerprint: Mapped[str] = mapped_column(String(64))
    since: Mapped[datetime] = mapped_column(UtcTime)


class AdminToken(Base):
    """The hash of the secret that opens the web page."""

    __tablename__ = "admin_token"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class WebSession(Base):
    """Somebody who logged in at the web page; the cookie's hash, never the cookie."""

    __tablename__ = "web_session"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    csrf: Mapped[str] = mapped_column(String(64))
    admin: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
