"""Every table. What must never be is a constraint here, not a check elsewhere.

Columns whose comment says *sealed* hold what `storage.vault` made of a secret; `SEALED` lists them for key rotation.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from storage import tables_mirror, tables_year  # noqa: F401  # `metadata` is whole with them only
from storage.columns import SEQUENCE, Day, Facts, Moment, SealedColumn
from storage.schema import metadata as metadata  # noqa: PLC0414  # this is where it is looked for

# --- Sellers, their stores and what those stores may do -----------------------------------------------------------------

sellers = Table(
    "sellers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("prepared_at", Moment),
    UniqueConstraint("id", "team_id"),
)

seller_members = Table(
    "seller_members",
    metadata,
    # the order in which people joined
    Column("position", SEQUENCE, primary_key=True),
    Column("team_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("seller_id", Text, nullable=False),
    Column("joined_at", Moment, nullable=False),
    # a person belongs to one seller of a workspace
    UniqueConstraint("team_id", "user_id"),
    ForeignKeyConstraint(["seller_id", "team_id"], ["sellers.id", "sellers.team_id"], ondelete="CASCADE"),
    Index("ix_seller_members_seller_id", "seller_id"),
    sqlite_autoincrement=True,
)

#: which distributor an Amazon account belongs to, across all workspaces
selling_partners = Table(
    "selling_partners",
    metadata,
    Column("selling_partner_id", Text, primary_key=True),
    Column("team_id", Text, nullable=False),
    Column("seller_id", Text, nullable=False),
    UniqueConstraint("selling_partner_id", "seller_id"),
    ForeignKeyConstraint(["seller_id", "team_id"], ["sellers.id", "sellers.team_id"], ondelete="CASCADE"),
    Index("ix_selling_partners_seller_id", "seller_id"),
)

stores = Table(
    "stores",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, nullable=False),
    Column("seller_id", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("label_key", Text, nullable=False),
    Column("marketplace_code", Text, nullable=False),
    Column("initial_order_date", Day, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("contact_email", Text),
    Column("website", Text),
    Column("attribute_mapping", Facts, nullable=False),
    Column("selling_partner_id", Text),
    Column("disabled_at", Moment),
    # one label for each seller
    UniqueConstraint("seller_id", "label_key"),
    # one store for each Amazon account and marketplace
    UniqueConstraint("selling_partner_id", "marketplace_code"),
    ForeignKeyConstraint(["seller_id", "team_id"], ["sellers.id", "sellers.team_id"], ondelete="CASCADE"),
    # a store's Amazon account is one that its own seller holds
    ForeignKeyConstraint(
        ["selling_partner_id", "seller_id"], ["selling_partners.selling_partner_id", "selling_partners.seller_id"]
    ),
)

authorizations = Table(
    "authorizations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, nullable=False),
    Column("seller_id", Text, nullable=False),
    Column("feature", Text, nullable=False),
    Column("application_id", Text, nullable=False),
    Column("selling_partner_id", Text, nullable=False),
    Column("consent_region", Text, nullable=False),
    Column("refresh_token", Text, comment="sealed"),
    Column("consented_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("state", Text, nullable=False),
    Column("checked_at", Moment),
    # the sweep: when Amazon is asked next, when it last worked, and what has been failing on how many days
    # (zero, 1970, is soon: it stands in what was there before the sweep was)
    Column("next_check_at", Moment, nullable=False, server_default=text("0")),
    Column("worked_at", Moment),
    Column("failing_with", Text),
    Column("failed_days", Integer, nullable=False, server_default=text("0")),
    Column("failed_on", Day),
    # the ids of stores that were refused access once, with commas between them
    Column("refused_once", Text),
    UniqueConstraint("application_id", "selling_partner_id", "consent_region"),
    # held by the distributor who holds the Amazon account, and let go together with it
    ForeignKeyConstraint(
        ["selling_partner_id", "seller_id"],
        ["selling_partners.selling_partner_id", "selling_partners.seller_id"],
        ondelete="CASCADE",
    ),
    Index("ix_authorizations_seller_id", "seller_id", "application_id", "consent_region"),
    Index("ix_authorizations_next_check_at", "state", "next_check_at", "id"),
)

grants = Table(
    "grants",
    metadata,
    Column("store_id", Text, ForeignKey("stores.id", ondelete="CASCADE"), nullable=False),
    Column("feature", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("authorization_id", Text, ForeignKey("authorizations.id", ondelete="SET NULL")),
    Column("granted_at", Moment),
    Column("ends_at", Moment),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("store_id", "feature"),
    Index("ix_grants_authorization_id", "authorization_id"),
    # scans for what ends soon
    Index("ix_grants_ends_at", "ends_at", "state", "store_id", "feature"),
)

consent_attempts = Table(
    "consent_attempts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("seller_id", Text, nullable=False),
    Column("store_id", Text, ForeignKey("stores.id", ondelete="CASCADE"), nullable=False),
    Column("feature", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("opened_at", Moment),
    Column("pressed_at", Moment),
    Column("outcome", Text),
    Column("reason", Text),
    Column("detail", Text, nullable=False),
    Column("ended_at", Moment),
    Column("authorization_id", Text, ForeignKey("authorizations.id", ondelete="SET NULL")),
    Column("requested_by", Text),
    # when its silence was told: once, whatever happens to it later
    Column("nudged_at", Moment),
    # came in from Amazon's side
    Column("arrived", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("secret_hash"),
    Index("ix_consent_attempts_store_id", "store_id", "feature"),
    Index("ix_consent_attempts_seller_id", "seller_id"),
    Index("ix_consent_attempts_authorization_id", "authorization_id"),
)
Index(
    "ix_consent_attempts_silent",
    consent_attempts.c.pressed_at,
    sqlite_where=consent_attempts.c.outcome.is_(None) & consent_attempts.c.pressed_at.is_not(None),
    postgresql_where=consent_attempts.c.outcome.is_(None) & consent_attempts.c.pressed_at.is_not(None),
)

consent_states = Table(
    "consent_states",
    metadata,
    Column("state_hash", Text, primary_key=True),
    Column("attempt_id", Text, ForeignKey("consent_attempts.id", ondelete="CASCADE"), nullable=False),
    Column("feature", Text, nullable=False),
    Column("receipt_hash", Text, nullable=False),
    Column("minted_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("pressed_by", Text, nullable=False, server_default=text("''")),
    Column("consumed_at", Moment),
    Column("answer_hash", Text, nullable=False),
    Column("outcome", Text),
    Column("reason", Text),
    Column("detail", Text, nullable=False),
    UniqueConstraint("receipt_hash"),
    Index("ix_consent_states_attempt_id", "attempt_id"),
)

# --- Work that outlives a request ---------------------------------------------------------------------------------------

outbox = Table(
    "outbox",
    metadata,
    # the order of a lane
    Column("position", SEQUENCE, primary_key=True),
    Column("id", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("team_id", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("is_task", Boolean, nullable=False),
    Column("body", Text, nullable=False, comment="sealed"),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("leased_until", Moment),
    Column("tries", Integer, nullable=False),
    # set aside for an operator, and why
    Column("dead_at", Moment),
    Column("why", Text),
    UniqueConstraint("id"),
    Index("ix_outbox_team_id", "team_id"),
    sqlite_autoincrement=True,
)
_pending = outbox.c.dead_at.is_(None)
_leased = outbox.c.leased_until.is_not(None)
Index("ix_outbox_pending", outbox.c.lane, outbox.c.position, sqlite_where=_pending, postgresql_where=_pending)
Index("ix_outbox_leased", outbox.c.lane, outbox.c.leased_until, sqlite_where=_leased, postgresql_where=_leased)

#: workspaces in which Slack asked for quiet
pauses = Table(
    "pauses",
    metadata,
    Column("team_id", Text, primary_key=True),
    Column("until", Moment, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("key", Text, primary_key=True),
    Column("seen_at", Moment, nullable=False),
    Column("held_until", Moment, comment="in somebody's hand until then; null once it was handled"),
    Index("ix_deliveries_seen_at", "seen_at"),
)

job_runs = Table(
    "job_runs",
    metadata,
    Column("job", Text, nullable=False),
    Column("due_at", Moment, nullable=False),
    PrimaryKeyConstraint("job", "due_at"),
)

# --- Slack's side: people, cards, installations -------------------------------------------------------------------------

people = Table(
    "people",
    metadata,
    Column("team_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("tz", Text, nullable=False),
    Column("fetched_at", Moment, nullable=False),
    # of the workspace, as Slack says; NULL in rows from before it was asked for
    Column("is_admin", Boolean),
    PrimaryKeyConstraint("team_id", "user_id"),
)

cards = Table(
    "cards",
    metadata,
    Column("team_id", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("channel_id", Text, nullable=False),
    Column("ts", Text, nullable=False),
    PrimaryKeyConstraint("team_id", "recipient", "subject"),
    # from a thread back to what its card is about
    Index("ix_cards_channel_id", "channel_id", "ts"),
)

installations = Table(
    "installations",
    metadata,
    Column("team_id", Text, primary_key=True),
    Column("bot_token", Text, nullable=False, comment="sealed"),
    Column("bot_user_id", Text, nullable=False),
    Column("bot_id", Text, nullable=False),
    Column("installed_at", Moment, nullable=False),
    Column("team_name", Text, nullable=False),
    Column("scopes", Text, nullable=False),
)

oauth_states = Table(
    "oauth_states",
    metadata,
    Column("state_hash", Text, primary_key=True),
    Column("expires_at", Moment, nullable=False),
    Index("ix_oauth_states_expires_at", "expires_at"),
)

audit = Table(
    "audit",
    metadata,
    Column("position", SEQUENCE, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("team_id", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("on_behalf_of", Text),
    Column("details", Facts, nullable=False),
    Index("ix_audit_team_id", "team_id", "at"),
    sqlite_autoincrement=True,
)

# --- Questions and what is learned from them ----------------------------------------------------------------------------

#: texts of questions that were missed; a job forgets them after a month
misses = Table(
    "misses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, nullable=False),
    # what the same question asked again has in common
    Column("key", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False, comment="sealed"),
    Column("times", Integer, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    UniqueConstraint("team_id", "kind", "key"),
    Index("ix_misses_first_at", "first_at"),
)

#: how often, for good
miss_counts = Table(
    "miss_counts",
    metadata,
    Column("team_id", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("times", Integer, nullable=False),
    PrimaryKeyConstraint("team_id", "locale", "topic", "kind"),
)

taught_phrases = Table(
    "taught_phrases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("slug", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("taught_by", Text, nullable=False),
    Column("team_id", Text, nullable=False),
    Column("taught_at", Moment, nullable=False),
    # what is left of it once it is cleaned; a phrase means one thing
    Column("key", Text, nullable=False),
    UniqueConstraint("team_id", "key"),
)

#: what was said in which thread; `reader` is empty for what everybody sees
answered_threads = Table(
    "answered_threads",
    metadata,
    Column("team_id", Text, nullable=False),
    Column("channel_id", Text, nullable=False),
    Column("thread_ts", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("reader", Text, nullable=False),
    Column("gist", Text, nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("team_id", "channel_id", "thread_ts", "slug", "reader"),
    Index("ix_answered_threads_at", "at"),
)

#: the channels in which the bot listens
open_channels = Table(
    "open_channels",
    metadata,
    Column("team_id", Text, nullable=False),
    Column("channel_id", Text, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    PrimaryKeyConstraint("team_id", "channel_id"),
)


SEALED_REFRESH_TOKEN = SealedColumn(authorizations.c.refresh_token, authorizations.c.id)
SEALED_BODY = SealedColumn(outbox.c.body, outbox.c.id)
SEALED_BOT_TOKEN = SealedColumn(installations.c.bot_token, installations.c.team_id)
SEALED_MISS = SealedColumn(misses.c.text, misses.c.id)

SEALED = (SEALED_REFRESH_TOKEN, SEALED_BODY, SEALED_BOT_TOKEN, SEALED_MISS)
