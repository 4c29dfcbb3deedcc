"""The table of mirroring: what the sister system last said of what. What it is told waits in the outbox."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, PrimaryKeyConstraint, Table, Text

from storage.columns import Moment
from storage.schema import metadata

#: `about` is a feature, or `store`. Of a store's being on or off the last word of either side stands here.
sister_words = Table(
    "sister_words",
    metadata,
    Column("store_id", Text, ForeignKey("stores.id", ondelete="CASCADE"), nullable=False),
    Column("about", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("said_at", Moment, nullable=False),
    Column("consented_at", Moment),
    Column("expires_at", Moment),
    PrimaryKeyConstraint("store_id", "about"),
)
