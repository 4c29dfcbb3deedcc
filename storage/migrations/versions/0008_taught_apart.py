"""What a workspace has taught holds there: two workspaces may teach the same phrase, each as it understands it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("taught_phrases", sa.Column("key", sa.Text(), nullable=True))
    # cleaning is the program's business; of phrases from before, the text itself tells them apart
    op.execute(sa.text("UPDATE taught_phrases SET key = text"))
    with op.batch_alter_table("taught_phrases") as table:
        table.alter_column("key", existing_type=sa.Text(), nullable=False)
        table.drop_constraint("uq_taught_phrases_text", type_="unique")
        table.create_unique_constraint("uq_taught_phrases_team_id_key", ["team_id", "key"])


def downgrade() -> None:
    # of phrases that several workspaces have taught, the one taught first stays
    op.execute(
        sa.text(
            "DELETE FROM taught_phrases WHERE EXISTS (SELECT 1 FROM taught_phrases AS other WHERE other.text = taught_phrases.text"
            " AND (other.taught_at, other.id) < (taught_phrases.taught_at, taught_phrases.id))"
        )
    )
    with op.batch_alter_table("taught_phrases") as table:
        table.drop_constraint("uq_taught_phrases_team_id_key", type_="unique")
        table.drop_column("key")
        table.create_unique_constraint("uq_taught_phrases_text", ["text"])
