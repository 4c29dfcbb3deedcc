"""Which of Slack's deliveries were seen. The key decides, whatever the number of replicas."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select, update

from bot.ports import Sighting
from storage import statements
from storage.engine import Transactions
from storage.tables import deliveries


class SqlDeliveries:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def take(self, key: str, *, now: datetime, hold: timedelta | None = None) -> Sighting:
        until = None if hold is None else now + hold
        async with self._transactions.single() as connection:
            asked = statements.insert(connection, deliveries).values(key=key, seen_at=now, held_until=until)
            taken = await connection.execute(
                asked.on_conflict_do_update(
                    index_elements=["key"],
                    set_={"seen_at": asked.excluded.seen_at, "held_until": asked.excluded.held_until},
                    where=deliveries.c.held_until <= now,
                )
            )
        if taken.rowcount == 1:
            return Sighting.FIRST
        handled = exists().where(deliveries.c.key == key, deliveries.c.held_until.is_(None))
        async with self._transactions.read() as connection:
            # one that was let go at this very moment is in nobody's hand: whoever asks again is the first
            return Sighting.HANDLED if await connection.scalar(select(handled)) else Sighting.IN_HAND

    async def finish(self, key: str) -> None:
        async with self._transactions.single() as connection:
            await connection.execute(update(deliveries).where(deliveries.c.key == key).values(held_until=None))

    async def forget(self, key: str) -> None:
        async with self._transactions.single() as connection:
            await connection.execute(delete(deliveries).where(deliveries.c.key == key))

    async def prune(self, *, before: datetime) -> int:
        """Forgets what was seen before then; how many."""
        async with self._transactions.single() as connection:
            pruned = await connection.execute(delete(deliveries).where(deliveries.c.seen_at < before))
        return pruned.rowcount
