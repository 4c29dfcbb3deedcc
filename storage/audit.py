"""The audit trail: written with the change it tells of, never changed; and read by those who ask what happened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import ColumnElement, Row, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports import AuditEvent, AuditFilter
from storage.engine import Transactions
from storage.tables import audit


class SqlAudit:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def record(self, event: AuditEvent) -> None:
        await self._connection.execute(
            insert(audit).values(
                at=event.at,
                team_id=event.team_id,
                actor=event.actor,
                action=event.action,
                subject=event.subject,
                on_behalf_of=event.on_behalf_of,
                details=event.details,
            )
        )


class SqlAuditLog:
    """`AuditLog`, rows streamed."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def read(self, wanted: AuditFilter, *, limit: int | None = None) -> AsyncIterator[AuditEvent]:
        query = select(audit).where(*_wanted(wanted))
        if limit is not None:
            newest = query.order_by(audit.c.position.desc()).limit(limit).subquery()
            query = select(newest).order_by(newest.c.position)
        else:
            query = query.order_by(audit.c.position)
        async with self._transactions.read() as connection, connection.stream(query) as rows:
            async for row in rows:
                yield _event(row)


def _wanted(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    mine = audit.c
    found: list[ColumnElement[bool]] = []
    if wanted.team_id:
        found.append(mine.team_id == wanted.team_id)
    if wanted.person:
        found.append(or_(mine.actor == wanted.person, mine.on_behalf_of == wanted.person))
    if wanted.action:
        found.append(mine.action.startswith(wanted.action, autoescape=True))
    if wanted.subject:
        found.append(mine.subject == wanted.subject)
    if wanted.since is not None:
        found.append(mine.at >= wanted.since)
    if wanted.until is not None:
        found.append(mine.at < wanted.until)
    return found


def _event(row: Row[Any]) -> AuditEvent:
    return AuditEvent(
        row.at,
        row.team_id,
        row.actor,
        row.action,
        row.subject,
        on_behalf_of=row.on_behalf_of,
        details=row.details,
    )
