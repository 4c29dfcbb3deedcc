"""Messages of the sister system that come at the same moment, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.domain.mirror import Happening, SisterEvent, SisterNews
from bot.domain.stores import Seller, Store
from bot.services.mirroring import Heard, Mirroring
from tests.conftest import AnotherReplica
from tests.fakes import told
from tests.storage.examples import MEI, World

ON, OFF, GONE = Happening.STORE_ENABLED, Happening.STORE_DISABLED, Happening.STORE_DELETED


def event(world: World, store: Store, happening: Happening, *, second: int = 0) -> SisterEvent:
    at = world.clock() - timedelta(minutes=1) + timedelta(seconds=second)
    return SisterEvent(happening, at, store.team_id, store.seller_id, store.id)


async def is_off(world: World, seller: Seller, store: Store) -> bool:
    async with world.database.read() as work:
        found = await work.stores.get(seller, store.id)
    assert found is not None
    return found.disabled_at is not None


async def test_one_message_in_many_hands_is_applied_once(world: World, another_replica: AnotherReplica) -> None:
    seller = await world.seller()
    store = await world.store(seller)
    replicas = [world.database, await another_replica()]
    heard = await asyncio.gather(
        *(
            Mirroring(replicas[number % 2], clock=world.clock).hear(event(world, store, OFF), message_id="m1")
            for number in range(6)
        )
    )
    assert sorted(heard) == [Heard.APPLIED, *[Heard.REPEATED] * 5]
    assert len(await told(world.database, MEI)) == 1


async def test_whatever_the_order_the_last_decision_stands(world: World, another_replica: AnotherReplica) -> None:
    seller = await world.seller()
    replicas = [world.database, await another_replica()]
    for last in (ON, OFF):
        store = await world.store(seller, f"Acme {last}")
        said = [ON, OFF] * 4 + [OFF if last is ON else ON, last]
        messages = [(second, happening) for second, happening in enumerate(said)]
        heard = await asyncio.gather(
            *(
                Mirroring(replicas[second % 2], clock=world.clock).hear(
                    event(world, store, happening, second=second), message_id=f"{store.id}-{second}"
                )
                for second, happening in reversed(messages)
            )
        )
        assert set(heard) <= {Heard.APPLIED, Heard.UNCHANGED, Heard.OUTDATED}
        assert await is_off(world, seller, store) is (last is OFF)


async def test_deleted_and_disabled_at_once_is_deleted(world: World, another_replica: AnotherReplica) -> None:
    seller = await world.seller()
    store = await world.store(seller)
    replicas = [world.database, await another_replica()]
    heard = await asyncio.gather(
        *(
            Mirroring(replica, clock=world.clock).hear(event(world, store, happening), message_id=f"m-{happening}")
            for replica, happening in zip(replicas, (GONE, OFF), strict=True)
        )
    )
    assert heard[0] is Heard.APPLIED
    assert heard[1] in (Heard.APPLIED, Heard.UNKNOWN)
    async with world.database.read() as work:
        assert await work.stores.of_seller(seller) == []
    news = [one for one in await told(world.database, MEI) if isinstance(one, SisterNews)]
    assert "deleted" in {one.state for one in news}
