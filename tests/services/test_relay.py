"""The relay: what waits is done once in order, retried gently, paused when told, and never lost."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.errors import SlackUnavailable
from bot.ports import Errand
from bot.services.relay import DeliveryFailed, Ending, Patience, RateLimited, Relay, Undeliverable
from tests.adapters.loopback import until

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Queue:
    """The outbox in memory, with the promises of its port."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.waiting: list[tuple[str, Errand]] = []
        self.due: dict[str, datetime] = {}
        self.leased: dict[str, datetime] = {}
        self.tries: dict[str, int] = {}
        self.pauses: dict[str, datetime] = {}
        self.finished: list[str] = []
        self.dead: dict[str, str] = {}
        self.limits: list[int] = []
        self.broken = 0

    def put(
        self,
        errand_id: str,
        *,
        lane: str = "",
        team: str = "T1",
        kind: str = "store_added",
        is_task: bool = False,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        recipient = "" if is_task else lane or errand_id
        errand = Errand(errand_id, team, recipient, kind, is_task, body or {}, self.clock(), 0)
        self.waiting.append((lane or errand_id, errand))
        self.due[errand_id] = self.clock()

    async def claim(self, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Errand]:
        if self.broken:
            self.broken -= 1
            raise ConnectionError("database is away")
        self.limits.append(limit)
        claimed: list[Errand] = []
        lanes: set[str] = set()
        for lane, errand in self.waiting:
            first, lanes = lane not in lanes, lanes | {lane}
            paused = not errand.is_task and self.pauses.get(errand.team_id, now) > now
            leased = self.leased.get(errand.id, now) > now
            if first and not paused and not leased and self.due[errand.id] <= now and len(claimed) < limit:
                self.leased[errand.id] = now + lease
                self.tries[errand.id] = self.tries.get(errand.id, 0) + 1
                claimed.append(
                    Errand(
                        errand.id, errand.team_id, errand.recipient, errand.kind, errand.is_task, errand.body,
                        errand.created_at, self.tries[errand.id],
                    )
                )  # fmt: skip
        return claimed

    def _drop(self, errand: Errand) -> None:
        self.waiting = [(lane, other) for lane, other in self.waiting if other.id != errand.id]

    async def done(self, errand: Errand) -> None:
        self._drop(errand)
        self.finished.append(errand.id)

    async def again(self, errand: Errand, *, at: datetime) -> None:
        self.due[errand.id] = at
        self.leased.pop(errand.id, None)

    async def give_up(self, errand: Errand, *, at: datetime, why: str) -> None:  # noqa: ARG002
        self._drop(errand)
        self.dead[errand.id] = why

    async def pause(self, team_id: str, *, until: datetime) -> None:
        self.pauses[team_id] = until

    async def next_due(self) -> datetime | None:
        return min((self.due[errand.id] for _, errand in self.waiting), default=None)


class Courier:
    """Delivers; raises what it was told to raise first."""

    def __init__(self) -> None:
        self.delivered: list[str] = []
        self.failures: dict[str, list[Exception]] = {}
        self.running: set[str] = set()
        self.most_at_once = 0
        self.clashes: list[str] = []
        self.seconds = 0.0

    async def __call__(self, errand: Errand) -> None:
        if errand.recipient in self.running:
            self.clashes.append(errand.id)
        self.running.add(errand.recipient)
        self.most_at_once = max(self.most_at_once, len(self.running))
        try:
            await asyncio.sleep(self.seconds)
            if self.failures.get(errand.id):
                raise self.failures[errand.id].pop(0)
            self.delivered.append(errand.id)
        finally:
            self.running.discard(errand.recipient)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> Queue:
    return Queue(clock)


@pytest.fixture
def courier() -> Courier:
    return Courier()


@pytest.fixture
def relay(queue: Queue, courier: Courier, clock: Clock) -> Relay:
    return Relay(queue, courier, clock=clock, chance=lambda: 1.0)


async def test_everything_due_is_delivered_and_done(queue: Queue, courier: Courier, relay: Relay) -> None:
    for number in range(250):
        queue.put(f"e{number}")
    assert await relay.drain() == 250
    assert sorted(courier.delivered) == sorted(f"e{number}" for number in range(250))
    assert not queue.waiting


async def test_a_claim_never_asks_for_more_than_a_hundred(queue: Queue, relay: Relay) -> None:
    for number in range(250):
        queue.put(f"e{number}")
    await relay.drain()
    assert max(queue.limits) == 100


async def test_a_lane_keeps_its_order_and_never_runs_twice_at_once(
    queue: Queue, courier: Courier, relay: Relay
) -> None:
    courier.seconds = 0.001
    for number in range(30):
        queue.put(f"{number:02}", lane=f"U{number % 3}")
    await relay.drain()
    assert courier.clashes == []
    assert courier.most_at_once == 3
    for lane in range(3):
        mine = [errand for errand in courier.delivered if int(errand) % 3 == lane]
        assert mine == sorted(mine)


async def test_no_more_hands_than_there_are(queue: Queue, courier: Courier, clock: Clock) -> None:
    courier.seconds = 0.001
    for number in range(40):
        queue.put(f"e{number}")
    await Relay(queue, courier, clock=clock, patience=Patience(workers=4)).drain()
    assert courier.most_at_once == 4


async def test_a_failure_is_tried_again_later_and_later(
    queue: Queue, courier: Courier, relay: Relay, clock: Clock
) -> None:
    queue.put("e1")
    courier.failures["e1"] = [DeliveryFailed("status 500")] * 12
    waits = []
    while queue.waiting:
        await relay.drain()
        if queue.waiting:
            waits.append((queue.due["e1"] - clock.now).total_seconds())
            clock.now = queue.due["e1"]
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert waits[-1] == 600
    assert courier.delivered == ["e1"]


async def test_waits_differ_so_that_crowds_spread_out(queue: Queue, courier: Courier, clock: Clock) -> None:
    queue.put("e1")
    courier.failures["e1"] = [DeliveryFailed("status 500")]
    await Relay(queue, courier, clock=clock, chance=lambda: 0.0).drain()
    assert queue.due["e1"] - clock.now == timedelta(seconds=0.5)


async def test_an_outage_is_waited_out_for_a_day(queue: Queue, courier: Courier, relay: Relay, clock: Clock) -> None:
    queue.put("e1")
    courier.failures["e1"] = [DeliveryFailed("status 500")] * 1000
    while queue.waiting:
        await relay.drain()
        clock.now = max(clock.now, queue.due["e1"])
    assert queue.dead == {"e1": "status 500"}
    assert timedelta(hours=24) <= clock.now - NOON < timedelta(hours=24, minutes=11)


async def test_what_can_never_be_delivered_is_set_aside_at_once(queue: Queue, courier: Courier, relay: Relay) -> None:
    queue.put("e1", lane="U1")
    queue.put("e2", lane="U1")
    courier.failures["e1"] = [Undeliverable("account_inactive")]
    await relay.drain()
    assert queue.dead == {"e1": "account_inactive"}
    assert courier.delivered == ["e2"]  # its lane goes on


async def test_a_rate_limit_pauses_the_whole_workspace_and_no_other(
    queue: Queue, courier: Courier, clock: Clock
) -> None:
    relay = Relay(queue, courier, clock=clock, patience=Patience(workers=1))
    for errand in ("a1", "a2"):
        queue.put(errand, lane=errand, team="TA")
    queue.put("b1", team="TB")
    courier.failures["a1"] = [RateLimited(timedelta(seconds=30))]
    courier.failures["a2"] = [RateLimited(timedelta(seconds=30))]
    await relay.drain()
    assert courier.delivered == ["b1"]
    assert queue.pauses == {"TA": NOON + timedelta(seconds=30)}
    clock.now += timedelta(seconds=29)
    assert await relay.drain() == 0
    clock.now += timedelta(seconds=1)
    await relay.drain()
    assert sorted(courier.delivered) == ["a1", "a2", "b1"]


async def test_an_old_digest_is_dropped_and_never_sent(queue: Queue, courier: Courier, clock: Clock) -> None:
    relay = Relay(queue, courier, clock=clock, stale_after={"digest": timedelta(hours=6)})
    queue.put("old", kind="digest")
    queue.put("card", kind="consent_card")
    clock.now += timedelta(hours=7)
    queue.put("new", kind="digest")
    await relay.drain()
    assert sorted(courier.delivered) == ["card", "new"]
    assert "old" in queue.finished


async def test_whoever_minds_hears_of_a_digest_that_is_dropped(queue: Queue, courier: Courier, clock: Clock) -> None:
    minded: list[str] = []

    async def stale(errand: Errand) -> None:
        minded.append(errand.id)
        if len(minded) == 1:
            raise DeliveryFailed("the database is away")

    relay = Relay(queue, courier, clock=clock, stale_after={"digest": timedelta(hours=6)}, stale=stale)
    queue.put("old", kind="digest")
    clock.now += timedelta(hours=7)
    await relay.drain()
    assert queue.finished == [], "not thrown away before it was minded"
    clock.now += timedelta(minutes=1)
    await relay.drain()
    assert (minded, queue.finished, courier.delivered) == (["old", "old"], ["old"], [])


async def test_tasks_run_by_name_with_their_workspace_and_arguments(
    queue: Queue, courier: Courier, clock: Clock
) -> None:
    seen: list[tuple[str, Mapping[str, Any]]] = []

    async def check(team_id: str, arguments: Mapping[str, Any]) -> None:
        seen.append((team_id, arguments))

    queue.put("t1", kind="check", is_task=True, body={"store_id": "s1"})
    queue.put("t2", kind="gone", is_task=True)
    await Relay(queue, courier, {"check": check}, clock=clock).drain()
    assert seen == [("T1", {"store_id": "s1"})]
    assert queue.dead == {"t2": "unknown_task"}


async def test_a_crash_in_a_task_is_retried_and_then_set_aside_with_an_incident(
    queue: Queue, courier: Courier, clock: Clock
) -> None:
    async def stumble(_team: str, _arguments: Mapping[str, Any]) -> None:
        raise ZeroDivisionError

    relay = Relay(queue, courier, {"stumble": stumble}, clock=clock, patience=Patience(most_crashes=3))
    queue.put("t1", kind="stumble", is_task=True)
    while queue.waiting:
        await relay.drain()
        clock.now = max(clock.now, queue.due["t1"])
    assert queue.tries["t1"] == 3
    word, incident = queue.dead["t1"].split()
    assert word == "ZeroDivisionError"
    assert len(incident) == 8


async def test_an_expected_try_again_is_not_a_crash(queue: Queue, courier: Courier, clock: Clock) -> None:
    async def later(_team: str, _arguments: Mapping[str, Any]) -> None:
        raise SlackUnavailable

    relay = Relay(queue, courier, {"later": later}, clock=clock, patience=Patience(most_crashes=1))
    queue.put("t1", kind="later", is_task=True)
    await relay.drain()
    assert queue.waiting


async def test_what_takes_longer_than_its_lease_allows_is_broken_off(
    queue: Queue, courier: Courier, clock: Clock
) -> None:
    courier.seconds = 5
    queue.put("e1")
    await Relay(queue, courier, clock=clock, patience=Patience(lease=timedelta(milliseconds=40))).drain()
    assert courier.delivered == []
    assert queue.waiting
    assert queue.due["e1"] > clock.now


async def test_every_try_is_told_to_the_observer(queue: Queue, courier: Courier, clock: Clock) -> None:
    told: list[tuple[str, Ending]] = []
    relay = Relay(queue, courier, clock=clock, observe=lambda kind, ending, _age: told.append((kind, ending)))
    queue.put("e1")
    queue.put("e2", kind="digest")
    courier.failures["e2"] = [DeliveryFailed("x")]
    await relay.drain()
    assert sorted(told) == [("digest", Ending.AGAIN), ("store_added", Ending.DONE)]


async def test_the_loop_wakes_when_called_and_outlives_its_database(
    queue: Queue, courier: Courier, clock: Clock
) -> None:
    queue.broken = 1
    relay = Relay(queue, courier, clock=clock, patience=Patience(poll=timedelta(seconds=60)))
    running = asyncio.create_task(relay.run())
    await asyncio.sleep(0.01)
    assert not relay.is_alive()
    queue.put("e1")
    relay.wake()
    await until(lambda: bool(courier.delivered))
    assert relay.is_alive()
    clock.now += timedelta(minutes=5)
    assert not relay.is_alive()
    await relay.stop()
    await running


async def test_stopping_finishes_what_runs_and_takes_nothing_new(queue: Queue, courier: Courier, clock: Clock) -> None:
    courier.seconds = 0.3
    relay = Relay(queue, courier, clock=clock)
    queue.put("e1", lane="U1")
    queue.put("e2", lane="U1")
    running = asyncio.create_task(relay.run())
    await until(lambda: bool(courier.running))
    await relay.stop()
    await running
    assert queue.finished == ["e1"]
    assert [errand.id for _, errand in queue.waiting] == ["e2"]


async def test_stopping_does_not_wait_for_ever(queue: Queue, courier: Courier, clock: Clock) -> None:
    courier.seconds = 60
    relay = Relay(queue, courier, clock=clock, patience=Patience(grace=timedelta(milliseconds=20)))
    queue.put("e1")
    running = asyncio.create_task(relay.run())
    await until(lambda: bool(courier.running))
    async with asyncio.timeout(30):
        await relay.stop()
        await running
    assert queue.waiting  # left to its lease


async def test_an_ending_that_cannot_be_written_leaves_the_errand_to_its_lease(
    queue: Queue, courier: Courier, relay: Relay, clock: Clock
) -> None:
    real, calls = queue.done, 0

    async def done(errand: Errand) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ConnectionError
        await real(errand)

    queue.done = done  # type: ignore[method-assign]
    queue.put("e1")
    await relay.drain()
    clock.now += timedelta(minutes=3)
    await relay.drain()
    assert courier.delivered == ["e1", "e1"]  # at least once
    assert queue.finished == ["e1"]
