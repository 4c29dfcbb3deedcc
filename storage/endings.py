"""What ends when, as streams of few columns, and who asked for silence about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, case, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.digests import LINK_COUNTS, Ending, Quiet
from bot.domain.features import FeatureKey
from bot.domain.grants import GrantState
from bot.domain.notices import StoreRef
from bot.ports.year import Place
from storage import statements
from storage.tables import consent_attempts, grants, stores
from storage.tables_year import quiets

#: grants whose end means something: those that hold, and those that held until then
_SPOKEN_OF = (GrantState.GRANTED.value, GrantState.PERMISSION_PROBLEM.value, GrantState.EXPIRED.value)
_STILL_HELD = (GrantState.GRANTED.value, GrantState.PERMISSION_PROBLEM.value)

#: the moment the end became known: noticing that it has passed does not make it news
_KNOWN_SINCE = case((grants.c.state == GrantState.EXPIRED.value, grants.c.granted_at), else_=grants.c.since)
_COLUMNS = (
    stores.c.seller_id,
    stores.c.id,
    stores.c.label,
    stores.c.marketplace_code,
    grants.c.feature,
    grants.c.ends_at,
    _KNOWN_SINCE.label("known_since"),
)


class SqlEndings:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_sellers(
        self, seller_ids: Sequence[str], *, since: datetime, until: datetime
    ) -> Mapping[str, Sequence[Ending]]:
        query: Select[Any] = (
            select(*_COLUMNS, quiets.c.user_id, quiets.c.ends_at.label("quiet_of"), quiets.c.until, quiets.c.noted_at)
            .select_from(stores)
            .join(grants, grants.c.store_id == stores.c.id)
            .outerjoin(quiets, and_(quiets.c.store_id == grants.c.store_id, quiets.c.feature == grants.c.feature))
            .where(
                stores.c.seller_id.in_(seller_ids),
                stores.c.disabled_at.is_(None),
                grants.c.ends_at >= since,
                grants.c.ends_at <= until,
                grants.c.state.in_(_SPOKEN_OF),
            )
            .order_by(stores.c.seller_id, stores.c.id, grants.c.feature)
        )
        rows = await self._connection.execute(query)
        found: dict[str, list[Ending]] = defaultdict(list)
        for row in rows:
            mine = found[row.seller_id]
            if not mine or (mine[-1].store.id, mine[-1].feature) != (row.id, row.feature):
                mine.append(_ending(row))
            if row.user_id is not None:
                quiet = Quiet(row.user_id, row.quiet_of, row.until, row.noted_at)
                last = mine[-1]
                mine[-1] = Ending(
                    last.seller_id, last.store, last.feature, last.ends_at, last.since, (*last.quiets, quiet)
                )
        return found

    async def of_team(
        self, team_id: str, *, since: datetime, until: datetime, after: Place, limit: int
    ) -> Sequence[Ending]:
        page: Select[Any] = (
            select(*_COLUMNS)
            .select_from(grants)
            .join(stores, stores.c.id == grants.c.store_id)
            .where(
                grants.c.ends_at >= since,
                grants.c.ends_at <= until,
                grants.c.state.in_(_SPOKEN_OF),
                stores.c.team_id == team_id,
                stores.c.disabled_at.is_(None),
            )
            .order_by(grants.c.ends_at, grants.c.store_id, grants.c.feature)
            .limit(limit)
        )
        if after is not None:
            moment, store_id, feature = after
            place = tuple_(literal(moment, grants.c.ends_at.type), literal(store_id), literal(feature))
            page = page.where(tuple_(grants.c.ends_at, grants.c.store_id, grants.c.feature) > place)
        return [_ending(row) for row in await self._connection.execute(page)]

    async def next_of(self, seller_id: str, *, now: datetime) -> datetime | None:
        found: datetime | None = await self._connection.scalar(
            select(func.min(grants.c.ends_at))
            .select_from(stores)
            .join(grants, grants.c.store_id == stores.c.id)
            .where(
                stores.c.seller_id == seller_id,
                stores.c.disabled_at.is_(None),
                grants.c.ends_at > now,
                grants.c.state.in_(_STILL_HELD),
            )
        )
        return found

    async def quiet(self, ending: Ending, quiet: Quiet) -> None:
        said = {"ends_at": quiet.ends_at, "until": quiet.until, "noted_at": quiet.noted_at}
        await self._connection.execute(
            statements.insert(self._connection, quiets)
            .values(store_id=ending.store.id, feature=ending.feature.value, user_id=quiet.user_id, **said)
            .on_conflict_do_update(index_elements=["store_id", "feature", "user_id"], set_=said)
        )

    async def reacted(self, endings: Sequence[Ending], *, now: datetime) -> set[tuple[str, FeatureKey]]:
        ends = {(ending.store.id, ending.feature): ending.ends_at for ending in endings}
        store_ids = sorted({store_id for store_id, _ in ends})
        pressed = await self._connection.execute(
            select(quiets.c.store_id, quiets.c.feature, quiets.c.ends_at).where(
                quiets.c.store_id.in_(store_ids), or_(quiets.c.until.is_(None), quiets.c.until > now)
            )
        )
        found = {
            (row.store_id, FeatureKey(row.feature))
            for row in pressed
            if ends.get((row.store_id, FeatureKey(row.feature))) == row.ends_at
        }
        mine = consent_attempts.c
        asked = await self._connection.execute(
            select(mine.store_id, mine.feature)
            .where(mine.store_id.in_(store_ids), mine.created_at > now - LINK_COUNTS)
            .distinct()
        )
        return found | {(row.store_id, FeatureKey(row.feature)) for row in asked} & ends.keys()


def _ending(row: Row[Any]) -> Ending:
    return Ending(
        seller_id=row.seller_id,
        store=StoreRef(row.id, row.label, row.marketplace_code),
        feature=FeatureKey(row.feature),
        ends_at=row.ends_at,
        since=row.known_since,
    )
