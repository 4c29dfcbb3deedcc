"""Sellers and their members. A person belongs to one seller of a workspace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.stores import Seller
from bot.errors import AlreadyAMember, ConcurrentChange
from storage import statements
from storage.tables import seller_members, sellers, stores
from storage.tables_year import digest_readers


class SqlSellers:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_member(self, team_id: str, user_id: str) -> Seller | None:
        mine = seller_members.c
        return await self._one(
            select(sellers)
            .join(seller_members, mine.seller_id == sellers.c.id)
            .where(mine.team_id == team_id, mine.user_id == user_id)
        )

    async def get(self, team_id: str, seller_id: str) -> Seller | None:
        return await self._one(select(sellers).where(sellers.c.team_id == team_id, sellers.c.id == seller_id))

    async def add(self, seller: Seller, *, user_id: str) -> Seller:
        await self._connection.execute(
            insert(sellers).values(
                id=seller.id,
                team_id=seller.team_id,
                created_at=seller.created_at,
                prepared_at=seller.prepared_at,
            )
        )
        if await self._join(seller, user_id, at=seller.created_at):
            return seller
        await self._connection.execute(delete(sellers).where(sellers.c.id == seller.id))
        there = await self.of_member(seller.team_id, user_id)
        if there is None:
            raise ConcurrentChange
        return there

    async def prepared(self, seller: Seller, *, at: datetime) -> None:
        await self._connection.execute(
            update(sellers).where(sellers.c.id == seller.id, sellers.c.team_id == seller.team_id).values(prepared_at=at)
        )

    async def add_member(self, seller: Seller, user_id: str, *, at: datetime) -> None:
        if await self._join(seller, user_id, at=at):
            return
        mine = seller_members.c
        # somebody who only looked at the preparations has an account without stores: they may join another
        await self._connection.execute(
            update(seller_members)
            .where(
                mine.team_id == seller.team_id,
                mine.user_id == user_id,
                mine.seller_id != seller.id,
                ~exists().where(stores.c.seller_id == mine.seller_id),
            )
            .values(seller_id=seller.id, joined_at=at)
        )
        there = await self.of_member(seller.team_id, user_id)
        if there is None or there.id != seller.id:
            raise AlreadyAMember(name=user_id)
        reads = digest_readers.c
        await self._connection.execute(
            update(digest_readers)
            .where(reads.team_id == seller.team_id, reads.recipient == user_id)
            .values(seller_id=seller.id)
        )

    async def members(self, seller: Seller) -> Sequence[str]:
        mine = seller_members.c
        found = await self._connection.scalars(
            select(mine.user_id)
            .where(mine.team_id == seller.team_id, mine.seller_id == seller.id)
            .order_by(mine.position)
        )
        return found.all()

    async def _join(self, seller: Seller, user_id: str, *, at: datetime) -> bool:
        joined = await self._connection.execute(
            statements.insert(self._connection, seller_members)
            .values(team_id=seller.team_id, user_id=user_id, seller_id=seller.id, joined_at=at)
            .on_conflict_do_nothing(index_elements=["team_id", "user_id"])
        )
        return joined.rowcount == 1

    async def _one(self, query: Select[Any]) -> Seller | None:
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else _seller(row)


def _seller(row: Row[Any]) -> Seller:
    return Seller(id=row.id, team_id=row.team_id, created_at=row.created_at, prepared_at=row.prepared_at)
