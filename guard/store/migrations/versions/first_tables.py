"""The first tables: audit rows, captured prompts, quotas, the identity secret."""

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Create them, and draw the secret that turns key names into client ids."""
    _audit()
    _prompts()
    identity = op.create_table(
        "client_identity",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
    )
    op.bulk_insert(identity, [{"id": 1, "secret": secrets.token_bytes(32)}])


def _audit() -> None:
    json = sa.JSON().with_variant(JSONB, "postgresql")
    op.create_table(
        "audit",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("key", sa.String(63), nullable=False),
        sa.Column("route", sa.String(64), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("latency_ms", sa.Float, nullable=False),
        sa.Column("prompt_tokens", sa.Integer),
        sa.Column("completion_tokens", sa.Integer),
        sa.Column("findings", json, nullable=False),
        sa.Column("artifacts", json, nullable=False),
    )
    op.create_index("ix_audit_time", "audit", ["time"])
    op.create_index("ix_audit_request_id", "audit", ["request_id"])
    op.create_index("ix_audit_key", "audit", ["key", "time"])


def _prompts() -> None:
    op.create_table(
        "captured_prompts",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("client", sa.String(32), nullable=False),
        sa.Column("encrypted", sa.Boolean, nullable=False),
        sa.Column("messages", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_captured_prompts_time", "captured_prompts", ["time"])
    op.create_index("ix_captured_prompts_client", "captured_prompts", ["client"])
    op.create_table(
        "capture_quotas",
        sa.Column("client", sa.String(32), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("taken", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    """Drop them all."""
    for table in ("client_identity", "capture_quotas", "captured_prompts", "audit"):
        op.drop_table(table)
