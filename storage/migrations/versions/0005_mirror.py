"""Mirroring: what the sister system last said of a store and its features."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sister_words",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.Column("consented_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_sister_words_store_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("store_id", "about", name=op.f("pk_sister_words")),
    )


def downgrade() -> None:
    op.drop_table("sister_words")
