"""Phrases that agents have taught. In a workspace, a phrase means one thing: the database sees to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.questions import TaughtPhrase
from storage import statements
from storage.tables import taught_phrases

_P = taught_phrases.c


class SqlTaught:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, phrase: TaughtPhrase, *, key: str) -> TaughtPhrase:
        await self._connection.execute(
            statements.insert(self._connection, taught_phrases)
            .values(
                id=phrase.id,
                slug=phrase.slug,
                locale=phrase.locale,
                text=phrase.text,
                key=key,
                taught_by=phrase.taught_by,
                team_id=phrase.team_id,
                taught_at=phrase.taught_at,
            )
            .on_conflict_do_nothing(index_elements=["team_id", "key"])
        )
        kept = await self._connection.execute(select(taught_phrases).where(_P.team_id == phrase.team_id, _P.key == key))
        return _phrase(kept.one())

    async def all(self) -> Sequence[TaughtPhrase]:
        return await self._newest_first(true())

    async def of_team(self, team_id: str) -> Sequence[TaughtPhrase]:
        return await self._newest_first(_P.team_id == team_id)

    async def get(self, team_id: str, phrase_id: str) -> TaughtPhrase | None:
        found = await self._connection.execute(select(taught_phrases).where(_P.team_id == team_id, _P.id == phrase_id))
        row = found.one_or_none()
        return None if row is None else _phrase(row)

    async def remove(self, phrase: TaughtPhrase) -> bool:
        removed = await self._connection.execute(
            delete(taught_phrases).where(_P.team_id == phrase.team_id, _P.id == phrase.id)
        )
        return removed.rowcount == 1

    async def _newest_first(self, which: ColumnElement[bool]) -> Sequence[TaughtPhrase]:
        rows = await self._connection.execute(
            select(taught_phrases).where(which).order_by(_P.taught_at.desc(), _P.id.desc())
        )
        return [_phrase(row) for row in rows]


def _phrase(row: Row[Any]) -> TaughtPhrase:
    return TaughtPhrase(
        id=row.id,
        slug=row.slug,
        locale=row.locale,
        text=row.text,
        taught_by=row.taught_by,
        team_id=row.team_id,
        taught_at=row.taught_at,
    )
