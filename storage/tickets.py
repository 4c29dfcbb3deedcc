"""Tickets. Every write counts; of two that saw the same version, one is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.features import FeatureKey
from bot.domain.incidents import Incident
from bot.domain.tickets import Alert, CloseReason, Source, Ticket, TicketState
from bot.errors import ConcurrentChange
from bot.ports.desk import Queue, SourceOf
from storage.desk_tables import ticket_sources, tickets

_T = tickets.c
_open = _T.closed_at.is_(None)
#: a source that was not deleted
_stands = ticket_sources.c.gone_at.is_(None)
_due = func.coalesce(_T.answer_due_at, _T.resolve_due_at)
_MOST_URGENT_FIRST = (_T.waiting_since.is_not(None), _due, _T.number)


class SqlTickets:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, ticket: Ticket) -> Ticket | None:
        try:
            async with self._connection.begin_nested():
                number = await self._connection.scalar(
                    insert(tickets)
                    .values(
                        id=ticket.id,
                        team_id=ticket.team_id,
                        user_id=ticket.user_id,
                        source=ticket.source.value,
                        opened_at=ticket.opened_at,
                        opened_by=ticket.opened_by,
                        seller_id=ticket.seller_id,
                        version=1,
                        **_changeable(ticket),
                    )
                    .returning(_T.number)
                )
        except IntegrityError:
            return None
        return replace(ticket, number=int(number or 0), version=1)

    async def put(self, ticket: Ticket) -> Ticket:
        try:
            async with self._connection.begin_nested():
                written = await self._connection.execute(
                    update(tickets)
                    .where(_T.id == ticket.id, _T.team_id == ticket.team_id, _T.version == ticket.version)
                    .values(version=ticket.version + 1, **_changeable(ticket))
                )
        except IntegrityError:
            # it would open again beside another open one
            raise ConcurrentChange from None
        if written.rowcount != 1:
            raise ConcurrentChange
        return replace(ticket, version=ticket.version + 1)

    async def get(self, team_id: str, ticket_id: str) -> Ticket | None:
        return await self._one(select(tickets).where(_T.team_id == team_id, _T.id == ticket_id))

    async def by_number(self, team_id: str, number: int) -> Ticket | None:
        return await self._one(select(tickets).where(_T.team_id == team_id, _T.number == number))

    async def open_of(self, team_id: str, *, user_id: str, store_id: str | None) -> Ticket | None:
        return await self._one(select(tickets).where(_T.team_id == team_id, _open, _about(user_id, store_id)))

    async def closed_of(self, team_id: str, *, user_id: str, store_id: str | None, since: datetime) -> Ticket | None:
        return await self._one(
            select(tickets)
            .where(_T.team_id == team_id, _T.closed_at >= since, _about(user_id, store_id))
            .order_by(_T.closed_at.desc(), _T.number.desc())
            .limit(1)
        )

    async def waiting_for(self, team_id: str, user_id: str) -> Ticket | None:
        asked = select(ticket_sources.c.ticket_id).where(
            ticket_sources.c.team_id == team_id, ticket_sources.c.user_id == user_id, _stands
        )
        return await self._one(
            select(tickets)
            .where(
                _T.team_id == team_id,
                _T.state == TicketState.WAITING.value,
                or_(_T.user_id == user_id, _T.id.in_(asked)),
            )
            .order_by(_T.waiting_since.desc(), _T.number.desc())
            .limit(1)
        )

    # --- who asked, and with what ------------------------------------------------------------------------------------

    async def add_source(
        self, ticket: Ticket, *, user_id: str, channel_id: str, ts: str, at: datetime, has_words: bool = False
    ) -> None:
        mine = ticket_sources.c
        if has_words:
            await self._connection.execute(
                update(ticket_sources).where(mine.ticket_id == ticket.id, mine.has_words).values(has_words=False)
            )
        await self._connection.execute(
            insert(ticket_sources).values(
                ticket_id=ticket.id,
                team_id=ticket.team_id,
                user_id=user_id,
                channel_id=channel_id,
                ts=ts,
                at=at,
                has_words=has_words,
            )
        )

    async def from_message(self, team_id: str, *, channel_id: str, ts: str) -> Ticket | None:
        return await self._one(_behind(_is(team_id, channel_id, ts), _stands).where(_open).order_by(_T.number).limit(1))

    async def from_deleted(self, team_id: str, *, channel_id: str, ts: str) -> Ticket | None:
        return await self._one(_behind(_is(team_id, channel_id, ts), ~_stands).order_by(_T.number.desc()).limit(1))

    async def of_message(self, team_id: str, *, channel_id: str, ts: str) -> Ticket | None:
        return await self._one(_behind(_is(team_id, channel_id, ts)).order_by(_T.number.desc()).limit(1))

    async def sources(self, team_id: str, *, channel_id: str, ts: str) -> Sequence[SourceOf]:
        mine, others = ticket_sources.c, ticket_sources.alias().c
        another = (
            exists()
            .where(others.ticket_id == mine.ticket_id, others.gone_at.is_(None))
            .where(or_(others.channel_id != channel_id, others.ts != ts))
        )
        rows = await self._connection.execute(
            select(mine.ticket_id, mine.user_id, mine.has_words, another.label("has_another"))
            .where(_is(team_id, channel_id, ts), _stands)
            .order_by(mine.position)
        )
        found: dict[str, SourceOf] = {}
        for row in rows:
            first = found.get(row.ticket_id)
            found[row.ticket_id] = SourceOf(
                row.ticket_id,
                first.user_id if first else row.user_id,
                is_only=not row.has_another,
                has_words=row.has_words or (first is not None and first.has_words),
            )
        return list(found.values())

    async def forget(self, team_id: str, *, channel_id: str, ts: str, at: datetime) -> None:
        await self._connection.execute(
            update(ticket_sources).where(_is(team_id, channel_id, ts), _stands).values(gone_at=at, has_words=False)
        )

    async def people(self, ticket: Ticket) -> Sequence[str]:
        mine = ticket_sources.c
        asked = await self._connection.scalars(
            select(mine.user_id)
            .where(mine.ticket_id == ticket.id, _stands)
            .group_by(mine.user_id)
            .order_by(func.min(mine.position))
        )
        return list(dict.fromkeys((ticket.user_id, *asked)))

    # --- lists -------------------------------------------------------------------------------------------------------

    async def queue(
        self, team_id: str, queue: Queue, *, agent: str, now: datetime, offset: int, limit: int
    ) -> tuple[Sequence[Ticket], int]:
        wanted = and_(_T.team_id == team_id, _open, _in_queue(queue, agent, now))
        total = await self._connection.scalar(select(func.count()).select_from(tickets).where(wanted))
        rows = await self._connection.execute(
            select(tickets).where(wanted).order_by(*_MOST_URGENT_FIRST).offset(offset).limit(limit)
        )
        return [_ticket(row) for row in rows], int(total or 0)

    async def alerting(self, *, now: datetime, limit: int) -> Sequence[Ticket]:
        rows = await self._connection.execute(
            select(tickets)
            .where(_T.alert_at <= now)
            .order_by(_T.alert_at, _T.number)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [_ticket(row) for row in rows]

    async def open_everywhere(self) -> Sequence[Ticket]:
        rows = await self._connection.execute(select(tickets).where(_open).order_by(_T.number))
        return [_ticket(row) for row in rows]

    async def attach(self, team_id: str, incident: Incident) -> int:
        same = or_(_T.cause == incident.cause, _T.error_code == incident.cause)
        wanted = and_(_T.team_id == team_id, _open, _T.incident_id.is_(None), same)
        if incident.feature is not None:
            wanted = and_(wanted, _T.feature == incident.feature.value)
        attached = await self._connection.execute(
            update(tickets).where(wanted).values(incident_id=incident.id, version=_T.version + 1)
        )
        return attached.rowcount

    async def of_incident(self, incident: Incident) -> Sequence[Ticket]:
        rows = await self._connection.execute(
            select(tickets)
            .where(_T.team_id == incident.team_id, _open, _T.incident_id == incident.id)
            .order_by(_T.number)
        )
        return [_ticket(row) for row in rows]

    async def counts(self) -> Mapping[TicketState, int]:
        rows = await self._connection.execute(select(_T.state, func.count().label("n")).where(_open).group_by(_T.state))
        return {TicketState(row.state): row.n for row in rows}

    async def teams(self) -> Sequence[str]:
        return (await self._connection.scalars(select(_T.team_id).distinct().order_by(_T.team_id))).all()

    async def between(self, team_id: str, since: datetime, until: datetime) -> Sequence[Ticket]:
        rows = await self._connection.execute(
            select(tickets)
            .where(
                _T.team_id == team_id,
                or_(
                    and_(_T.opened_at >= since, _T.opened_at < until),
                    and_(_T.closed_at >= since, _T.closed_at < until),
                ),
            )
            .order_by(_T.number)
        )
        return [_ticket(row) for row in rows]

    async def _one(self, query: Select[Any]) -> Ticket | None:
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else _ticket(row)


def _is(team_id: str, channel_id: str, ts: str) -> ColumnElement[bool]:
    """Sources that are that message."""
    mine = ticket_sources.c
    return and_(mine.team_id == team_id, mine.channel_id == channel_id, mine.ts == ts)


def _behind(*sources: ColumnElement[bool]) -> Select[Any]:
    """Tickets that have such a source."""
    return select(tickets).where(_T.id.in_(select(ticket_sources.c.ticket_id).where(*sources)))


def _about(user_id: str, store_id: str | None) -> ColumnElement[bool]:
    return and_(_T.user_id == user_id, _T.store_id.is_(None)) if store_id is None else _T.store_id == store_id


def _in_queue(queue: Queue, agent: str, now: datetime) -> ColumnElement[bool]:
    match queue:
        case Queue.MINE:
            return _T.assignee == agent
        case Queue.UNCLAIMED:
            return _T.assignee.is_(None)
        case Queue.BREACHING:
            overdue = and_(_T.waiting_since.is_(None), _due <= now)
            return or_(_T.alert != Alert.QUIET.value, overdue)
        case _:
            return _open


def _changeable(ticket: Ticket) -> dict[str, Any]:
    return {
        "locale": ticket.locale,
        "store_id": ticket.store_id,
        "feature": ticket.feature.value if ticket.feature else None,
        "question": ticket.question,
        "topic": ticket.topic,
        "suggestion": ticket.suggestion,
        "error_code": ticket.error_code,
        "cause": ticket.cause,
        "answers": ",".join(ticket.answers),
        "state": ticket.state.value,
        "assignee": ticket.assignee,
        "claimed_at": ticket.claimed_at,
        "answered_at": ticket.answered_at,
        "closed_at": ticket.closed_at,
        "because": ticket.because.value if ticket.because else None,
        "reopened": ticket.reopened,
        "joined": ticket.joined,
        "answer_due_at": ticket.answer_due_at,
        "resolve_due_at": ticket.resolve_due_at,
        "waiting_since": ticket.waiting_since,
        "alert": ticket.alert.value,
        "alert_at": ticket.alert_at,
        "late": ticket.late,
        "checked_at": ticket.checked_at,
        "checked": ticket.checked,
        "incident_id": ticket.incident_id,
    }


def _ticket(row: Row[Any]) -> Ticket:
    return Ticket(
        id=row.id,
        team_id=row.team_id,
        user_id=row.user_id,
        locale=row.locale,
        source=Source(row.source),
        opened_at=row.opened_at,
        number=row.number,
        opened_by=row.opened_by,
        seller_id=row.seller_id,
        store_id=row.store_id,
        feature=FeatureKey(row.feature) if row.feature else None,
        question=row.question,
        topic=row.topic,
        suggestion=row.suggestion,
        error_code=row.error_code,
        cause=row.cause,
        answers=tuple(filter(None, row.answers.split(","))),
        state=TicketState(row.state),
        assignee=row.assignee,
        claimed_at=row.claimed_at,
        answered_at=row.answered_at,
        closed_at=row.closed_at,
        because=CloseReason(row.because) if row.because else None,
        reopened=row.reopened,
        joined=row.joined,
        answer_due_at=row.answer_due_at,
        resolve_due_at=row.resolve_due_at,
        waiting_since=row.waiting_since,
        alert=Alert(row.alert),
        alert_at=row.alert_at,
        late=row.late,
        checked_at=row.checked_at,
        checked=row.checked,
        incident_id=row.incident_id,
        version=row.version,
    )
