"""One verdict for each side of a request, and room for longer words of what was done."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Add the column; rows of before have no value there."""
    with op.batch_alter_table("audit") as audit:
        audit.alter_column("action", existing_type=sa.String(16), type_=sa.String(32))
        audit.add_column(sa.Column("verdicts", sa.JSON().with_variant(JSONB, "postgresql")))


def downgrade() -> None:
    """Drop it; longer words are cut."""
    op.execute("UPDATE audit SET action = substr(action, 1, 16)")
    with op.batch_alter_table("audit") as audit:
        audit.drop_column("verdicts")
        audit.alter_column("action", existing_type=sa.String(32), type_=sa.String(16))
