"""Where each person's card about a subject stands in Slack."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, delete, select

from bot.ports import CardAddress
from storage import statements
from storage.engine import Transactions
from storage.tables import cards


class SqlCards:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def get(self, team_id: str, recipient: str, subject: str) -> CardAddress | None:
        async with self._transactions.read() as connection:
            found = await connection.execute(
                select(cards.c.channel_id, cards.c.ts).where(_is(team_id, recipient, subject))
            )
            row = found.one_or_none()
        return None if row is None else CardAddress(row.channel_id, row.ts)

    async def subject_at(self, team_id: str, address: CardAddress) -> str | None:
        async with self._transactions.read() as connection:
            found: str | None = await connection.scalar(
                select(cards.c.subject).where(
                    cards.c.team_id == team_id,
                    cards.c.channel_id == address.channel_id,
                    cards.c.ts == address.ts,
                )
            )
        return found

    async def put(self, team_id: str, recipient: str, subject: str, address: CardAddress) -> None:
        place = {"channel_id": address.channel_id, "ts": address.ts}
        async with self._transactions.single() as connection:
            await connection.execute(
                statements.insert(connection, cards)
                .values(team_id=team_id, recipient=recipient, subject=subject, **place)
                .on_conflict_do_update(index_elements=["team_id", "recipient", "subject"], set_=place)
            )

    async def forget(self, team_id: str, recipient: str, subject: str) -> None:
        async with self._transactions.single() as connection:
            await connection.execute(delete(cards).where(_is(team_id, recipient, subject)))


def _is(team_id: str, recipient: str, subject: str) -> ColumnElement[bool]:
    return and_(cards.c.team_id == team_id, cards.c.recipient == recipient, cards.c.subject == subject)
