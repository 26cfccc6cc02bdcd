"""The store's tables. Whoever changes them writes a migration: a test compares the two."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s"}
)


class UtcTime(TypeDecorator[datetime]):
    """A time with its zone, UTC, on SQLite too, whose own type has none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database: UTC; SQLite compares text, so the zone is left out there."""
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002
    ) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# A row's id is made by its writer, once, and begins with the time: a batch that is sent again
# after a lost connection adds nothing twice, and readers page by it.
audit = Table(
    "audit",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("time", UtcTime, nullable=False),
    Column("request_id", String(128), nullable=False),
    Column("key", String(63), nullable=False),
    Column("route", String(64), nullable=False),
    Column("model", String(200), nullable=False),
    Column("action", String(32), nullable=False),
    Column("status", Integer, nullable=False),
    Column("latency_ms", Float, nullable=False),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    # By side; NULL in rows that were written before there were sides.
    Column("verdicts", JSON().with_variant(JSONB, "postgresql")),
    # NULL in rows that were written before cuts were noted.
    Column("cuts", JSON().with_variant(JSONB, "postgresql")),
    Column("control_tokens", String(16)),  # as for cuts
    Column("findings", JSON().with_variant(JSONB, "postgresql"), nullable=False),
    Column("artifacts", JSON().with_variant(JSONB, "postgresql"), nullable=False),
    Index("ix_audit_time", "time"),
    Index("ix_audit_request_id", "request_id"),
    Index("ix_audit_key", "key", "time"),
)

prompts = Table(
    "captured_prompts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("time", UtcTime, nullable=False),
    Column("client", String(32), nullable=False),
    Column("encrypted", Boolean, nullable=False),
    Column("messages", LargeBinary, nullable=False),
    Index("ix_captured_prompts_time", "time"),
    Index("ix_captured_prompts_client", "client"),
)

# How many prompts of a client were taken on a day (UTC), shared by all replicas.
quotas = Table(
    "capture_quotas",
    metadata,
    Column("client", String(32), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("taken", Integer, nullable=False),
)

# One row: the secret that turns key names into client ids.
identity = Table(
    "client_identity",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("secret", LargeBinary, nullable=False),
)
