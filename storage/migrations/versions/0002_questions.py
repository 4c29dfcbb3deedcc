"""Questions: what was missed, what was taught, what was answered where, and the channels that are listened to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "misses",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False, comment="sealed"),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_misses")),
        sa.UniqueConstraint("team_id", "kind", "key", name=op.f("uq_misses_team_id_kind_key")),
    )
    op.create_index("ix_misses_first_at", "misses", ["first_at"], unique=False)
    op.create_table(
        "miss_counts",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "locale", "topic", "kind", name=op.f("pk_miss_counts")),
    )
    op.create_table(
        "taught_phrases",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("taught_by", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("taught_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taught_phrases")),
        sa.UniqueConstraint("text", name=op.f("uq_taught_phrases_text")),
    )
    op.create_table(
        "answered_threads",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("thread_ts", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("gist", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "team_id", "channel_id", "thread_ts", "slug", "reader", name=op.f("pk_answered_threads")
        ),
    )
    op.create_index("ix_answered_threads_at", "answered_threads", ["at"], unique=False)
    op.create_table(
        "open_channels",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "channel_id", name=op.f("pk_open_channels")),
    )


def downgrade() -> None:
    op.drop_table("open_channels")
    op.drop_index("ix_answered_threads_at", "answered_threads")
    op.drop_table("answered_threads")
    op.drop_table("taught_phrases")
    op.drop_table("miss_counts")
    op.drop_index("ix_misses_first_at", "misses")
    op.drop_table("misses")
