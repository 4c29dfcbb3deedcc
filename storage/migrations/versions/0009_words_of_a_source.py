"""Whose words a ticket's question is in, and messages that were deleted: a late copy of one is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket_sources", sa.Column("has_words", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("ticket_sources", sa.Column("gone_at", sa.BigInteger(), nullable=True))
    # of a ticket that opened again nobody noted whose words it shows: whichever of its messages is deleted takes them along
    op.execute(
        sa.text(
            "UPDATE ticket_sources SET has_words = true"
            " WHERE position IN (SELECT min(position) FROM ticket_sources GROUP BY ticket_id)"
            " OR ticket_id IN (SELECT id FROM tickets WHERE reopened > 0)"
        )
    )


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM ticket_sources WHERE gone_at IS NOT NULL"))
    op.drop_column("ticket_sources", "gone_at")
    op.drop_column("ticket_sources", "has_words")
