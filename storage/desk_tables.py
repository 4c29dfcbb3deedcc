"""The desk's tables. One open ticket a store, one open incident a cause: unique indexes, not checks."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from storage.columns import SEQUENCE, Moment
from storage.tables import metadata

tickets = Table(
    "tickets",
    metadata,
    # what people call it by
    Column("number", SEQUENCE, primary_key=True),
    Column("id", Text, nullable=False),
    Column("team_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("opened_by", Text),
    Column("seller_id", Text),
    # no foreign key: a ticket outlives the store that it was about
    Column("store_id", Text),
    Column("feature", Text),
    Column("question", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("suggestion", Text, nullable=False),
    Column("error_code", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("answers", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("assignee", Text),
    Column("claimed_at", Moment),
    Column("answered_at", Moment),
    Column("closed_at", Moment),
    Column("because", Text),
    Column("reopened", Integer, nullable=False),
    Column("joined", Integer, nullable=False),
    Column("answer_due_at", Moment),
    Column("resolve_due_at", Moment),
    Column("waiting_since", Moment),
    Column("alert", Text, nullable=False),
    Column("alert_at", Moment),
    Column("late", Boolean, nullable=False),
    Column("checked_at", Moment),
    Column("checked", Text, nullable=False),
    Column("incident_id", Text),
    Column("version", Integer, nullable=False),
    UniqueConstraint("id"),
    Index("ix_tickets_team_id", "team_id", "opened_at"),
    Index("ix_tickets_closed_at", "team_id", "closed_at"),
    sqlite_autoincrement=True,
)
_open = tickets.c.closed_at.is_(None)
#: one open ticket for each store, and one for each person without a store
OPEN_OF_STORE = Index(
    "uq_tickets_open_of_store",
    tickets.c.team_id,
    tickets.c.store_id,
    unique=True,
    sqlite_where=_open & tickets.c.store_id.is_not(None),
    postgresql_where=_open & tickets.c.store_id.is_not(None),
)
OPEN_OF_PERSON = Index(
    "uq_tickets_open_of_person",
    tickets.c.team_id,
    tickets.c.user_id,
    unique=True,
    sqlite_where=_open & tickets.c.store_id.is_(None),
    postgresql_where=_open & tickets.c.store_id.is_(None),
)
Index(
    "ix_tickets_alert_at",
    tickets.c.alert_at,
    sqlite_where=tickets.c.alert_at.is_not(None),
    postgresql_where=tickets.c.alert_at.is_not(None),
)

ticket_sources = Table(
    "ticket_sources",
    metadata,
    Column("position", SEQUENCE, primary_key=True),
    Column("ticket_id", Text, ForeignKey("tickets.id", ondelete="CASCADE"), nullable=False),
    Column("team_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    # the message, if it came from one; empty otherwise
    Column("channel_id", Text, nullable=False),
    Column("ts", Text, nullable=False),
    Column("at", Moment, nullable=False),
    # the ticket's question is in the words of this one
    Column("has_words", Boolean, nullable=False, server_default=false()),
    # when the message was deleted; the row stays, because Slack may bring a copy later
    Column("gone_at", Moment),
    Index("ix_ticket_sources_ticket_id", "ticket_id"),
    Index("ix_ticket_sources_channel_id", "channel_id", "ts"),
    sqlite_autoincrement=True,
)

incidents = Table(
    "incidents",
    metadata,
    Column("number", SEQUENCE, primary_key=True),
    Column("id", Text, nullable=False),
    Column("team_id", Text, nullable=False),
    Column("cause", Text, nullable=False),
    # empty where the cause concerns all of them: NULLs would not be unique
    Column("feature", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("closed_by", Text),
    UniqueConstraint("id"),
    sqlite_autoincrement=True,
)
OPEN_INCIDENT = Index(
    "uq_incidents_open",
    incidents.c.team_id,
    incidents.c.cause,
    incidents.c.feature,
    unique=True,
    sqlite_where=incidents.c.closed_at.is_(None),
    postgresql_where=incidents.c.closed_at.is_(None),
)

#: who was told of an incident, once
incident_people = Table(
    "incident_people",
    metadata,
    Column("incident_id", Text, ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", Text, nullable=False),
    Column("told_at", Moment, nullable=False),
    PrimaryKeyConstraint("incident_id", "user_id"),
)

failures = Table(
    "failures",
    metadata,
    Column("position", SEQUENCE, primary_key=True),
    Column("team_id", Text, nullable=False),
    Column("store_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("feature", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_failures_cause", "team_id", "cause", "feature", "at"),
    Index("ix_failures_store_id", "store_id", "at"),
    Index("ix_failures_at", "at"),
    sqlite_autoincrement=True,
)

roles = Table(
    "roles",
    metadata,
    Column("team_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("given_by", Text, nullable=False),
    Column("given_at", Moment, nullable=False),
    PrimaryKeyConstraint("team_id", "user_id"),
)

answers = Table(
    "answers",
    metadata,
    Column("position", SEQUENCE, primary_key=True),
    Column("team_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_answers_team_id", "team_id", "at"),
    Index("ix_answers_user_id", "team_id", "user_id", "at"),
    sqlite_autoincrement=True,
)

#: what is done once for each workspace and occasion: a hand-over, a week's summary
marks = Table(
    "marks",
    metadata,
    Column("team_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("team_id", "key"),
)
