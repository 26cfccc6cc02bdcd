"""Which turns were cut out of a chat before it went on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    """Add the column; rows of before have no value there."""
    column = sa.Column("cuts", sa.JSON().with_variant(JSONB, "postgresql"))
    with op.batch_alter_table("audit") as audit:
        audit.add_column(column)


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("audit") as audit:
        audit.drop_column("cuts")
