"""Deliveries that are in somebody's hand, told from those that were handled; and who left for Amazon."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    held = "in somebody's hand until then; null once it was handled"
    op.add_column("deliveries", sa.Column("held_until", sa.BigInteger(), nullable=True, comment=held))
    op.add_column("consent_states", sa.Column("pressed_by", sa.Text(), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    op.drop_column("consent_states", "pressed_by")
    op.drop_column("deliveries", "held_until")
