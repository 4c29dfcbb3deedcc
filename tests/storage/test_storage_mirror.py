"""Mirroring's rows: events wait with the change that caused them and apart from messages; of words the latest counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from bot.domain.features import FeatureKey
from bot.domain.mirror import MIRROR_TASK, Happening, MirrorEvent, SisterState, SisterWord
from bot.domain.notices import StoreAdded, StoreRef
from bot.domain.stores import Store
from bot.errors import ConcurrentChange
from bot.ports import Errand
from storage.database import SqlDatabase
from storage.vault import Vault
from tests.storage.examples import LIN, MEI, OTHER_TEAM, TEAM, World
from tests.storage.fakes import CountingEntropy, FakeClock

LEASE = timedelta(seconds=30)
LISTING, ORDERS = FeatureKey.LISTING, FeatureKey.ORDERS


@pytest.fixture
async def mirrored(
    database_url: str, vault: Vault, clock: FakeClock, entropy: CountingEntropy, woken: list[str]
) -> AsyncIterator[SqlDatabase]:
    """The database of an installation with a sister system."""
    database = SqlDatabase(
        database_url,
        vault=vault,
        clock=clock,
        entropy=entropy,
        on_outbox=lambda: woken.append("relay"),
        mirrored=True,
    )
    await database.start()
    yield database
    await database.close()


@pytest.fixture
def world(mirrored: SqlDatabase, clock: FakeClock, entropy: CountingEntropy) -> World:
    return World(mirrored, clock, entropy)


async def tell(database: SqlDatabase, store: Store, happening: Happening, at: datetime) -> None:
    async with database.begin() as work:
        await work.mirror.tell(MirrorEvent(happening, at, store))


async def waiting(database: SqlDatabase) -> list[Errand]:
    return list(await database.mirror_errands.claim(now=database._clock(), lease=LEASE, limit=100))


async def test_an_event_waits_with_an_id_of_its_own_and_calls_the_relay(world: World, woken: list[str]) -> None:
    store = await world.store(await world.seller())
    await tell(world.database, store, Happening.STORE_ADDED, world.clock())
    [errand] = await waiting(world.database)
    assert (errand.team_id, errand.kind, errand.is_task) == (TEAM, MIRROR_TASK, True)
    assert errand.body["id"]
    assert errand.body["event"]["data"]["store"]["id"] == store.id
    assert woken


async def test_without_a_sister_system_nothing_is_written(database: SqlDatabase, mirrored: SqlDatabase) -> None:
    world = World(database, database._clock, database._entropy)  # type: ignore[arg-type]
    store = await world.store(await world.seller())
    await tell(database, store, Happening.STORE_DISABLED, world.clock())
    assert await waiting(mirrored) == []
    async with database.begin() as work:
        assert await work.mirror.hear(SisterWord(store.id, None, SisterState.ENABLED, world.clock()))


async def test_what_is_taken_back_was_never_told(world: World) -> None:
    store = await world.store(await world.seller())

    async def change_one_s_mind() -> None:
        async with world.database.begin() as work:
            await work.mirror.tell(MirrorEvent(Happening.STORE_EDITED, world.clock(), store))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await change_one_s_mind()
    assert await waiting(world.database) == []


async def test_events_and_messages_are_two_queues(world: World) -> None:
    store = await world.store(await world.seller())
    await tell(world.database, store, Happening.STORE_ADDED, world.clock())
    world.minutes_later(1)
    async with world.database.begin() as work:
        await work.outbox.tell(TEAM, MEI, StoreAdded(store=StoreRef.of(store)))
    errands = world.database.errands
    assert await errands.next_due() == world.clock()
    [message] = await errands.claim(now=world.clock(), lease=LEASE, limit=100)
    assert message.kind == StoreAdded.kind
    assert await world.database.mirror_errands.next_due() == world.clock() - timedelta(minutes=1)
    [event] = await waiting(world.database)
    assert event.kind == MIRROR_TASK


async def test_events_of_one_store_go_one_after_the_other_and_others_do_not_wait(world: World) -> None:
    seller = await world.seller()
    us, canada = await world.store(seller), await world.store(seller, "Acme CA", "CA")
    for happening in (Happening.STORE_EDITED, Happening.STORE_DISABLED):
        for store in (us, canada):
            await tell(world.database, store, happening, world.clock())
    first = await waiting(world.database)
    assert {one.body["event"]["type"] for one in first} == {"store.edited"}
    assert len(first) == 2
    [of_us] = [one for one in first if one.body["event"]["data"]["store"]["id"] == us.id]
    await world.database.mirror_errands.again(of_us, at=world.clock() + timedelta(hours=1))
    [of_canada] = [one for one in first if one is not of_us]
    await world.database.mirror_errands.done(of_canada)
    [next_one] = await waiting(world.database)
    assert next_one.body["event"]["data"]["store"]["id"] == canada.id


async def test_a_deleted_stores_event_outlives_it(world: World) -> None:
    store = await world.store(await world.seller())
    async with world.database.begin() as work:
        await work.stores.delete(store)
        await work.mirror.tell(MirrorEvent(Happening.STORE_DELETED, world.clock(), store))
    assert [one.body["event"]["type"] for one in await waiting(world.database)] == ["store.deleted"]


async def hear(world: World, word: SisterWord) -> bool:
    async with world.database.begin() as work:
        return await work.mirror.hear(word)


async def test_the_later_word_counts_in_whatever_order_they_come(world: World) -> None:
    store = await world.store(await world.seller())
    now = world.clock()
    ends = now + timedelta(days=365)
    newer = SisterWord(store.id, LISTING, SisterState.GRANTED, now, now, ends)
    assert await hear(world, newer)
    assert not await hear(world, SisterWord(store.id, LISTING, SisterState.REVOKED, now - timedelta(minutes=1)))
    assert await hear(world, SisterWord(store.id, ORDERS, SisterState.REVOKED, now - timedelta(minutes=1)))
    async with world.database.read() as work:
        words = await work.mirror.of_store(store)
    assert words[LISTING] == newer
    assert words[ORDERS].state is SisterState.REVOKED


async def test_of_words_of_one_moment_the_last_to_come_counts(world: World) -> None:
    store = await world.store(await world.seller())
    for state in (SisterState.DISABLED, SisterState.GRANTED):
        assert await hear(world, SisterWord(store.id, LISTING, state, world.clock()))
    async with world.database.read() as work:
        assert (await work.mirror.of_store(store))[LISTING].state is SisterState.GRANTED


async def test_words_that_come_together_leave_the_latest(world: World) -> None:
    store = await world.store(await world.seller())
    words = [
        SisterWord(store.id, ORDERS, SisterState.EXPIRED, world.clock() + timedelta(seconds=second))
        for second in (3, 1, 4, 2, 0)
    ]
    await asyncio.gather(*(hear(world, word) for word in words))
    async with world.database.read() as work:
        assert (await work.mirror.of_store(store))[ORDERS].at == world.clock() + timedelta(seconds=4)


async def test_switching_here_outdates_what_was_said_before(world: World) -> None:
    store = await world.store(await world.seller())
    said = SisterWord(store.id, None, SisterState.DISABLED, world.clock())
    world.minutes_later(1)
    await tell(world.database, store, Happening.STORE_ENABLED, world.clock())
    assert not await hear(world, said)
    async with world.database.read() as work:
        assert await work.mirror.of_store(store) == {}, "what is said of the store itself is no feature's"


async def test_words_are_one_sellers_and_go_with_the_store(world: World) -> None:
    mei, lin = await world.seller(), await world.seller(LIN, team_id=OTHER_TEAM)
    mine, yours = await world.store(mei), await world.store(lin)
    for store in (mine, yours):
        assert await hear(world, SisterWord(store.id, ORDERS, SisterState.DISABLED, world.clock()))
    async with world.database.begin() as work:
        assert set(await work.mirror.of_seller(mei)) == {mine.id}
        stranger = world.new_store(mei, id=yours.id)
        assert await work.mirror.of_store(stranger) == {}
        await work.stores.delete(mine)
        assert await work.mirror.of_seller(mei) == {}
    with pytest.raises(ConcurrentChange):
        await hear(world, SisterWord(mine.id, ORDERS, SisterState.GRANTED, world.clock()))


async def test_amazon_is_asked_sooner_but_never_later(world: World) -> None:
    authorization = await world.authorization(await world.seller())
    now = world.clock()
    async with world.database.begin() as work:
        await work.health.worked(authorization, at=now, next_at=now + timedelta(days=1))
        await work.health.ask_soon(authorization.id, at=now + timedelta(hours=1))
        await work.health.ask_soon(authorization.id, at=now + timedelta(hours=2))
        assert await work.health.next_due() == now + timedelta(hours=1)
