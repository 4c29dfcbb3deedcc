"""When Amazon is asked about an authorization, what came of it, and from when to when a grant did not work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.features import FeatureKey
from bot.domain.grants import Authorization, AuthorizationState
from bot.domain.health import Outage, Trouble
from bot.domain.verification import Reason
from bot.ports.year import Checkup
from storage import statements
from storage.authorizations import PLAIN, as_authorization
from storage.tables import authorizations
from storage.tables_year import outages

_mine = authorizations.c
_LIVE = _mine.state == AuthorizationState.LIVE.value


class SqlHealth:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self, *, now: datetime, until: datetime, limit: int) -> Sequence[Checkup]:
        """On PostgreSQL what another replica is just taking is left out."""
        rows = (
            await self._connection.execute(
                select(*PLAIN)
                .where(_LIVE, _mine.next_check_at <= now)
                .order_by(_mine.next_check_at, _mine.id)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
        ).all()
        if rows:
            await self._connection.execute(
                update(authorizations).where(_mine.id.in_([row.id for row in rows])).values(next_check_at=until)
            )
        return [_checkup(row) for row in rows]

    async def appoint(self, authorization: Authorization, *, next_at: datetime) -> None:
        await self._connection.execute(
            update(authorizations).where(_mine.id == authorization.id).values(next_check_at=next_at)
        )

    async def worked(self, authorization: Authorization, *, at: datetime, next_at: datetime) -> None:
        await self._connection.execute(
            update(authorizations)
            .where(_mine.id == authorization.id)
            .values(
                worked_at=at,
                next_check_at=next_at,
                failing_with=None,
                failed_days=0,
                failed_on=None,
                refused_once=None,
            )
        )

    async def failed(self, authorization: Authorization, trouble: Trouble, *, next_at: datetime) -> None:
        await self._connection.execute(
            update(authorizations)
            .where(_mine.id == authorization.id)
            .values(
                next_check_at=next_at,
                failing_with=trouble.reason.value,
                failed_days=trouble.days,
                failed_on=trouble.last_on,
                refused_once=",".join(sorted(trouble.stores)) or None,
            )
        )

    async def ask_soon(self, authorization_id: str, *, at: datetime) -> None:
        await self._connection.execute(
            update(authorizations)
            .where(_mine.id == authorization_id, _LIVE, _mine.next_check_at > at)
            .values(next_check_at=at)
        )

    async def worked_until(self, authorization: Authorization) -> datetime:
        found: datetime | None = await self._connection.scalar(
            select(_mine.worked_at).where(_mine.id == authorization.id)
        )
        newest = max(found or authorization.consented_at, authorization.consented_at)
        return min(newest, authorization.ends_at)

    async def broke(self, outage: Outage) -> bool:
        opened = await self._connection.execute(
            statements.insert(self._connection, outages)
            .values(
                store_id=outage.store_id,
                feature=outage.feature.value,
                noticed_at=outage.noticed_at,
                reason=outage.reason.value,
                worked_until=outage.worked_until,
            )
            .on_conflict_do_nothing()
        )
        return opened.rowcount == 1

    async def mended(self, store_id: str, feature: FeatureKey, *, at: datetime) -> Outage | None:
        its = outages.c
        closed = await self._connection.execute(
            update(outages)
            .where(its.store_id == store_id, its.feature == feature.value, its.mended_at.is_(None))
            .values(mended_at=at)
            .returning(outages)
        )
        row = closed.one_or_none()
        return None if row is None else _outage(row)

    async def next_due(self) -> datetime | None:
        found: datetime | None = await self._connection.scalar(select(func.min(_mine.next_check_at)).where(_LIVE))
        return found

    async def sellers_of(self, application_id: str) -> int:
        return (
            await self._connection.scalar(
                select(func.count(_mine.selling_partner_id.distinct())).where(
                    _mine.application_id == application_id, _LIVE
                )
            )
            or 0
        )


def _checkup(row: Row[Any]) -> Checkup:
    return Checkup(authorization=as_authorization(row), worked_at=row.worked_at, trouble=_trouble(row))


def _trouble(row: Row[Any]) -> Trouble | None:
    if row.failing_with is None or row.failed_on is None:
        return None
    stores = frozenset(row.refused_once.split(",")) if row.refused_once else frozenset()
    return Trouble(Reason(row.failing_with), row.failed_days, row.failed_on, stores)


def _outage(row: Row[Any]) -> Outage:
    return Outage(
        store_id=row.store_id,
        feature=FeatureKey(row.feature),
        reason=Reason(row.reason),
        worked_until=row.worked_until,
        noticed_at=row.noticed_at,
        mended_at=row.mended_at,
    )
