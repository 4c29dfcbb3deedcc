"""What agents and the clock do with incidents: they end, told once more."""

from __future__ import annotations

import structlog

from bot.domain.features import FeatureKey
from bot.domain.incidents import LONGEST_WATCH, Incident, Watch, can_be_probed
from bot.domain.verification import Verified
from bot.errors import ConcurrentChange, GrantdeskError, IncidentOver, UnknownTicket
from bot.ports import Clock, Database, People, Person
from bot.services.checking import Checking
from bot.services.contention import in_turn
from bot.services.roles import Roles
from bot.services.watching import Watching

log = structlog.get_logger(__name__)

#: how long single failures are kept
_KEPT = LONGEST_WATCH * 24 * 7
#: stores asked about before an incident counts as still there
_PROBED = 3


class Incidents:
    """What agents and the clock do with incidents."""

    def __init__(
        self,
        database: Database,
        *,
        watching: Watching,
        roles: Roles,
        checking: Checking,
        people: People,
        clock: Clock,
        watch: Watch | None = None,
    ) -> None:
        self._database = database
        self._watching = watching
        self._roles = roles
        self._checking = checking
        self._people = people
        self._clock = clock
        self._watch = watch or Watch()

    async def end(self, agent: Person, incident_id: str) -> Incident:
        """An agent says that it is over. Raises NotAnAgent, UnknownTicket or IncidentOver."""
        await self._roles.require_agent(agent)
        return await in_turn(lambda: self._end(agent, incident_id))

    async def _end(self, agent: Person, incident_id: str) -> Incident:
        async with self._database.begin() as work:
            incident = await work.incidents.get(agent.team_id, incident_id)
            if incident is None:
                raise UnknownTicket(given="?")
            await self._watching.end(work, incident, by=agent.user_id)
        return incident

    async def look(self) -> int:
        """Ends incidents that are seen to be over: by asking Amazon about a store that met it, or by a consent that came
        through since. What only people can see stays open until an agent ends it. How many were ended.
        """
        now = self._clock()
        async with self._database.read() as work:
            quiet = [
                incident
                for incident in await work.incidents.all_open()
                if incident.last_seen_at <= now - self._watch.quiet
            ]
        ended = 0
        for incident in quiet:
            if await self._is_over(incident):
                try:
                    async with self._database.begin() as work:
                        await self._watching.end(work, incident, by=None)
                except (IncidentOver, ConcurrentChange):
                    continue
                ended += 1
        async with self._database.begin() as work:
            await work.incidents.prune(before=now - _KEPT)
        return ended

    async def _is_over(self, incident: Incident) -> bool:
        async with self._database.read() as work:
            if await work.incidents.granted_since(incident):
                return True
            if not can_be_probed(incident.cause):
                return False
            victims = await work.incidents.victims(
                incident.team_id,
                incident.cause,
                incident.feature,
                since=incident.opened_at - LONGEST_WATCH,
            )
        for user_id, store_id in victims[:_PROBED]:
            person = await self._people.get(incident.team_id, user_id)
            for feature in [incident.feature] if incident.feature else list(FeatureKey):
                try:
                    verdict = await self._checking.check(person, feature, store_id)
                except GrantdeskError as problem:
                    log.info("probe failed", action="incident_probe_failed", problem=type(problem).__name__)
                    continue
                if isinstance(verdict, Verified):
                    return True
        async with self._database.begin() as work:
            await work.incidents.seen(incident, self._clock())
        return False
