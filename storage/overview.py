"""Every seller's stores of one workspace, as agents look at them: state only, no token and no secret is read here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.consent import STATE_LIFETIME, Outcome
from bot.domain.features import FEATURES, FeatureKey
from bot.domain.grants import EXPIRING_WITHIN, Grant, GrantState, first_grant
from bot.ports.desk import Queue, StoreLine
from storage.grants import as_grant
from storage.stores import as_store
from storage.tables import consent_attempts, grants, seller_members, stores

#: a consent that was begun and not finished counts as stuck this long; after that the seller has moved on
_STUCK_FOR = timedelta(days=14)
_UNFINISHED = (GrantState.NOT_GRANTED.value, GrantState.AUTHORIZING.value)
_LOST = (GrantState.EXPIRED.value, GrantState.REVOKED.value, GrantState.PERMISSION_PROBLEM.value)


class SqlOverview:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def stores(
        self, team_id: str, queue: Queue, *, now: datetime, offset: int, limit: int
    ) -> tuple[Sequence[StoreLine], int]:
        wanted = and_(stores.c.team_id == team_id, _in_queue(queue, now))
        total = await self._connection.scalar(select(func.count()).select_from(stores).where(wanted))
        page = select(stores).where(wanted).order_by(*_urgency(queue), stores.c.created_at, stores.c.id)
        rows = (await self._connection.execute(page.offset(offset).limit(limit))).all()
        found = [as_store(row) for row in rows]
        written = await self._grants([store.id for store in found])
        members = await self._members(team_id, {store.seller_id for store in found})
        return [
            StoreLine(
                store,
                {
                    key: written.get((store.id, key)) or first_grant(store.id, key, at=store.created_at)
                    for key in FEATURES
                },
                members[store.seller_id],
            )
            for store in found
        ], int(total or 0)

    async def _grants(self, store_ids: Sequence[str]) -> dict[tuple[str, FeatureKey], Grant]:
        rows = await self._connection.execute(select(grants).where(grants.c.store_id.in_(store_ids)))
        return {(grant.store_id, grant.feature): grant for grant in map(as_grant, rows)}

    async def _members(self, team_id: str, seller_ids: set[str]) -> dict[str, tuple[str, ...]]:
        mine = seller_members.c
        query = (
            select(mine.seller_id, mine.user_id)
            .where(mine.team_id == team_id, mine.seller_id.in_(seller_ids))
            .order_by(mine.position)
        )
        found: dict[str, list[str]] = defaultdict(list)
        for row in await self._connection.execute(query):
            found[row.seller_id].append(row.user_id)
        return {seller_id: tuple(found[seller_id]) for seller_id in seller_ids}


def _in_queue(queue: Queue, now: datetime) -> ColumnElement[bool]:
    match queue:
        case Queue.EXPIRING:
            return and_(
                stores.c.disabled_at.is_(None),
                exists().where(
                    grants.c.store_id == stores.c.id,
                    grants.c.state == GrantState.GRANTED.value,
                    grants.c.ends_at <= now + EXPIRING_WITHIN,
                ),
            )
        case Queue.STUCK:
            return and_(stores.c.disabled_at.is_(None), _stuck(now))
        case _:
            return stores.c.id.is_not(None)


def _stuck(now: datetime) -> ColumnElement[bool]:
    """Lost, or begun lately and not finished: the seller pressed the button, and the ten minutes are over."""
    lost = exists().where(grants.c.store_id == stores.c.id, grants.c.state.in_(_LOST))
    mine = consent_attempts.c
    begun = exists().where(
        mine.store_id == stores.c.id,
        mine.pressed_at <= now - STATE_LIFETIME,
        mine.pressed_at >= now - _STUCK_FOR,
        func.coalesce(mine.outcome, "") != Outcome.GRANTED.value,
        ~exists().where(
            grants.c.store_id == mine.store_id,
            grants.c.feature == mine.feature,
            grants.c.state.not_in(_UNFINISHED),
        ),
    )
    return lost | begun


def _urgency(queue: Queue) -> tuple[ColumnElement[datetime | None], ...]:
    if queue is not Queue.EXPIRING:
        return ()
    ends = (
        select(func.min(grants.c.ends_at))
        .where(grants.c.store_id == stores.c.id, grants.c.state == GrantState.GRANTED.value)
        .scalar_subquery()
    )
    return (ends,)
