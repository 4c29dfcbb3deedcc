"""What was answered in which thread, to whom. The key decides, whatever the number of replicas."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.questions import GivenAnswer
from storage import statements
from storage.tables import answered_threads

_KEY = ["team_id", "channel_id", "thread_ts", "slug", "reader"]


class SqlAnsweredThreads:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def first_time(self, answered: GivenAnswer, *, gist: str, now: datetime) -> bool:
        said = statements.insert(self._connection, answered_threads).values(
            team_id=answered.team_id,
            channel_id=answered.channel_id,
            thread_ts=answered.thread_ts,
            slug=answered.slug,
            reader=answered.reader,
            gist=gist,
            at=now,
        )
        new = await self._connection.execute(
            said.on_conflict_do_update(
                index_elements=_KEY,
                set_={"gist": said.excluded.gist, "at": said.excluded.at},
                where=answered_threads.c.gist != said.excluded.gist,
            )
        )
        return new.rowcount == 1

    async def was_given(self, answered: GivenAnswer) -> bool:
        found = await self._connection.scalar(select(answered_threads.c.slug).where(_is(answered)))
        return found is not None

    async def take_back(self, answered: GivenAnswer) -> None:
        await self._connection.execute(delete(answered_threads).where(_is(answered)))

    async def forget(self, *, before: datetime) -> int:
        gone = await self._connection.execute(delete(answered_threads).where(answered_threads.c.at < before))
        return gone.rowcount


def _is(answered: GivenAnswer) -> ColumnElement[bool]:
    return and_(
        answered_threads.c.team_id == answered.team_id,
        answered_threads.c.channel_id == answered.channel_id,
        answered_threads.c.thread_ts == answered.thread_ts,
        answered_threads.c.slug == answered.slug,
        answered_threads.c.reader == answered.reader,
    )
