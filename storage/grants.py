"""Grants, by (store, feature). Every write counts; one that did not see the last is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, and_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.features import FEATURES, FeatureKey
from bot.domain.grants import Grant, GrantState, first_grant
from bot.domain.stores import Seller, Store
from bot.errors import ConcurrentChange
from storage import statements
from storage.stores import as_store
from storage.tables import grants, stores


class SqlGrants:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_store(self, store: Store) -> Mapping[FeatureKey, Grant]:
        rows = await self._connection.execute(
            select(grants)
            .join(stores)
            .where(
                grants.c.store_id == store.id,
                stores.c.team_id == store.team_id,
                stores.c.seller_id == store.seller_id,
            )
        )
        written = {grant.feature: grant for grant in map(as_grant, rows)}
        return {key: written.get(key) or first_grant(store.id, key, at=store.created_at) for key in FEATURES}

    async def of_seller(self, seller: Seller) -> Mapping[str, Mapping[FeatureKey, Grant]]:
        rows = await self._connection.execute(
            select(stores.c.id, stores.c.created_at, *(column.label(f"grant_{column.key}") for column in grants.c))
            .outerjoin(grants, grants.c.store_id == stores.c.id)
            .where(stores.c.team_id == seller.team_id, stores.c.seller_id == seller.id)
            .order_by(stores.c.created_at, stores.c.id)
        )
        found: dict[str, dict[FeatureKey, Grant]] = {}
        for row in rows:
            mine = found.setdefault(row.id, {key: first_grant(row.id, key, at=row.created_at) for key in FEATURES})
            if row.grant_store_id is not None:
                grant = as_grant(row, "grant_")
                mine[grant.feature] = grant
        return found

    async def put(self, grant: Grant) -> None:
        values = {
            "state": grant.state.value,
            "since": grant.since,
            "authorization_id": grant.authorization_id,
            "granted_at": grant.granted_at,
            "ends_at": grant.ends_at,
            "version": grant.version + 1,
        }
        key = {"store_id": grant.store_id, "feature": grant.feature.value}
        try:
            async with self._connection.begin_nested():
                if grant.version == 0:
                    written = await self._connection.execute(
                        statements.insert(self._connection, grants)
                        .values(**key, **values)
                        .on_conflict_do_nothing(index_elements=list(key))
                    )
                else:
                    written = await self._connection.execute(
                        update(grants)
                        .where(
                            and_(*(grants.c[name] == value for name, value in key.items())),
                            grants.c.version == grant.version,
                        )
                        .values(**values)
                    )
        except IntegrityError:
            # The store, or the authorization it would rest on, has gone.
            raise ConcurrentChange from None
        if written.rowcount != 1:
            raise ConcurrentChange

    async def resting_on(self, authorization_id: str) -> Sequence[tuple[Store, Grant]]:
        rows = await self._connection.execute(
            select(stores, *(column.label(f"grant_{column.key}") for column in grants.c))
            .join(grants, grants.c.store_id == stores.c.id)
            .where(grants.c.authorization_id == authorization_id)
            .order_by(stores.c.created_at, stores.c.id, grants.c.feature)
        )
        return [(as_store(row), as_grant(row, "grant_")) for row in rows]


def as_grant(row: Row[Any], prefix: str = "") -> Grant:
    def value(name: str) -> Any:
        return getattr(row, prefix + name)

    return Grant(
        store_id=value("store_id"),
        feature=FeatureKey(value("feature")),
        state=GrantState(value("state")),
        since=value("since"),
        authorization_id=value("authorization_id"),
        granted_at=value("granted_at"),
        ends_at=value("ends_at"),
        version=value("version"),
    )
