"""What was done with special tokens of the model in a request's texts."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """Add the column; rows of before have no value there."""
    with op.batch_alter_table("audit") as audit:
        audit.add_column(sa.Column("control_tokens", sa.String(16)))


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("audit") as audit:
        audit.drop_column("control_tokens")
