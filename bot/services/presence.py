"""Where the bot speaks: the channels that agents have opened to it, and never the same twice in a thread."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from bot.domain.questions import GivenAnswer
from bot.errors import NotAChannel, NotAnAgent
from bot.ports import AuditEvent, Clock, Database, Person


class Presence:
    """The bot's manners in channels."""

    def __init__(self, database: Database, *, agents: Collection[str], clock: Clock) -> None:
        self._database = database
        self._agents = frozenset(agents)
        self._clock = clock

    async def listens_in(self, team_id: str, channel_id: str) -> bool:
        """True in a channel that was opened, and nowhere else."""
        async with self._database.read() as work:
            return await work.channels.is_open(team_id, channel_id)

    async def switch(self, agent: Person, channel_id: str, *, on: bool) -> bool:
        """Opens or closes a channel; False when it was so already. Raises NotAnAgent, NotAChannel."""
        if agent.user_id not in self._agents:
            raise NotAnAgent
        if not channel_id.startswith(("C", "G")):
            raise NotAChannel
        async with self._database.begin() as work:
            if on:
                changed = await work.channels.open(agent.team_id, channel_id, by=agent.user_id, now=self._clock())
            else:
                changed = await work.channels.close(agent.team_id, channel_id)
            if changed:
                action = "channel.opened" if on else "channel.closed"
                await work.audit.record(AuditEvent(self._clock(), agent.team_id, agent.user_id, action, channel_id))
        return changed

    async def says(self, answered: GivenAnswer, *, gist: str, general: bool = False) -> bool:
        """Claims an answer in a thread: False when its reader has it there already, and nothing has changed since.

        A `general` one looks at nobody's stores: the reader has it as well when it was shared with the thread.
        """
        async with self._database.begin() as work:
            if general and answered.reader and await work.answered.was_given(replace(answered, reader="")):
                return False
            return await work.answered.first_time(answered, gist=gist, now=self._clock())

    async def takes_back(self, answered: GivenAnswer) -> None:
        """It could not be said: another attempt may."""
        async with self._database.begin() as work:
            await work.answered.take_back(answered)
