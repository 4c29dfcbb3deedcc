"""Mirroring's part of the composition root: `bot.app` calls it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import aiohttp

from bot.adapters.mirror import Seal, SisterSystem
from bot.domain.mirror import MIRROR_TASK
from bot.ports import Clock, Errand
from bot.services.mirroring import Mirroring
from bot.services.relay import Observer, Patience, Relay, Undeliverable
from bot.settings import Settings
from handlers.stories import MirrorStories
from storage.database import SqlDatabase

#: it may be away over a long weekend; what it missed comes in the order it happened
PATIENCE = Patience(give_up_after=timedelta(days=7), batch=20, workers=4, poll=timedelta(seconds=5))


class Mirror:
    """Both directions, wired; or neither, where no mirror is configured.

    Its relay is its own: the sister system may be slow or away, and no message to a person waits for it.
    """

    def __init__(
        self,
        settings: Settings,
        database: SqlDatabase,
        session: aiohttp.ClientSession,
        *,
        clock: Clock,
        observe: Observer,
    ) -> None:
        self.stories: MirrorStories | None = None
        self.relay: Relay | None = None
        self._running: asyncio.Task[None] | None = None
        if settings.mirror_url:
            seal = Seal(settings.mirror_secrets, clock=clock)
            sister = SisterSystem(session, settings.mirror_url, seal)
            self.stories = MirrorStories(Mirroring(database, clock=clock), seal.verified)
            self.relay = Relay(
                database.mirror_errands,
                _no_notices,
                {MIRROR_TASK: sister.send},
                clock=clock,
                patience=PATIENCE,
                observe=observe,
            )

    def wake(self) -> None:
        """Something was put into the outbox."""
        if self.relay is not None:
            self.relay.wake()

    def start(self) -> None:
        if self.relay is not None:
            self._running = asyncio.create_task(self.relay.run(), name="mirror relay")

    async def stop(self) -> None:
        """Takes nothing new and finishes what runs."""
        if self.relay is not None:
            await self.relay.stop()
        if self._running is not None:
            await self._running


async def _no_notices(errand: Errand) -> None:
    raise Undeliverable(f"{errand.kind} is nothing for the sister system")
