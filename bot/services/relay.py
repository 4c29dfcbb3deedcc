"""Does what waits in the outbox: sends messages and runs tasks, with leases, retries and pauses. Knows no Slack.

Delivery is at least once: whoever is interrupted between doing an errand and saying so will see it again.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import structlog

from bot.errors import TryAgainLater
from bot.ports import Clock, Errand, ErrandQueue

log = structlog.get_logger()

Deliver = Callable[[Errand], Awaitable[None]]
#: a task is given its workspace and its arguments; whatever it raises is retried, except Undeliverable
Task = Callable[[str, Mapping[str, Any]], Awaitable[None]]


class DeliveryFailed(Exception):
    """It did not work this time; the same errand may work later. `why` is a machine word."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class Undeliverable(DeliveryFailed):
    """It will never work: trying again would only repeat the refusal."""


class RateLimited(DeliveryFailed):
    """The workspace was told to be quiet for `retry_after`."""

    def __init__(self, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        super().__init__("rate_limited")


class Ending(StrEnum):
    """What came of one try; the values are labels of a metric."""

    DONE = "done"
    AGAIN = "again"
    PAUSED = "paused"
    STALE = "stale"
    GIVEN_UP = "given_up"
    #: could not be written down: the errand stays leased and will be seen again
    LOST_HOLD = "lost_hold"


#: told of every try: the errand's kind, its ending, its age
Observer = Callable[[str, Ending, timedelta], None]


def _nobody(kind: str, ending: Ending, age: timedelta) -> None:
    """The observer when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long things are tried, and how gently."""

    first_delay: timedelta = timedelta(seconds=1)
    longest_delay: timedelta = timedelta(minutes=10)
    #: an outage of Slack or Amazon is waited out this long
    give_up_after: timedelta = timedelta(hours=24)
    #: an errand that nobody can explain is tried this often
    most_crashes: int = 20
    #: an errand belongs to whoever claimed it for this long; it must be done within three quarters of it
    lease: timedelta = timedelta(minutes=2)
    batch: int = 100
    #: errands in hand at once; others of the batch wait their turn
    workers: int = 32
    #: how often to look even if nobody called: other replicas write too
    poll: timedelta = timedelta(seconds=2)
    #: how long stop() waits for what runs
    grace: timedelta = timedelta(seconds=20)


_SOONEST = 0.25  # seconds: due errands may be unclaimable because their lane is busy; asking again at once would spin


class Relay:
    """One per process. `deliver` sends a notice; `tasks` are run by name."""

    def __init__(
        self,
        errands: ErrandQueue,
        deliver: Deliver,
        tasks: Mapping[str, Task] = MappingProxyType({}),
        *,
        clock: Clock,
        patience: Patience = Patience(),
        stale_after: Mapping[str, timedelta] = MappingProxyType({}),
        stale: Callable[[Errand], Awaitable[None]] | None = None,
        one_by_one: Collection[str] = (),
        chance: Callable[[], float] = random.random,
        observe: Observer = _nobody,
    ) -> None:
        self._errands = errands
        self._deliver = deliver
        self._tasks = dict(tasks)
        self._clock = clock
        self._patience = patience
        self._stale_after = dict(stale_after)
        #: told of every message that is too old to be sent, before it is thrown away
        self._stale = stale
        #: kinds of which each workspace has one in flight: a crash can double no more than that one
        self._one_by_one = frozenset(one_by_one)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._chance = chance
        self._observe = observe
        self._wake = asyncio.Event()
        self._hands = asyncio.Semaphore(patience.workers)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        self._last_look: datetime | None = None

    # --- what others call

    def wake(self) -> None:
        """Something was put into the outbox."""
        self._wake.set()

    def is_alive(self, *, within: timedelta = timedelta(seconds=30)) -> bool:
        """True while the loop keeps looking at its queue."""
        return self._last_look is not None and self._clock() - self._last_look <= within

    async def run(self) -> None:
        """Works until `stop()`. A database that cannot be reached is waited for, never died of."""
        failures = 0
        while not self._stopping:
            self._wake.clear()
            try:
                started = await self._take()
                pause = 0.0 if started else await self._until_next_look()
                self._last_look = self._clock()
                failures = 0
            except Exception as error:  # noqa: BLE001  # the relay outlives whatever its database does
                failures += 1
                pause = min(30.0, 0.5 * 2.0 ** min(failures, 6))
                log.warning("relay.queue_unreachable", error=type(error).__name__, failures=failures)
            if pause:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), timeout=pause)

    async def stop(self) -> None:
        """Takes nothing new and finishes what runs; what does not finish in time is left to its lease."""
        self._stopping = True
        self._wake.set()
        running = list(self._running.values())
        if running:
            _, late = await asyncio.wait(running, timeout=self._patience.grace.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def drain(self) -> int:
        """Works until nothing is due now; how many errands were tried."""
        tried = 0
        while True:
            started = await self._take()
            tried += started
            if self._running:
                await asyncio.wait(list(self._running.values()), return_when=asyncio.FIRST_COMPLETED)
            elif not started:
                return tried

    # --- the loop's parts

    async def _take(self) -> int:
        """Claims as much as there is room for and starts it; how many were started."""
        room = self._room()
        if self._stopping or not room:
            return 0
        claimed = await self._errands.claim(now=self._clock(), lease=self._patience.lease, limit=room)
        deadline = asyncio.get_running_loop().time() + self._patience.lease.total_seconds() * 0.75
        fresh = [errand for errand in claimed if errand.id not in self._running]
        for errand in fresh:
            task = asyncio.create_task(self._carry(errand, deadline), name=f"errand {errand.id}")
            self._running[errand.id] = task
            task.add_done_callback(lambda _, errand_id=errand.id: self._finished(errand_id))  # type: ignore[misc]
        return len(fresh)

    def _finished(self, errand_id: str) -> None:
        del self._running[errand_id]
        if self._room():
            self._wake.set()

    def _room(self) -> int:
        """How many more to claim: half a batch or more, since claiming one at a time is what makes a queue slow."""
        room = self._patience.batch - len(self._running)
        return room if room > self._patience.batch // 2 else 0

    async def _until_next_look(self) -> float:
        poll = self._patience.poll.total_seconds()
        if not self._room():
            return poll
        due = await self._errands.next_due()
        return poll if due is None else min(poll, max(_SOONEST, (due - self._clock()).total_seconds()))

    async def _carry(self, errand: Errand, deadline: float) -> None:
        """One errand from claim to its ending. Never raises, but when cancelled."""
        async with self._turn_of(errand), self._hands:
            if asyncio.get_running_loop().time() >= deadline:
                return  # its lease is nearly over; it will be claimed afresh
            why: Exception | None = None
            stale = self._is_stale(errand)
            try:
                async with asyncio.timeout_at(deadline):
                    await (self._throw_away(errand) if stale else self._do(errand))
            except Exception as error:  # noqa: BLE001  # whatever it was, the errand must not be lost
                why = error
            age = self._clock() - errand.created_at
            try:
                ending = Ending.STALE if stale and why is None else await self._settle(errand, why)
                if ending in (Ending.DONE, Ending.STALE):
                    await self._errands.done(errand)
            except Exception as error:  # noqa: BLE001  # the lease gives it back
                log.warning("relay.not_recorded", errand=errand.id, kind=errand.kind, error=type(error).__name__)
                ending = Ending.LOST_HOLD
            self._observe(errand.kind, ending, age)

    def _turn_of(self, errand: Errand) -> AbstractAsyncContextManager[None]:
        return self._turns[errand.team_id] if errand.kind in self._one_by_one else nullcontext()

    async def _do(self, errand: Errand) -> None:
        if not errand.is_task:
            await self._deliver(errand)
        elif task := self._tasks.get(errand.kind):
            await task(errand.team_id, errand.body)
        else:
            raise Undeliverable("unknown_task")

    async def _throw_away(self, errand: Errand) -> None:
        """What is so by now is told instead, if anybody minds."""
        if self._stale is not None:
            await self._stale(errand)

    def _is_stale(self, errand: Errand) -> bool:
        limit = self._stale_after.get(errand.kind)
        return limit is not None and self._clock() - errand.created_at > limit

    async def _settle(self, errand: Errand, why: Exception | None) -> Ending:
        """What happens next to an errand that was tried."""
        now = self._clock()
        match why:
            case None:
                return Ending.DONE
            case Undeliverable():
                return await self._set_aside(errand, why.why, now)
            case RateLimited():
                until = now + why.retry_after
                await self._errands.pause(errand.team_id, until=until)
                await self._errands.again(errand, at=until)
                log.info("relay.paused", team=errand.team_id, seconds=why.retry_after.total_seconds())
                return Ending.PAUSED
            case DeliveryFailed() | TryAgainLater() | TimeoutError():
                word = why.why if isinstance(why, DeliveryFailed) else type(why).__name__
                if now - errand.created_at >= self._patience.give_up_after:
                    return await self._set_aside(errand, word, now)
                log.info("relay.retry", errand=errand.id, kind=errand.kind, tries=errand.tries, why=word)
            case _:
                incident = secrets.token_hex(4)
                log.error("relay.crashed", errand=errand.id, kind=errand.kind, incident=incident, exc_info=why)
                if errand.tries >= self._patience.most_crashes:
                    return await self._set_aside(errand, f"{type(why).__name__} {incident}", now)
        await self._errands.again(errand, at=now + self._delay(errand.tries))
        return Ending.AGAIN

    async def _set_aside(self, errand: Errand, why: str, now: datetime) -> Ending:
        log.warning("relay.gave_up", errand=errand.id, kind=errand.kind, team=errand.team_id, why=why)
        await self._errands.give_up(errand, at=now, why=why)
        return Ending.GIVEN_UP

    def _delay(self, tries: int) -> timedelta:
        """Doubling from the first delay up to the longest; between half and the whole of it, so that crowds spread out."""
        doubled = self._patience.first_delay * 2.0 ** min(max(tries - 1, 0), 20)
        return min(doubled, self._patience.longest_delay) * (0.5 + self._chance() / 2)
