"""Questions that were missed: texts, sealed and for a month; counts, for good."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.questions import Miss, MissCount, MissKind
from storage import statements
from storage.tables import SEALED_MISS, miss_counts, misses
from storage.vault import Vault


class SqlMisses:
    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    async def add(self, miss: Miss, *, key: str) -> None:
        await self._count(miss)
        if not miss.text:
            return
        asked = statements.insert(self._connection, misses).values(
            id=miss.id,
            team_id=miss.team_id,
            key=key,
            locale=miss.locale,
            topic=miss.topic,
            kind=miss.kind.value,
            text=self._vault.seal(miss.text, SEALED_MISS, miss.id),
            times=miss.times,
            first_at=miss.first_at,
            last_at=miss.last_at,
        )
        await self._connection.execute(
            asked.on_conflict_do_update(
                index_elements=["team_id", "kind", "key"],
                set_={"times": misses.c.times + asked.excluded.times, "last_at": asked.excluded.last_at},
            )
        )

    async def _count(self, miss: Miss) -> None:
        counted = statements.insert(self._connection, miss_counts).values(
            team_id=miss.team_id, locale=miss.locale, topic=miss.topic, kind=miss.kind.value, times=miss.times
        )
        await self._connection.execute(
            counted.on_conflict_do_update(
                index_elements=["team_id", "locale", "topic", "kind"],
                set_={"times": miss_counts.c.times + counted.excluded.times},
            )
        )

    async def frequent(self, team_id: str, *, since: datetime, offset: int, limit: int) -> tuple[Sequence[Miss], int]:
        wanted = (misses.c.team_id == team_id, misses.c.first_at >= since)
        rows = await self._connection.execute(
            select(misses)
            .where(*wanted)
            .order_by(misses.c.times.desc(), misses.c.last_at.desc(), misses.c.id)
            .offset(offset)
            .limit(limit)
        )
        found = [self._miss(row) for row in rows]
        total = await self._connection.scalar(select(func.count()).select_from(misses).where(*wanted))
        return found, int(total or 0)

    async def get(self, team_id: str, miss_id: str) -> Miss | None:
        found = await self._connection.execute(
            select(misses).where(misses.c.team_id == team_id, misses.c.id == miss_id)
        )
        row = found.one_or_none()
        return None if row is None else self._miss(row)

    async def settle(self, miss: Miss) -> None:
        await self._connection.execute(delete(misses).where(misses.c.team_id == miss.team_id, misses.c.id == miss.id))

    async def counts(self, team_id: str) -> Sequence[MissCount]:
        rows = await self._connection.execute(
            select(miss_counts)
            .where(miss_counts.c.team_id == team_id)
            .order_by(miss_counts.c.times.desc(), miss_counts.c.topic, miss_counts.c.locale, miss_counts.c.kind)
        )
        return [MissCount(row.locale, row.topic, MissKind(row.kind), row.times) for row in rows]

    async def forget(self, *, before: datetime) -> int:
        gone = await self._connection.execute(delete(misses).where(misses.c.first_at < before))
        return gone.rowcount

    def _miss(self, row: Row[Any]) -> Miss:
        return Miss(
            id=row.id,
            team_id=row.team_id,
            locale=row.locale,
            topic=row.topic,
            kind=MissKind(row.kind),
            text=self._vault.open(row.text, SEALED_MISS, row.id),
            times=row.times,
            first_at=row.first_at,
            last_at=row.last_at,
        )
