"""Everything there is at first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("on_behalf_of", sa.Text(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_team_id", ["team_id", "at"], unique=False)

    op.create_table(
        "cards",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("ts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "recipient", "subject", name=op.f("pk_cards")),
    )
    op.create_table(
        "deliveries",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_deliveries")),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index("ix_deliveries_seen_at", ["seen_at"], unique=False)

    op.create_table(
        "installations",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("bot_token", sa.Text(), nullable=False, comment="sealed"),
        sa.Column("bot_user_id", sa.Text(), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("installed_at", sa.BigInteger(), nullable=False),
        sa.Column("team_name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_installations")),
    )
    op.create_table(
        "job_runs",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job", "due_at", name=op.f("pk_job_runs")),
    )
    op.create_table(
        "oauth_states",
        sa.Column("state_hash", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_oauth_states")),
    )
    with op.batch_alter_table("oauth_states", schema=None) as batch_op:
        batch_op.create_index("ix_oauth_states_expires_at", ["expires_at"], unique=False)

    op.create_table(
        "outbox",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("is_task", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="sealed"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("dead_at", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_leased",
            ["lane", "leased_until"],
            unique=False,
            sqlite_where=sa.text("leased_until IS NOT NULL"),
            postgresql_where=sa.text("leased_until IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_outbox_pending",
            ["lane", "position"],
            unique=False,
            sqlite_where=sa.text("dead_at IS NULL"),
            postgresql_where=sa.text("dead_at IS NULL"),
        )
        batch_op.create_index("ix_outbox_team_id", ["team_id"], unique=False)

    op.create_table(
        "pauses",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", name=op.f("pk_pauses")),
    )
    op.create_table(
        "people",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("tz", sa.Text(), nullable=False),
        sa.Column("fetched_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_people")),
    )
    op.create_table(
        "sellers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("prepared_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sellers")),
        sa.UniqueConstraint("id", "team_id", name=op.f("uq_sellers_id_team_id")),
    )
    op.create_table(
        "seller_members",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["seller_id", "team_id"],
            ["sellers.id", "sellers.team_id"],
            name=op.f("fk_seller_members_seller_id_team_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_seller_members")),
        sa.UniqueConstraint("team_id", "user_id", name=op.f("uq_seller_members_team_id_user_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("seller_members", schema=None) as batch_op:
        batch_op.create_index("ix_seller_members_seller_id", ["seller_id"], unique=False)

    op.create_table(
        "selling_partners",
        sa.Column("selling_partner_id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["seller_id", "team_id"],
            ["sellers.id", "sellers.team_id"],
            name=op.f("fk_selling_partners_seller_id_team_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("selling_partner_id", name=op.f("pk_selling_partners")),
        sa.UniqueConstraint(
            "selling_partner_id", "seller_id", name=op.f("uq_selling_partners_selling_partner_id_seller_id")
        ),
    )
    with op.batch_alter_table("selling_partners", schema=None) as batch_op:
        batch_op.create_index("ix_selling_partners_seller_id", ["seller_id"], unique=False)

    op.create_table(
        "authorizations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("application_id", sa.Text(), nullable=False),
        sa.Column("selling_partner_id", sa.Text(), nullable=False),
        sa.Column("consent_region", sa.Text(), nullable=False),
        sa.Column("refresh_token", sa.Text(), nullable=True, comment="sealed"),
        sa.Column("consented_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["selling_partner_id", "seller_id"],
            ["selling_partners.selling_partner_id", "selling_partners.seller_id"],
            name=op.f("fk_authorizations_selling_partner_id_seller_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorizations")),
        sa.UniqueConstraint(
            "application_id",
            "selling_partner_id",
            "consent_region",
            name=op.f("uq_authorizations_application_id_selling_partner_id_consent_region"),
        ),
    )
    with op.batch_alter_table("authorizations", schema=None) as batch_op:
        batch_op.create_index(
            "ix_authorizations_seller_id", ["seller_id", "application_id", "consent_region"], unique=False
        )

    op.create_table(
        "stores",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("label_key", sa.Text(), nullable=False),
        sa.Column("marketplace_code", sa.Text(), nullable=False),
        sa.Column("initial_order_date", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("contact_email", sa.Text(), nullable=True),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("attribute_mapping", sa.Text(), nullable=False),
        sa.Column("selling_partner_id", sa.Text(), nullable=True),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["seller_id", "team_id"],
            ["sellers.id", "sellers.team_id"],
            name=op.f("fk_stores_seller_id_team_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["selling_partner_id", "seller_id"],
            ["selling_partners.selling_partner_id", "selling_partners.seller_id"],
            name=op.f("fk_stores_selling_partner_id_seller_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stores")),
        sa.UniqueConstraint("seller_id", "label_key", name=op.f("uq_stores_seller_id_label_key")),
        sa.UniqueConstraint(
            "selling_partner_id", "marketplace_code", name=op.f("uq_stores_selling_partner_id_marketplace_code")
        ),
    )
    op.create_table(
        "consent_attempts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("pressed_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("authorization_id", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["authorization_id"],
            ["authorizations.id"],
            name=op.f("fk_consent_attempts_authorization_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["store_id"], ["stores.id"], name=op.f("fk_consent_attempts_store_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_attempts")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_consent_attempts_secret_hash")),
    )
    with op.batch_alter_table("consent_attempts", schema=None) as batch_op:
        batch_op.create_index("ix_consent_attempts_seller_id", ["seller_id"], unique=False)
        batch_op.create_index("ix_consent_attempts_authorization_id", ["authorization_id"], unique=False)
        batch_op.create_index(
            "ix_consent_attempts_silent",
            ["pressed_at"],
            unique=False,
            sqlite_where=sa.text("outcome IS NULL AND pressed_at IS NOT NULL"),
            postgresql_where=sa.text("outcome IS NULL AND pressed_at IS NOT NULL"),
        )
        batch_op.create_index("ix_consent_attempts_store_id", ["store_id", "feature"], unique=False)

    op.create_table(
        "grants",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("authorization_id", sa.Text(), nullable=True),
        sa.Column("granted_at", sa.BigInteger(), nullable=True),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["authorization_id"], ["authorizations.id"], name=op.f("fk_grants_authorization_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_grants_store_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("store_id", "feature", name=op.f("pk_grants")),
    )
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.create_index("ix_grants_authorization_id", ["authorization_id"], unique=False)
        batch_op.create_index("ix_grants_ends_at", ["ends_at", "state", "store_id", "feature"], unique=False)

    op.create_table(
        "consent_states",
        sa.Column("state_hash", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("receipt_hash", sa.Text(), nullable=False),
        sa.Column("minted_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("consumed_at", sa.BigInteger(), nullable=True),
        sa.Column("answer_hash", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["consent_attempts.id"], name=op.f("fk_consent_states_attempt_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_consent_states")),
        sa.UniqueConstraint("receipt_hash", name=op.f("uq_consent_states_receipt_hash")),
    )
    with op.batch_alter_table("consent_states", schema=None) as batch_op:
        batch_op.create_index("ix_consent_states_attempt_id", ["attempt_id"], unique=False)

    # A queue grows and shrinks faster than PostgreSQL looks by default; without fresh statistics every claim sorts all of it.
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500, "
            "autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 500)"
        )


def downgrade() -> None:
    with op.batch_alter_table("consent_states", schema=None) as batch_op:
        batch_op.drop_index("ix_consent_states_attempt_id")

    op.drop_table("consent_states")
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.drop_index("ix_grants_ends_at")
        batch_op.drop_index("ix_grants_authorization_id")

    op.drop_table("grants")
    with op.batch_alter_table("consent_attempts", schema=None) as batch_op:
        batch_op.drop_index("ix_consent_attempts_seller_id")
        batch_op.drop_index("ix_consent_attempts_store_id")
        batch_op.drop_index(
            "ix_consent_attempts_silent",
            sqlite_where=sa.text("outcome IS NULL AND pressed_at IS NOT NULL"),
            postgresql_where=sa.text("outcome IS NULL AND pressed_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_consent_attempts_authorization_id")

    op.drop_table("consent_attempts")
    op.drop_table("stores")
    with op.batch_alter_table("authorizations", schema=None) as batch_op:
        batch_op.drop_index("ix_authorizations_seller_id")

    op.drop_table("authorizations")
    with op.batch_alter_table("selling_partners", schema=None) as batch_op:
        batch_op.drop_index("ix_selling_partners_seller_id")

    op.drop_table("selling_partners")
    with op.batch_alter_table("seller_members", schema=None) as batch_op:
        batch_op.drop_index("ix_seller_members_seller_id")

    op.drop_table("seller_members")
    op.drop_table("sellers")
    op.drop_table("people")
    op.drop_table("pauses")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_team_id")
        batch_op.drop_index(
            "ix_outbox_pending", sqlite_where=sa.text("dead_at IS NULL"), postgresql_where=sa.text("dead_at IS NULL")
        )
        batch_op.drop_index(
            "ix_outbox_leased",
            sqlite_where=sa.text("leased_until IS NOT NULL"),
            postgresql_where=sa.text("leased_until IS NOT NULL"),
        )

    op.drop_table("outbox")
    with op.batch_alter_table("oauth_states", schema=None) as batch_op:
        batch_op.drop_index("ix_oauth_states_expires_at")

    op.drop_table("oauth_states")
    op.drop_table("job_runs")
    op.drop_table("installations")
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_deliveries_seen_at")

    op.drop_table("deliveries")
    op.drop_table("cards")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_team_id")

    op.drop_table("audit")
