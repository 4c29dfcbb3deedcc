"""The year of a grant: digests, what was told of them, outages, and when Amazon is asked next."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Columns are added in place: on SQLite a batch would copy the table and drop the old one, and dropping it
    # would cascade into everything that points at its rows.
    op.add_column("consent_attempts", sa.Column("nudged_at", sa.BigInteger(), nullable=True))
    soon = sa.text("0")
    op.add_column("authorizations", sa.Column("next_check_at", sa.BigInteger(), nullable=False, server_default=soon))
    op.add_column("authorizations", sa.Column("worked_at", sa.BigInteger(), nullable=True))
    op.add_column("authorizations", sa.Column("failing_with", sa.Text(), nullable=True))
    op.add_column("authorizations", sa.Column("failed_days", sa.Integer(), nullable=False, server_default=soon))
    op.add_column("authorizations", sa.Column("failed_on", sa.Text(), nullable=True))
    op.create_index("ix_authorizations_next_check_at", "authorizations", ["state", "next_check_at", "id"])

    op.create_table(
        "announcements",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "recipient", "period", name=op.f("pk_announcements")),
    )
    with op.batch_alter_table("announcements", schema=None) as batch_op:
        batch_op.create_index("ix_announcements_told_at", ["told_at"], unique=False)

    op.create_table(
        "digest_readers",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=True),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("tz", sa.Text(), nullable=True),
        sa.Column("last_day", sa.Text(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["seller_id", "team_id"],
            ["sellers.id", "sellers.team_id"],
            name=op.f("fk_digest_readers_seller_id_team_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("team_id", "recipient", name=op.f("pk_digest_readers")),
    )
    with op.batch_alter_table("digest_readers", schema=None) as batch_op:
        batch_op.create_index("ix_digest_readers_next_at", ["next_at", "team_id", "recipient"], unique=False)
        batch_op.create_index("ix_digest_readers_seller_id", ["seller_id"], unique=False)

    op.create_table(
        "outages",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("noticed_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("worked_until", sa.BigInteger(), nullable=False),
        sa.Column("mended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_outages_store_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("store_id", "feature", "noticed_at", name=op.f("pk_outages")),
    )
    with op.batch_alter_table("outages", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outages_open",
            ["store_id", "feature"],
            unique=True,
            sqlite_where=sa.text("mended_at IS NULL"),
            postgresql_where=sa.text("mended_at IS NULL"),
        )

    op.create_table(
        "quiets",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_quiets_store_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("store_id", "feature", "user_id", name=op.f("pk_quiets")),
    )


def downgrade() -> None:
    op.drop_table("quiets")
    op.drop_table("outages")
    op.drop_table("digest_readers")
    op.drop_table("announcements")
    op.drop_index("ix_authorizations_next_check_at", "authorizations")
    for name in ("failed_on", "failed_days", "failing_with", "worked_at", "next_check_at"):
        op.drop_column("authorizations", name)
    op.drop_column("consent_attempts", "nudged_at")
