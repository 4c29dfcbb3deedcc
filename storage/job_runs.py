"""Scheduled runs. Each (job, due time) belongs to whoever inserts its row first."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select

from storage import statements
from storage.engine import Transactions
from storage.tables import job_runs


class SqlJobRuns:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def claim(self, job: str, *, due: datetime) -> bool:
        async with self._transactions.single() as connection:
            mine = await connection.execute(
                statements.insert(connection, job_runs)
                .values(job=job, due_at=due)
                .on_conflict_do_nothing(index_elements=["job", "due_at"])
            )
        return mine.rowcount == 1

    async def last(self, job: str) -> datetime | None:
        async with self._transactions.read() as connection:
            found: datetime | None = await connection.scalar(
                select(func.max(job_runs.c.due_at)).where(job_runs.c.job == job)
            )
        return found

    async def prune(self, *, before: datetime) -> int:
        """Forgets runs that were due before then; how many."""
        async with self._transactions.single() as connection:
            pruned = await connection.execute(delete(job_runs).where(job_runs.c.due_at < before))
        return pruned.rowcount
