"""The tables of a grant's year: who reads digests, what was told, who wants silence, and what did not work when."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from storage.columns import Day, Moment
from storage.schema import metadata

#: who is told what ends: the members of sellers in their DM, and the desk in its channel (without a seller)
digest_readers = Table(
    "digest_readers",
    metadata,
    Column("team_id", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("seller_id", Text),
    Column("hour", Integer, nullable=False),
    Column("weekday", Integer, nullable=False),
    # a channel's; a person's own is in `people`
    Column("tz", Text),
    # the reader's own day of the last digest
    Column("last_day", Day),
    # the next morning to think of them; none: they want no digests
    Column("next_at", Moment),
    PrimaryKeyConstraint("team_id", "recipient"),
    ForeignKeyConstraint(["seller_id", "team_id"], ["sellers.id", "sellers.team_id"], ondelete="CASCADE"),
    Index("ix_digest_readers_next_at", "next_at", "team_id", "recipient"),
    Index("ix_digest_readers_seller_id", "seller_id"),
)

#: what was told to whom for which period: whoever inserts the row may tell it
announcements = Table(
    "announcements",
    metadata,
    Column("team_id", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("told_at", Moment, nullable=False),
    PrimaryKeyConstraint("team_id", "recipient", "period"),
    Index("ix_announcements_told_at", "told_at"),
)

#: *snooze* and *I know*: who wants no word of an end, and until when
quiets = Table(
    "quiets",
    metadata,
    Column("store_id", Text, ForeignKey("stores.id", ondelete="CASCADE"), nullable=False),
    Column("feature", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    # the end it is about: a renewed grant has another
    Column("ends_at", Moment, nullable=False),
    # none: they know, and want to hear of it only when it has ended
    Column("until", Moment),
    Column("noted_at", Moment, nullable=False),
    PrimaryKeyConstraint("store_id", "feature", "user_id"),
)

#: from when to when a grant did not work
outages = Table(
    "outages",
    metadata,
    Column("store_id", Text, ForeignKey("stores.id", ondelete="CASCADE"), nullable=False),
    Column("feature", Text, nullable=False),
    Column("noticed_at", Moment, nullable=False),
    Column("reason", Text, nullable=False),
    Column("worked_until", Moment, nullable=False),
    Column("mended_at", Moment),
    PrimaryKeyConstraint("store_id", "feature", "noticed_at"),
)
Index(
    "ix_outages_open",
    outages.c.store_id,
    outages.c.feature,
    unique=True,
    sqlite_where=outages.c.mended_at.is_(None),
    postgresql_where=outages.c.mended_at.is_(None),
)
