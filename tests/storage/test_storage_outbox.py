"""The outbox: what waits, who may take it, and what happens when they do not come back."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.domain.notices import SharedWithYou, StoreAdded, StoreRef, notice_from
from bot.ports import Errand
from storage.database import SqlDatabase
from storage.tables import outbox
from tests.conftest import AnotherReplica
from tests.storage.examples import ALEX, LIN, MEI, OTHER_TEAM, TEAM, World

LEASE = timedelta(seconds=30)


def added(label: str) -> StoreAdded:
    return StoreAdded(store=StoreRef("s1", label, "US"))


async def tell(world: World, user_id: str, *labels: str, team_id: str = TEAM) -> None:
    async with world.database.begin() as work:
        for label in labels:
            await work.outbox.tell(team_id, user_id, added(label))


async def ask(world: World, lane: str, *tasks: str) -> None:
    async with world.database.begin() as work:
        for task in tasks:
            await work.outbox.ask(TEAM, task, {"n": 1}, lane=lane)


async def claim(world: World, limit: int = 100, *, database: SqlDatabase | None = None) -> list[Errand]:
    queue = (database or world.database).errands
    return list(await queue.claim(now=world.clock(), lease=LEASE, limit=limit))


def label(errand: Errand) -> str:
    name: str = errand.body["store"]["label"]
    return name


async def test_a_message_waits_with_all_it_needs(world: World) -> None:
    notice = SharedWithYou(by_user_id=LIN, labels=("美国一店", "Acme"))
    async with world.database.begin() as work:
        await work.outbox.tell(TEAM, MEI, notice)
    [errand] = await claim(world)
    assert (errand.team_id, errand.recipient, errand.is_task) == (TEAM, MEI, False)
    assert notice_from(errand.kind, errand.body) == notice
    assert (errand.created_at, errand.tries) == (world.clock(), 1)
    assert "美国一店" not in repr(errand)


async def test_a_task_waits_with_its_arguments(world: World) -> None:
    async with world.database.begin() as work:
        await work.outbox.ask(TEAM, "probe", {"store": "s1", "depth": 2}, lane="store:s1")
    [errand] = await claim(world)
    assert (errand.kind, errand.recipient, errand.is_task) == ("probe", "", True)
    assert errand.body == {"store": "s1", "depth": 2}


async def test_support_is_told_in_its_channel_and_not_at_all_without_one(
    world: World, another_replica: AnotherReplica
) -> None:
    without = await another_replica()
    without._support_channel = ""
    async with without.begin() as work:
        await work.outbox.tell_support(TEAM, added("nobody reads this"))
    async with world.database.begin() as work:
        await work.outbox.tell_support(TEAM, added("Acme US"))
    [errand] = await claim(world)
    assert (errand.recipient, label(errand)) == ("C0SUPPORT", "Acme US")


async def test_what_was_rolled_back_is_not_said_and_wakes_nobody(world: World, woken: list[str]) -> None:
    async def crash() -> None:
        async with world.database.begin() as work:
            await work.outbox.tell(TEAM, MEI, added("Acme US"))
            raise RuntimeError("the process died")

    with pytest.raises(RuntimeError):
        await crash()
    assert woken == []
    assert await claim(world) == []
    await tell(world, MEI, "Acme US")
    assert woken == ["relay"]


async def test_only_the_oldest_of_each_lane_can_be_claimed(world: World) -> None:
    await tell(world, MEI, "m1", "m2", "m3")
    await tell(world, LIN, "l1", "l2")
    await tell(world, MEI, "e1", team_id=OTHER_TEAM)
    assert [label(errand) for errand in await claim(world)] == ["m1", "l1", "e1"]
    assert await claim(world) == []


async def test_a_lane_goes_on_when_its_oldest_is_done(world: World) -> None:
    await tell(world, MEI, "m1", "m2", "m3")
    said = []
    while claimed := await claim(world):
        [errand] = claimed
        said.append(label(errand))
        await world.database.errands.done(errand)
    assert said == ["m1", "m2", "m3"]
    assert await rows(world) == []


async def test_tasks_of_one_lane_do_not_overtake_each_other_and_do_not_wait_for_messages(world: World) -> None:
    await tell(world, MEI, "m1")
    await ask(world, f"{TEAM}:{MEI}", "first", "second")
    await ask(world, "other", "third")
    assert [errand.kind for errand in await claim(world)] == ["store_added", "first", "third"]


async def test_at_most_as_many_as_asked_for_and_never_more_than_a_hundred(world: World) -> None:
    async with world.database.begin() as work:
        for number in range(130):
            await work.outbox.tell(TEAM, f"U{number:03}", added("x"))
    assert len(await claim(world, limit=20)) == 20
    assert len(await claim(world, limit=1000)) == 100
    assert len(await claim(world, limit=1000)) == 10


async def test_what_a_crashed_relay_held_is_claimed_again_when_its_lease_is_over(world: World) -> None:
    await tell(world, MEI, "m1", "m2")
    [first] = await claim(world)
    world.clock.advance(LEASE - timedelta(milliseconds=1))
    assert await claim(world) == []
    world.clock.advance(timedelta(milliseconds=1))
    [again] = await claim(world)
    assert (again.id, again.tries) == (first.id, 2)


async def test_a_relay_that_lost_its_lease_cannot_put_back_what_another_holds(world: World) -> None:
    await tell(world, MEI, "m1")
    [late] = await claim(world)
    world.clock.advance(LEASE)
    [mine] = await claim(world)
    await world.database.errands.again(late, at=world.clock())
    await world.database.errands.give_up(late, at=world.clock(), why="too slow")
    assert await claim(world) == []
    # But what it has sent is sent.
    await world.database.errands.done(late)
    assert await rows(world) == []
    assert mine.id == late.id


async def test_what_is_given_back_holds_its_lane_until_it_is_due(world: World) -> None:
    await tell(world, MEI, "m1", "m2")
    [errand] = await claim(world)
    at = world.clock() + timedelta(seconds=5)
    await world.database.errands.again(errand, at=at)
    assert await claim(world) == []
    assert await world.database.errands.next_due() == at
    world.clock.set(at)
    [again] = await claim(world)
    assert (label(again), again.tries) == ("m1", 2)


async def test_what_is_given_up_is_kept_for_an_operator_and_its_lane_goes_on(world: World) -> None:
    await tell(world, MEI, "m1", "m2")
    [errand] = await claim(world)
    await world.database.errands.give_up(errand, at=world.clock(), why="channel_not_found")
    assert [label(errand) for errand in await claim(world)] == ["m2"]
    [dead] = [row for row in await rows(world) if row.dead_at is not None]
    assert (dead.id, dead.why, dead.dead_at) == (errand.id, "channel_not_found", world.clock())


async def test_a_pause_holds_back_the_messages_of_one_workspace_but_no_tasks(world: World) -> None:
    await tell(world, MEI, "here")
    await tell(world, MEI, "there", team_id=OTHER_TEAM)
    await ask(world, "lane", "task")
    until = world.clock() + timedelta(seconds=20)
    await world.database.errands.pause(TEAM, until=until)
    # A shorter pause that comes later does not cut it short.
    await world.database.errands.pause(TEAM, until=until - timedelta(seconds=15))
    assert [errand.kind for errand in await claim(world)] == ["store_added", "task"]
    world.clock.set(until)
    assert [label(errand) for errand in await claim(world, 1)] == ["here"]


async def test_next_due_is_when_the_first_lane_can_go_on(world: World) -> None:
    queue, start = world.database.errands, world.clock()
    assert await queue.next_due() is None
    await tell(world, MEI, "m1", "m2")
    assert await queue.next_due() == start
    await claim(world)
    assert await queue.next_due() == start + LEASE
    await queue.pause(OTHER_TEAM, until=start + timedelta(seconds=20))
    await tell(world, LIN, "l1", team_id=OTHER_TEAM)
    assert await queue.next_due() == start + timedelta(seconds=20)
    await ask(world, "lane", "task")
    assert await queue.next_due() == start


async def test_next_due_speaks_of_nothing_that_is_dead(world: World) -> None:
    await tell(world, MEI, "m1")
    [errand] = await claim(world)
    await world.database.errands.give_up(errand, at=world.clock(), why="gone")
    assert await world.database.errands.next_due() is None


async def test_an_errand_that_cannot_be_read_is_set_aside_and_stops_nobody(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await tell(world, MEI, "m1", "m2")
    await tell(world, ALEX, "a1")
    async with world.database.engine.begin() as connection:
        await connection.execute(update(outbox).where(outbox.c.position == 1).values(body="v1.lost.AAAA"))
    with caplog.at_level(logging.ERROR):
        assert [label(errand) for errand in await claim(world)] == ["a1"]
    assert [label(errand) for errand in await claim(world)] == ["m2"]
    [dead] = [row for row in await rows(world) if row.dead_at is not None]
    assert "lost" in dead.why
    assert "errand set aside" in caplog.text


async def test_relays_of_three_replicas_share_the_work_and_do_nothing_twice(
    world: World, another_replica: AnotherReplica
) -> None:
    async with world.database.begin() as work:
        for number in range(120):
            await work.outbox.tell(TEAM, f"U{number % 40:03}", added(str(number)))
    databases = [world.database, await another_replica(), await another_replica()]
    seen: list[Errand] = []

    async def relay(database: SqlDatabase) -> None:
        while len(seen) < 120:
            for errand in await claim(world, 7, database=database):
                seen.append(errand)
                await database.errands.done(errand)
            await asyncio.sleep(0)

    await asyncio.wait_for(asyncio.gather(*(relay(database) for database in databases for _ in range(2))), 30)
    assert Counter(errand.id for errand in seen).most_common(1)[0][1] == 1
    for number in range(40):
        mine = [int(label(errand)) for errand in seen if errand.recipient == f"U{number:03}"]
        assert mine == [number, number + 40, number + 80]


async def rows(world: World) -> list[Any]:
    async with world.database.engine.connect() as connection:
        return list((await connection.execute(select(outbox).order_by(outbox.c.position))).all())
