"""Nodes, their marks, tokens, events, facts, configuration; who may look.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make every table, and triggers that keep events as they are."""
    op.create_table(
        "node",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("pool", sa.String(64), nullable=False, index=True),
        sa.Column("name", sa.String(253)),
        sa.Column("product_uuid", sa.String(36)),
        sa.Column("vendor", sa.String(128)),
        sa.Column("serial", sa.String(128)),
        sa.Column("macs", sa.Text(), nullable=False),
        sa.Column("key_fingerprint", sa.String(64), nullable=False),
        sa.Column("older_key", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("address", sa.String(64)),
        sa.Column("certificate", sa.Text()),
        sa.Column("certificate_until", sa.DateTime()),
        sa.Column("refused_key", sa.String(64)),
        sa.Column("refused_at", sa.DateTime()),
        sa.Column("last_seen_at", sa.DateTime(), index=True),
        sa.Column("boot_id", sa.String(64)),
        sa.Column("uptime_s", sa.BigInteger()),
        sa.Column("clock_skew_s", sa.BigInteger()),
        sa.Column("health", sa.Text()),
        sa.Column("facts_sha256", sa.String(64)),
        sa.Column("config_etag", sa.String(80)),
    )
    op.create_table(
        "mark",
        sa.Column("mark", sa.String(300), primary_key=True),
        sa.Column("node_id", sa.String(36), sa.ForeignKey("node.id"), nullable=False, index=True),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("pool", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("created_by", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("auto_approve", sa.Boolean(), nullable=False),
        sa.Column("bound_uuid", sa.String(36)),
        sa.Column("bound_mac", sa.String(17)),
        sa.Column("revoked_at", sa.DateTime()),
    )
    op.create_table(
        "event",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("node_id", sa.String(36), index=True),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "reported",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("node_id", sa.String(36), sa.ForeignKey("node.id"), nullable=False),
        sa.Column("key_fingerprint", sa.String(64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.UniqueConstraint("node_id", "key_fingerprint", "seq"),
    )
    op.create_table(
        "facts",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("node_id", sa.String(36), sa.ForeignKey("node.id"), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
    )
    op.create_index("ix_facts_node_id_id", "facts", ["node_id", "id"])
    op.create_table(
        "configuration",
        sa.Column("generation", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("scope", sa.String(80), nullable=False, index=True),
        sa.Column("document", sa.Text()),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
    )
    op.create_table(
        "configuration_report",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("node_id", sa.String(36), sa.ForeignKey("node.id"), nullable=False, index=True),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "admin_token",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "web_session",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("admin", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
    )
    _keep_events()


def _keep_events() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for word in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER event_no_{word.lower()} BEFORE {word} ON event "
                "BEGIN SELECT RAISE(ABORT, 'events are only added'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION event_only_added() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'events are only added'; END $$"
    )
    op.execute(
        "CREATE TRIGGER event_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON event "
        "FOR EACH STATEMENT EXECUTE FUNCTION event_only_added()"
    )
