"""The desk's smaller ports: roles, articles that were shown, and what is done once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, and_, delete, exists, func, insert, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.roles import Appointment, Role
from storage import statements
from storage.desk_tables import answers, marks, roles, ticket_sources
from storage.tables import people

#: whoever turns to the desk within this time was not helped by the article
_HELPED_WITHIN_MS = timedelta(days=1) // timedelta(milliseconds=1)


class SqlRoles:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, team_id: str, user_id: str) -> Appointment | None:
        row = (
            await self._connection.execute(select(roles).where(roles.c.team_id == team_id, roles.c.user_id == user_id))
        ).one_or_none()
        return None if row is None else Appointment(team_id, user_id, Role(row.role), row.given_by, row.given_at)

    async def all(self, team_id: str) -> Sequence[Appointment]:
        rows = await self._connection.execute(
            select(roles).where(roles.c.team_id == team_id).order_by(roles.c.given_at, roles.c.user_id)
        )
        return [Appointment(team_id, row.user_id, Role(row.role), row.given_by, row.given_at) for row in rows]

    async def admins(self, team_id: str) -> Sequence[str]:
        given = select(roles.c.user_id).where(roles.c.team_id == team_id, roles.c.role == Role.ADMIN.value)
        known = select(people.c.user_id).where(people.c.team_id == team_id, people.c.is_admin.is_(True))
        return sorted(await self._connection.scalars(given.union(known)))

    async def put(self, appointment: Appointment) -> None:
        given = {
            "role": appointment.role.value,
            "given_by": appointment.given_by,
            "given_at": appointment.given_at,
        }
        await self._connection.execute(
            statements.insert(self._connection, roles)
            .values(team_id=appointment.team_id, user_id=appointment.user_id, **given)
            .on_conflict_do_update(index_elements=["team_id", "user_id"], set_=given)
        )


class SqlAnswers:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def shown(self, team_id: str, user_id: str, slug: str, *, locale: str, at: datetime) -> None:
        await self._connection.execute(
            insert(answers).values(team_id=team_id, user_id=user_id, slug=slug, locale=locale, at=at)
        )

    async def of_person(self, team_id: str, user_id: str, *, since: datetime) -> Sequence[str]:
        mine = answers.c
        found = await self._connection.scalars(
            select(mine.slug)
            .where(mine.team_id == team_id, mine.user_id == user_id, mine.at >= since)
            .group_by(mine.slug)
            .order_by(func.max(mine.position).desc())
        )
        return found.all()

    async def count(self, team_id: str, since: datetime, until: datetime) -> tuple[int, int]:
        mine, asked = answers.c, ticket_sources.c
        window = and_(mine.team_id == team_id, mine.at >= since, mine.at < until)
        turned = exists().where(
            asked.team_id == mine.team_id,
            asked.user_id == mine.user_id,
            asked.gone_at.is_(None),
            asked.at >= mine.at,
            type_coerce(asked.at, BigInteger) - type_coerce(mine.at, BigInteger) < _HELPED_WITHIN_MS,
        )
        shown = await self._connection.scalar(select(func.count()).select_from(answers).where(window))
        alone = await self._connection.scalar(select(func.count()).select_from(answers).where(window, ~turned))
        return int(shown or 0), int(alone or 0)

    async def prune(self, *, before: datetime) -> int:
        pruned = await self._connection.execute(delete(answers).where(answers.c.at < before))
        return pruned.rowcount


class SqlMarks:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def first(self, team_id: str, key: str, *, at: datetime) -> bool:
        made = await self._connection.execute(
            statements.insert(self._connection, marks)
            .values(team_id=team_id, key=key, at=at)
            .on_conflict_do_nothing(index_elements=["team_id", "key"])
        )
        return made.rowcount == 1
