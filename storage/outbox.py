"""The outbox: its writer, inside a change, and its queue, as the relay sees it.

An errand belongs to a lane: a person's or a channel's messages, or the tasks that must not overtake each other. Only the
oldest errand of a lane can be claimed. A lease that ran out can be claimed again: a crash costs a repetition, never a loss.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Update, and_, case, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.mirror import MIRROR_TASK
from bot.domain.notices import Notice
from bot.errors import CannotDecrypt
from bot.ports import Clock, Entropy, Errand
from storage import statements
from storage.engine import Transactions
from storage.tables import SEALED_BODY, outbox, pauses
from storage.vault import Vault

#: rows a relay takes at a time; more saves nothing and makes a lost lease dearer
BATCH_LIMIT = 100
#: tasks with a relay of their own: whoever they call may be slow or away for days, and no message may wait for that
APART = (MIRROR_TASK,)


class SqlOutbox:
    def __init__(
        self, connection: AsyncConnection, *, vault: Vault, clock: Clock, entropy: Entropy, support_channel: str
    ) -> None:
        self._connection = connection
        self._support_channel = support_channel
        self._vault = vault
        self._clock = clock
        self._entropy = entropy
        #: True once something was written
        self.has_news = False

    async def tell(self, team_id: str, user_id: str, notice: Notice) -> None:
        await self.tell_all([(team_id, user_id, notice)])

    async def tell_all(self, messages: Sequence[tuple[str, str, Notice]]) -> None:
        await self._write(
            [
                self._row(team_id, user_id, notice.kind, notice.facts(), lane=f"{team_id}:{user_id}", is_task=False)
                for team_id, user_id, notice in messages
            ]
        )

    async def tell_support(self, team_id: str, notice: Notice) -> None:
        if self._support_channel:
            await self.tell(team_id, self._support_channel, notice)

    async def ask(self, team_id: str, task: str, arguments: Mapping[str, Any], *, lane: str) -> None:
        await self._write([self._row(team_id, "", task, dict(arguments), lane=f"task:{lane}", is_task=True)])

    def _row(
        self, team_id: str, recipient: str, kind: str, body: Mapping[str, Any], *, lane: str, is_task: bool
    ) -> dict[str, Any]:
        errand_id = self._entropy.new_id()
        now = self._clock()
        return {
            "id": errand_id,
            "lane": lane,
            "team_id": team_id,
            "recipient": recipient,
            "kind": kind,
            "is_task": is_task,
            "body": self._vault.seal(json.dumps(body, ensure_ascii=False), SEALED_BODY, errand_id),
            "created_at": now,
            "due_at": now,
            "tries": 0,
        }

    async def _write(self, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            await self._connection.execute(insert(outbox), rows)
            self.has_news = True


class SqlErrandQueue:
    """The errands of one relay: those set `apart`, or all others."""

    def __init__(self, transactions: Transactions, vault: Vault, *, apart: bool = False) -> None:
        self._transactions = transactions
        self._vault = vault
        self._mine = outbox.c.kind.in_(APART) if apart else outbox.c.kind.not_in(APART)

    async def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Errand]:
        """`tries` counts this one: 1 the first time. An errand that cannot be read is set aside here: nobody could do it."""
        free = or_(outbox.c.leased_until.is_(None), outbox.c.leased_until <= now)
        claimable = (
            select(outbox)
            .where(
                outbox.c.dead_at.is_(None),
                self._mine,
                outbox.c.due_at <= now,
                free,
                _is_oldest(),
                ~_lane_is_leased(now),
                or_(outbox.c.is_task, ~_is_paused(now)),
            )
            .order_by(outbox.c.position)
            .limit(min(limit, BATCH_LIMIT))
            .with_for_update(skip_locked=True, of=outbox)
        )
        async with self._transactions.write() as connection:
            claimed: dict[int, Errand] = {}
            for row in (await connection.execute(claimable)).all():
                try:
                    claimed[row.position] = self._errand(row)
                except CannotDecrypt as error:
                    await connection.execute(_dead(outbox.c.id == row.id, at=now, why=str(error)))
                    _log.error("errand set aside: %s", error, extra={"action": "errand_unreadable", "errand": row.id})
            if claimed:
                await connection.execute(
                    update(outbox)
                    .where(outbox.c.position.in_(claimed))
                    .values(leased_until=now + lease, tries=outbox.c.tries + 1)
                )
        return list(claimed.values())

    async def done(self, errand: Errand) -> None:
        async with self._transactions.single() as connection:
            await connection.execute(delete(outbox).where(outbox.c.id == errand.id))

    async def again(self, errand: Errand, *, at: datetime) -> None:
        async with self._transactions.single() as connection:
            await connection.execute(update(outbox).where(_is_held(errand)).values(due_at=at, leased_until=None))

    async def give_up(self, errand: Errand, *, at: datetime, why: str) -> None:
        async with self._transactions.single() as connection:
            await connection.execute(_dead(_is_held(errand), at=at, why=why))

    async def pause(self, team_id: str, *, until: datetime) -> None:
        async with self._transactions.single() as connection:
            asked = statements.insert(connection, pauses).values(team_id=team_id, until=until)
            await connection.execute(
                asked.on_conflict_do_update(
                    index_elements=["team_id"], set_={"until": _later(pauses.c.until, asked.excluded.until)}
                )
            )

    async def next_due(self) -> datetime | None:
        """For each lane's oldest: when it is due, its lease has run out and its workspace's pause is over."""
        ready = _later(outbox.c.due_at, outbox.c.leased_until)
        quiet = case((outbox.c.is_task, None), else_=pauses.c.until)
        query = (
            select(func.min(_later(ready, quiet)))
            .select_from(outbox.outerjoin(pauses, pauses.c.team_id == outbox.c.team_id))
            .where(outbox.c.dead_at.is_(None), self._mine, _is_oldest())
        )
        async with self._transactions.read() as connection:
            found: datetime | None = await connection.scalar(query)
            return found

    def _errand(self, row: Row[Any]) -> Errand:
        return Errand(
            id=row.id,
            team_id=row.team_id,
            recipient=row.recipient,
            kind=row.kind,
            is_task=row.is_task,
            body=json.loads(self._vault.open(row.body, SEALED_BODY, row.id)),
            created_at=row.created_at,
            tries=row.tries + 1,
        )


_log = logging.getLogger(__name__)
_other = outbox.alias("other")


def _is_oldest() -> ColumnElement[bool]:
    """One step in the index of what is pending. As a NOT EXISTS, PostgreSQL would join the whole outbox with itself."""
    oldest = select(func.min(_other.c.position)).where(_other.c.lane == outbox.c.lane, _other.c.dead_at.is_(None))
    return outbox.c.position == oldest.scalar_subquery()


def _lane_is_leased(now: datetime) -> ColumnElement[bool]:
    """On PostgreSQL an older errand may be committed after a newer one of its lane was claimed."""
    return exists().where(_other.c.lane == outbox.c.lane, _other.c.leased_until > now)


def _is_paused(now: datetime) -> ColumnElement[bool]:
    return exists().where(pauses.c.team_id == outbox.c.team_id, pauses.c.until > now)


def _is_held(errand: Errand) -> ColumnElement[bool]:
    """Still the claim that the relay made: a later one counts more tries."""
    return and_(outbox.c.id == errand.id, outbox.c.tries == errand.tries)


def _dead(which: ColumnElement[bool], *, at: datetime, why: str) -> Update:
    return update(outbox).where(which).values(dead_at=at, why=why, leased_until=None)


def _later(first: ColumnElement[Any], second: ColumnElement[Any]) -> ColumnElement[Any]:
    """The later of two moments; the first when there is no second."""
    return case((second > first, second), else_=first)
