"""Languages and time zones of people as they were last read. How old is too old is for the reader to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from bot.ports import Person
from storage import statements
from storage.engine import Transactions
from storage.tables import people


@dataclass(frozen=True, slots=True)
class StoredPerson:
    person: Person
    fetched_at: datetime


class PeopleStore:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def get(self, team_id: str, user_id: str) -> StoredPerson | None:
        async with self._transactions.read() as connection:
            found = await connection.execute(
                select(people).where(people.c.team_id == team_id, people.c.user_id == user_id)
            )
            row = found.one_or_none()
        if row is None or row.is_admin is None:  # read before it was asked who administers the workspace
            return None
        return StoredPerson(Person(row.team_id, row.user_id, row.locale, row.tz, row.is_admin), row.fetched_at)

    async def put(self, person: Person, *, fetched_at: datetime) -> None:
        known = {"locale": person.locale, "tz": person.tz, "is_admin": person.is_admin, "fetched_at": fetched_at}
        async with self._transactions.single() as connection:
            await connection.execute(
                statements.insert(connection, people)
                .values(team_id=person.team_id, user_id=person.user_id, **known)
                .on_conflict_do_update(index_elements=["team_id", "user_id"], set_=known)
            )

    async def forget(self, team_id: str, user_id: str) -> None:
        async with self._transactions.single() as connection:
            await connection.execute(delete(people).where(people.c.team_id == team_id, people.c.user_id == user_id))
