"""The support desk: tickets, incidents, roles, and the articles that were shown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_answers")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("answers", schema=None) as batch_op:
        batch_op.create_index("ix_answers_team_id", ["team_id", "at"], unique=False)
        batch_op.create_index("ix_answers_user_id", ["team_id", "user_id", "at"], unique=False)

    op.create_table(
        "failures",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_failures")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("failures", schema=None) as batch_op:
        batch_op.create_index("ix_failures_at", ["at"], unique=False)
        batch_op.create_index("ix_failures_cause", ["team_id", "cause", "feature", "at"], unique=False)
        batch_op.create_index("ix_failures_store_id", ["store_id", "at"], unique=False)

    op.create_table(
        "incidents",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_incidents")),
        sa.UniqueConstraint("id", name=op.f("uq_incidents_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index(
            "uq_incidents_open",
            ["team_id", "cause", "feature"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "marks",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "key", name=op.f("pk_marks")),
    )
    op.create_table(
        "roles",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_roles")),
    )
    op.create_table(
        "tickets",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=True),
        sa.Column("seller_id", sa.Text(), nullable=True),
        sa.Column("store_id", sa.Text(), nullable=True),
        sa.Column("feature", sa.Text(), nullable=True),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("suggestion", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("because", sa.Text(), nullable=True),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("joined", sa.Integer(), nullable=False),
        sa.Column("answer_due_at", sa.BigInteger(), nullable=True),
        sa.Column("resolve_due_at", sa.BigInteger(), nullable=True),
        sa.Column("waiting_since", sa.BigInteger(), nullable=True),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("alert_at", sa.BigInteger(), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.Column("checked", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_tickets")),
        sa.UniqueConstraint("id", name=op.f("uq_tickets_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.create_index(
            "ix_tickets_alert_at",
            ["alert_at"],
            unique=False,
            sqlite_where=sa.text("alert_at IS NOT NULL"),
            postgresql_where=sa.text("alert_at IS NOT NULL"),
        )
        batch_op.create_index("ix_tickets_closed_at", ["team_id", "closed_at"], unique=False)
        batch_op.create_index("ix_tickets_team_id", ["team_id", "opened_at"], unique=False)
        batch_op.create_index(
            "uq_tickets_open_of_person",
            ["team_id", "user_id"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL AND store_id IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL AND store_id IS NULL"),
        )
        batch_op.create_index(
            "uq_tickets_open_of_store",
            ["team_id", "store_id"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL AND store_id IS NOT NULL"),
            postgresql_where=sa.text("closed_at IS NULL AND store_id IS NOT NULL"),
        )

    op.create_table(
        "incident_people",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_incident_people_incident_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("incident_id", "user_id", name=op.f("pk_incident_people")),
    )
    op.create_table(
        "ticket_sources",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("ts", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_sources_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_ticket_sources")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("ticket_sources", schema=None) as batch_op:
        batch_op.create_index("ix_ticket_sources_channel_id", ["channel_id", "ts"], unique=False)
        batch_op.create_index("ix_ticket_sources_ticket_id", ["ticket_id"], unique=False)

    with op.batch_alter_table("cards", schema=None) as batch_op:
        batch_op.create_index("ix_cards_channel_id", ["channel_id", "ts"], unique=False)

    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_admin", sa.Boolean(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.drop_column("is_admin")

    with op.batch_alter_table("cards", schema=None) as batch_op:
        batch_op.drop_index("ix_cards_channel_id")

    with op.batch_alter_table("ticket_sources", schema=None) as batch_op:
        batch_op.drop_index("ix_ticket_sources_ticket_id")
        batch_op.drop_index("ix_ticket_sources_channel_id")

    op.drop_table("ticket_sources")
    op.drop_table("incident_people")
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_tickets_open_of_store",
            sqlite_where=sa.text("closed_at IS NULL AND store_id IS NOT NULL"),
            postgresql_where=sa.text("closed_at IS NULL AND store_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "uq_tickets_open_of_person",
            sqlite_where=sa.text("closed_at IS NULL AND store_id IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL AND store_id IS NULL"),
        )
        batch_op.drop_index("ix_tickets_team_id")
        batch_op.drop_index("ix_tickets_closed_at")
        batch_op.drop_index(
            "ix_tickets_alert_at",
            sqlite_where=sa.text("alert_at IS NOT NULL"),
            postgresql_where=sa.text("alert_at IS NOT NULL"),
        )

    op.drop_table("tickets")
    op.drop_table("roles")
    op.drop_table("marks")
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_incidents_open",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.drop_table("incidents")
    with op.batch_alter_table("failures", schema=None) as batch_op:
        batch_op.drop_index("ix_failures_store_id")
        batch_op.drop_index("ix_failures_cause")
        batch_op.drop_index("ix_failures_at")

    op.drop_table("failures")
    with op.batch_alter_table("answers", schema=None) as batch_op:
        batch_op.drop_index("ix_answers_user_id")
        batch_op.drop_index("ix_answers_team_id")

    op.drop_table("answers")
