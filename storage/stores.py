"""Stores, and whose Amazon account each of them is. Another seller's store is as if it did not exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.stores import Seller, Store, label_key
from bot.domain.verification import Reason, Refused
from bot.errors import ConcurrentChange, DuplicateLabel
from storage import selling_partners, statements
from storage.tables import stores


class SqlStores:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, store: Store) -> None:
        added = await self._connection.execute(
            statements.insert(self._connection, stores)
            .values(
                id=store.id,
                team_id=store.team_id,
                seller_id=store.seller_id,
                created_at=store.created_at,
                created_by=store.created_by,
                **_editable(store),
            )
            .on_conflict_do_nothing(index_elements=["seller_id", "label_key"])
        )
        if added.rowcount != 1:
            raise DuplicateLabel(label=store.label)

    async def update(self, store: Store) -> None:
        try:
            async with self._connection.begin_nested():
                changed = await self._connection.execute(
                    update(stores).where(*_is(store)).values(disabled_at=store.disabled_at, **_editable(store))
                )
        except IntegrityError:
            if await self._label_is_taken(store):
                raise DuplicateLabel(label=store.label) from None
            raise ConcurrentChange from None
        if changed.rowcount != 1:
            raise ConcurrentChange

    async def get(self, seller: Seller, store_id: str, *, to_write: bool = False) -> Store | None:
        return await self._one(seller, stores.c.id == store_id, to_write=to_write)

    async def by_label(self, seller: Seller, label: str) -> Store | None:
        return await self._one(seller, stores.c.label_key == label_key(label))

    async def of_seller(self, seller: Seller) -> Sequence[Store]:
        rows = await self._connection.execute(
            select(stores).where(*_of(seller)).order_by(stores.c.created_at, stores.c.id)
        )
        return [as_store(row) for row in rows]

    async def bind(self, store: Store, selling_partner_id: str) -> Refused | None:
        try:
            async with self._connection.begin_nested() as attempt:
                refused = await self._bind(store, selling_partner_id)
                if refused is not None:
                    # Takes back an Amazon account that was taken hold of for nothing.
                    await attempt.rollback()
        except IntegrityError:
            raise ConcurrentChange from None
        return refused

    async def _bind(self, store: Store, selling_partner_id: str) -> Refused | None:
        # From here on, others who bind a store of this account wait, so that what is read next stays true.
        if not await selling_partners.hold(self._connection, store.team_id, store.seller_id, selling_partner_id):
            return Refused(Reason.HELD_BY_ANOTHER)
        in_the_way = await self._connection.scalar(
            select(stores.c.label).where(
                stores.c.selling_partner_id == selling_partner_id,
                stores.c.marketplace_code == store.marketplace_code,
                stores.c.id != store.id,
            )
        )
        if in_the_way is not None:
            return Refused(Reason.ALREADY_CONNECTED, in_the_way)
        bound = await self._connection.execute(
            update(stores)
            .where(
                *_is(store),
                # what was verified is the account in this marketplace, and it can be edited until an account is known
                stores.c.marketplace_code == store.marketplace_code,
                stores.c.selling_partner_id.is_(None) | (stores.c.selling_partner_id == selling_partner_id),
            )
            .values(selling_partner_id=selling_partner_id)
        )
        if bound.rowcount == 1:
            return None
        marketplace = await self._connection.scalar(select(stores.c.marketplace_code).where(*_is(store)))
        if marketplace != store.marketplace_code:  # edited meanwhile, or deleted
            raise ConcurrentChange
        return Refused(Reason.WRONG_ACCOUNT)

    async def holder(self, selling_partner_id: str) -> str | None:
        return await selling_partners.holder(self._connection, selling_partner_id)

    async def of_selling_partner(self, selling_partner_id: str) -> Sequence[Store]:
        rows = await self._connection.execute(
            select(stores)
            .where(stores.c.selling_partner_id == selling_partner_id)
            .order_by(stores.c.created_at, stores.c.id)
        )
        return [as_store(row) for row in rows]

    async def delete(self, store: Store) -> None:
        account = await self._connection.scalar(select(stores.c.selling_partner_id).where(*_is(store)))
        if account is not None:
            await selling_partners.lock(self._connection, account)
        await self._connection.execute(delete(stores).where(*_is(store)))
        if account is not None:
            await selling_partners.let_go(self._connection, account)
        await selling_partners.let_go_unused(self._connection, store.seller_id)

    async def _label_is_taken(self, store: Store) -> bool:
        taken = select(
            exists().where(
                stores.c.seller_id == store.seller_id,
                stores.c.label_key == label_key(store.label),
                stores.c.id != store.id,
            )
        )
        return bool(await self._connection.scalar(taken))

    async def _one(self, seller: Seller, which: ColumnElement[bool], *, to_write: bool = False) -> Store | None:
        wanted = select(stores).where(*_of(seller), which)
        if to_write:
            # the lock that an update takes, and no stronger: what refers to the store waits for nobody
            wanted = wanted.with_for_update(key_share=True)
        row = (await self._connection.execute(wanted)).one_or_none()
        return None if row is None else as_store(row)


def as_store(row: Row[Any]) -> Store:
    return Store(
        id=row.id,
        team_id=row.team_id,
        seller_id=row.seller_id,
        label=row.label,
        marketplace_code=row.marketplace_code,
        initial_order_date=row.initial_order_date,
        created_at=row.created_at,
        created_by=row.created_by,
        contact_email=row.contact_email,
        website=row.website,
        attribute_mapping=row.attribute_mapping,
        selling_partner_id=row.selling_partner_id,
        disabled_at=row.disabled_at,
    )


def _editable(store: Store) -> dict[str, Any]:
    return {
        "label": store.label,
        "label_key": label_key(store.label),
        "marketplace_code": store.marketplace_code,
        "initial_order_date": store.initial_order_date,
        "contact_email": store.contact_email,
        "website": store.website,
        "attribute_mapping": store.attribute_mapping,
    }


def _of(seller: Seller) -> tuple[ColumnElement[bool], ...]:
    return stores.c.team_id == seller.team_id, stores.c.seller_id == seller.id


def _is(store: Store) -> tuple[ColumnElement[bool], ...]:
    return stores.c.team_id == store.team_id, stores.c.seller_id == store.seller_id, stores.c.id == store.id
