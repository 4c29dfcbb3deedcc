"""The audit trail: written with the change it tells of, never changed."""

from __future__ import annotations

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports import AuditEvent
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
