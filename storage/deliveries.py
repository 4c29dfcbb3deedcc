"""Which of Slack's deliveries were seen. The key decides, whatever the number of replicas."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete

from storage import statements
from storage.engine import Transactions
from storage.tables import deliveries


class SqlDeliveries:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def first_time(self, key: str, *, now: datetime) -> bool:
        async with self._transactions.single() as connection:
            seen = await connection.execute(
                statements.insert(connection, deliveries)
                .values(key=key, seen_at=now)
                .on_conflict_do_nothing(index_elements=["key"])
            )
        return seen.rowcount == 1

    async def forget(self, key: str) -> None:
        async with self._transactions.single() as connection:
            await connection.execute(delete(deliveries).where(deliveries.c.key == key))

    async def prune(self, *, before: datetime) -> int:
        """Forgets what was seen before then; how many."""
        async with self._transactions.single() as connection:
            pruned = await connection.execute(delete(deliveries).where(deliveries.c.seen_at < before))
        return pruned.rowcount
