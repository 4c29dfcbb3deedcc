"""Who reads digests and when, and what was announced to whom for which period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, exists, func, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.digests import DEFAULT_HOUR, DEFAULT_WEEKDAY, Reader, next_morning
from bot.i18n import zone_for
from bot.ports.year import Place
from storage import statements
from storage.tables import people, seller_members, sellers
from storage.tables_year import announcements, digest_readers

_mine = digest_readers.c
_of_person = and_(people.c.team_id == _mine.team_id, people.c.user_id == _mine.recipient)
#: a person's zone is where Slack says they are, a channel's is its own
_READERS = select(digest_readers, func.coalesce(_mine.tz, people.c.tz).label("zone")).outerjoin(people, _of_person)


class SqlReaders:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def enroll(self, *, now: datetime, channel: str, channel_tz: str = "UTC", limit: int) -> int:
        members = seller_members.c
        rows = await self._connection.execute(
            select(members.team_id, members.user_id, members.seller_id, people.c.tz)
            .outerjoin(people, and_(people.c.team_id == members.team_id, people.c.user_id == members.user_id))
            .where(~exists().where(_mine.team_id == members.team_id, _mine.recipient == members.user_id))
            .order_by(members.position)
            .limit(limit)
        )
        fresh = [(row.team_id, row.user_id, row.seller_id, row.tz) for row in rows]
        # a desk that moved to another channel is not written to in the old one
        await self._connection.execute(
            delete(digest_readers).where(_mine.seller_id.is_(None), _mine.recipient != channel)
        )
        if channel:
            teams = await self._connection.scalars(
                select(sellers.c.team_id)
                .distinct()
                .where(~exists().where(_mine.team_id == sellers.c.team_id, _mine.recipient == channel))
                .limit(limit)
            )
            fresh += [(team_id, channel, None, channel_tz) for team_id in teams]
        if fresh:
            await self._connection.execute(
                statements.insert(self._connection, digest_readers).on_conflict_do_nothing(),
                [
                    {
                        "team_id": team_id,
                        "recipient": recipient,
                        "seller_id": seller_id,
                        "hour": DEFAULT_HOUR,
                        "weekday": DEFAULT_WEEKDAY,
                        "next_at": next_morning(now, zone=zone_for(tz), hour=DEFAULT_HOUR),
                    }
                    for team_id, recipient, seller_id, tz in fresh
                ],
            )
        return len(fresh)

    async def get(self, team_id: str, recipient: str) -> Reader | None:
        found = await self._connection.execute(_READERS.where(_mine.team_id == team_id, _mine.recipient == recipient))
        row = found.one_or_none()
        return None if row is None else _reader(row)

    async def put(self, reader: Reader) -> None:
        habits = {
            "hour": reader.hour,
            "weekday": reader.weekday,
            "tz": reader.tz if reader.seller_id is None else None,
            "next_at": reader.next_at,
        }
        await self._connection.execute(
            statements.insert(self._connection, digest_readers)
            .values(
                team_id=reader.team_id,
                recipient=reader.recipient,
                seller_id=reader.seller_id,
                last_day=reader.last_day,
                **habits,
            )
            .on_conflict_do_update(index_elements=["team_id", "recipient"], set_=habits)
        )

    async def due(self, *, now: datetime, after: Place, limit: int) -> Sequence[Reader]:
        page = _READERS.where(_mine.next_at <= now).order_by(_mine.next_at, _mine.team_id, _mine.recipient).limit(limit)
        if after is not None:
            moment, team_id, recipient = after
            place = tuple_(literal(moment, _mine.next_at.type), literal(team_id), literal(recipient))
            page = page.where(tuple_(_mine.next_at, _mine.team_id, _mine.recipient) > place)
        return [_reader(row) for row in await self._connection.execute(page)]

    async def turn(self, readers: Sequence[Reader], *, last_day: date | None, next_at: datetime) -> Sequence[Reader]:
        turned: set[tuple[str, str]] = set()
        seen = {(reader.team_id, reader.next_at) for reader in readers}
        for team_id, seen_at in seen:
            these = [one.recipient for one in readers if (one.team_id, one.next_at) == (team_id, seen_at)]
            rows = await self._connection.scalars(
                update(digest_readers)
                .where(_mine.team_id == team_id, _mine.recipient.in_(these), _mine.next_at == seen_at)
                .values(next_at=next_at, last_day=last_day)
                .returning(_mine.recipient)
            )
            turned |= {(team_id, recipient) for recipient in rows}
        return [reader for reader in readers if (reader.team_id, reader.recipient) in turned]

    async def pass_over(self, turns: Sequence[tuple[Reader, datetime]]) -> None:
        if turns:
            await self._connection.execute(
                update(digest_readers)
                .where(
                    _mine.team_id == bindparam("of_team"),
                    _mine.recipient == bindparam("of_recipient"),
                    _mine.next_at == bindparam("seen_at"),
                )
                .values(next_at=bindparam("then")),
                [
                    {
                        "of_team": reader.team_id,
                        "of_recipient": reader.recipient,
                        "seen_at": reader.next_at,
                        "then": next_at,
                    }
                    for reader, next_at in turns
                ],
            )

    async def next_due(self) -> datetime | None:
        found: datetime | None = await self._connection.scalar(select(func.min(_mine.next_at)))
        return found


def _reader(row: Row[Any]) -> Reader:
    return Reader(
        team_id=row.team_id,
        recipient=row.recipient,
        seller_id=row.seller_id,
        tz=zone_for(row.zone).key if row.zone else "",
        hour=row.hour,
        weekday=row.weekday,
        last_day=row.last_day,
        next_at=row.next_at,
    )


class SqlAnnouncements:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def first_time(self, team_id: str, recipient: str, period: str, *, at: datetime) -> bool:
        told = await self._connection.execute(
            statements.insert(self._connection, announcements)
            .values(team_id=team_id, recipient=recipient, period=period, told_at=at)
            .on_conflict_do_nothing(index_elements=["team_id", "recipient", "period"])
        )
        return told.rowcount == 1

    async def first_times(self, readers: Sequence[Reader], period: str, *, at: datetime) -> Sequence[Reader]:
        if not readers:
            return []
        told = announcements.c
        rows = await self._connection.execute(
            statements.insert(self._connection, announcements)
            .values(
                [
                    {"team_id": one.team_id, "recipient": one.recipient, "period": period, "told_at": at}
                    for one in readers
                ]
            )
            .on_conflict_do_nothing(index_elements=["team_id", "recipient", "period"])
            .returning(told.team_id, told.recipient)
        )
        fresh = {(row.team_id, row.recipient) for row in rows}
        return [reader for reader in readers if (reader.team_id, reader.recipient) in fresh]

    async def take_back(self, team_id: str, recipient: str, period: str) -> None:
        told = announcements.c
        await self._connection.execute(
            delete(announcements).where(told.team_id == team_id, told.recipient == recipient, told.period == period)
        )

    async def prune(self, *, before: datetime) -> int:
        pruned = await self._connection.execute(delete(announcements).where(announcements.c.told_at < before))
        return pruned.rowcount
