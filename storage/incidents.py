"""Failures as they are met, and the incidents that many of them make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, distinct, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.consent import Outcome
from bot.domain.features import FeatureKey
from bot.domain.incidents import Failure, Incident
from storage import statements
from storage.desk_tables import failures, incident_people, incidents
from storage.tables import consent_attempts, stores

_F, _I = failures.c, incidents.c
_open = _I.closed_at.is_(None)


class SqlIncidents:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    # --- failures ----------------------------------------------------------------------------------------------------

    async def note(self, failure: Failure) -> None:
        await self._connection.execute(
            insert(failures).values(
                team_id=failure.team_id,
                store_id=failure.store_id,
                user_id=failure.user_id,
                cause=failure.cause,
                feature=_written(failure.feature),
                at=failure.at,
            )
        )

    async def stores(self, team_id: str, cause: str, feature: FeatureKey | None, *, since: datetime) -> int:
        found = await self._connection.scalar(
            select(func.count(distinct(_F.store_id))).where(_same(team_id, cause, feature), _F.at >= since)
        )
        return int(found or 0)

    async def sellers(self, team_id: str, cause: str, feature: FeatureKey | None, *, since: datetime) -> int:
        met = select(_F.store_id).where(_same(team_id, cause, feature), _F.at >= since)
        found = await self._connection.scalar(
            select(func.count(distinct(stores.c.seller_id))).where(stores.c.team_id == team_id, stores.c.id.in_(met))
        )
        return int(found or 0)

    async def victims(
        self, team_id: str, cause: str, feature: FeatureKey | None, *, since: datetime
    ) -> Sequence[tuple[str, str]]:
        newest = func.max(_F.position)
        rows = await self._connection.execute(
            select(_F.user_id, _F.store_id)
            .where(_same(team_id, cause, feature), _F.at >= since)
            .group_by(_F.user_id, _F.store_id)
            .order_by(newest.desc())
        )
        return [(row.user_id, row.store_id) for row in rows]

    async def prune(self, *, before: datetime) -> int:
        pruned = await self._connection.execute(delete(failures).where(_F.at < before))
        return pruned.rowcount

    # --- incidents ---------------------------------------------------------------------------------------------------

    async def add(self, incident: Incident) -> Incident | None:
        try:
            async with self._connection.begin_nested():
                number = await self._connection.scalar(
                    insert(incidents)
                    .values(
                        id=incident.id,
                        team_id=incident.team_id,
                        cause=incident.cause,
                        feature=_written(incident.feature),
                        opened_at=incident.opened_at,
                        last_seen_at=incident.last_seen_at,
                    )
                    .returning(_I.number)
                )
        except IntegrityError:
            return None
        return replace(incident, number=int(number or 0))

    async def get(self, team_id: str, incident_id: str) -> Incident | None:
        return await self._one(_I.team_id == team_id, _I.id == incident_id)

    async def open_for(self, team_id: str, cause: str, feature: FeatureKey | None) -> Incident | None:
        return await self._one(_I.team_id == team_id, _I.cause == cause, _I.feature == _written(feature), _open)

    async def of_store(self, team_id: str, store_id: str) -> Incident | None:
        return await self._one(
            _I.team_id == team_id,
            _open,
            exists().where(
                _F.team_id == _I.team_id,
                _F.cause == _I.cause,
                _F.feature == _I.feature,
                _F.store_id == store_id,
                _F.at <= _I.last_seen_at,
            ),
        )

    async def seen(self, incident: Incident, at: datetime) -> None:
        await self._connection.execute(
            update(incidents).where(_I.id == incident.id, _I.last_seen_at < at).values(last_seen_at=at)
        )

    async def close(self, incident: Incident) -> bool:
        closed = await self._connection.execute(
            update(incidents)
            .where(_I.id == incident.id, _I.team_id == incident.team_id, _open)
            .values(closed_at=incident.closed_at, closed_by=incident.closed_by)
        )
        return closed.rowcount == 1

    async def tell(self, incident: Incident, user_id: str, *, at: datetime) -> bool:
        told = await self._connection.execute(
            statements.insert(self._connection, incident_people)
            .values(incident_id=incident.id, user_id=user_id, told_at=at)
            .on_conflict_do_nothing(index_elements=["incident_id", "user_id"])
        )
        return told.rowcount == 1

    async def told(self, incident: Incident) -> Sequence[str]:
        mine = incident_people.c
        return (
            await self._connection.scalars(
                select(mine.user_id).where(mine.incident_id == incident.id).order_by(mine.told_at, mine.user_id)
            )
        ).all()

    async def all_open(self, team_id: str | None = None) -> Sequence[Incident]:
        wanted = _open if team_id is None else and_(_open, _I.team_id == team_id)
        rows = await self._connection.execute(select(incidents).where(wanted).order_by(_I.number))
        return [_incident(row) for row in rows]

    async def granted_since(self, incident: Incident) -> bool:
        mine = consent_attempts.c
        wanted = and_(
            mine.team_id == incident.team_id,
            mine.outcome == Outcome.GRANTED.value,
            mine.ended_at > incident.last_seen_at,
        )
        if incident.feature is not None:
            wanted = and_(wanted, mine.feature == incident.feature.value)
        return bool(await self._connection.scalar(select(exists().where(wanted))))

    async def _one(self, *which: ColumnElement[bool]) -> Incident | None:
        row = (await self._connection.execute(select(incidents).where(*which).order_by(_I.number).limit(1))).first()
        return None if row is None else _incident(row)


def _written(feature: FeatureKey | None) -> str:
    return feature.value if feature else ""


def _same(team_id: str, cause: str, feature: FeatureKey | None) -> ColumnElement[bool]:
    return and_(_F.team_id == team_id, _F.cause == cause, _F.feature == _written(feature))


def _incident(row: Row[Any]) -> Incident:
    return Incident(
        id=row.id,
        team_id=row.team_id,
        cause=row.cause,
        feature=FeatureKey(row.feature) if row.feature else None,
        opened_at=row.opened_at,
        last_seen_at=row.last_seen_at,
        number=row.number,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
    )
