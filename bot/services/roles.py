"""Who is an agent and who an admin: kept in one table that admins manage, seeded by configuration.

A workspace's own administrators can always manage roles, so that an empty table can be filled; that makes them no agents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.roles import Appointment, Role
from bot.errors import NotAnAdmin, NotAnAgent
from bot.ports import AuditEvent, Clock, Database, Person

#: who gave the roles that configuration names
CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True, repr=False)
class Roles:
    """Asked before anything that is not everybody's."""

    database: Database
    clock: Clock
    #: user ids of agents, until the table says otherwise
    seeds: frozenset[str] = frozenset()

    async def of(self, team_id: str, user_id: str) -> Role:
        async with self.database.read() as work:
            given = await work.roles.get(team_id, user_id)
        if given is not None:
            return given.role
        return Role.AGENT if user_id in self.seeds else Role.SELLER

    async def works_at_desk(self, person: Person) -> bool:
        return (await self.of(person.team_id, person.user_id)).works_at_desk

    async def require_agent(self, person: Person) -> None:
        """Raises NotAnAgent."""
        if not await self.works_at_desk(person):
            raise NotAnAgent

    async def manages(self, person: Person) -> bool:
        """True for admins, and for whoever administers the workspace itself."""
        return person.is_admin or (await self.of(person.team_id, person.user_id)).manages_roles

    async def everybody(self, team_id: str) -> Sequence[Appointment]:
        """All who are more than sellers, configuration's agents last."""
        async with self.database.read() as work:
            given = await work.roles.all(team_id)
        named = {one.user_id for one in given}
        seeded = [
            Appointment(team_id, user_id, Role.AGENT, CONFIGURATION, self.clock())
            for user_id in sorted(self.seeds - named)
        ]
        return [one for one in given if one.role is not Role.SELLER] + seeded

    async def agents(self, team_id: str) -> Sequence[str]:
        """Whom a ticket can be handed to."""
        return [one.user_id for one in await self.everybody(team_id)]

    async def give(self, admin: Person, user_id: str, role: Role) -> Appointment:
        """Raises NotAnAdmin. `Role.SELLER` takes a role away, also one that configuration gave."""
        if not await self.manages(admin):
            raise NotAnAdmin
        appointment = Appointment(admin.team_id, user_id, role, admin.user_id, self.clock())
        before = await self.of(admin.team_id, user_id)
        async with self.database.begin() as work:
            await work.roles.put(appointment)
            await work.audit.record(
                AuditEvent(
                    self.clock(),
                    admin.team_id,
                    admin.user_id,
                    "role.given",
                    user_id,
                    details={"role": role.value, "before": before.value},
                )
            )
        return appointment
