"""The channels that agents have opened to the bot, workspace by workspace."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import statements
from storage.tables import open_channels


class SqlChannels:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def open(self, team_id: str, channel_id: str, *, by: str, now: datetime) -> bool:
        opened = await self._connection.execute(
            statements.insert(self._connection, open_channels)
            .values(team_id=team_id, channel_id=channel_id, opened_by=by, opened_at=now)
            .on_conflict_do_nothing(index_elements=["team_id", "channel_id"])
        )
        return opened.rowcount == 1

    async def close(self, team_id: str, channel_id: str) -> bool:
        closed = await self._connection.execute(delete(open_channels).where(_is(team_id, channel_id)))
        return closed.rowcount == 1

    async def is_open(self, team_id: str, channel_id: str) -> bool:
        found = await self._connection.scalar(select(open_channels.c.channel_id).where(_is(team_id, channel_id)))
        return found is not None


def _is(team_id: str, channel_id: str) -> ColumnElement[bool]:
    return and_(open_channels.c.team_id == team_id, open_channels.c.channel_id == channel_id)
