"""Two members write to one store at the same moment, on replicas of their own, on both databases: neither undoes the other."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bot.ports import Person
from bot.services.mirroring import Heard, Mirroring
from bot.services.stores import StoreDraft, StoreKeeping
from tests.conftest import AnotherReplica
from tests.services.test_mirroring_races import OFF, ON, event
from tests.storage.examples import MEI, TEAM, World

#: a race is lost differently each time
ROUNDS = 8
#: how long a writer that must wait is watched waiting
_A_WHILE = 0.3

mei = Person(TEAM, MEI, "en", "UTC")


async def test_an_edit_and_a_switch_at_once_both_count(world: World, another_replica: AnotherReplica) -> None:
    seller = await world.seller()
    store = await world.store(seller)
    here = StoreKeeping(world.database, clock=world.clock, entropy=world.entropy)
    there = StoreKeeping(await another_replica(), clock=world.clock, entropy=world.entropy)
    draft = StoreDraft(store.label, store.marketplace_code, store.initial_order_date.isoformat())
    for number in range(ROUNDS):
        off = number % 2 == 0
        switch = there.disable if off else there.enable
        await asyncio.gather(here.edit(mei, store.id, replace(draft, label=f"Acme {number}")), switch(mei, store.id))
        left = await here.get(mei, store.id)
        assert (left.label, left.disabled_at is not None) == (f"Acme {number}", off)


async def test_the_sister_systems_switch_undoes_no_edit(world: World, another_replica: AnotherReplica) -> None:
    seller = await world.seller()
    store = await world.store(seller)
    here = StoreKeeping(world.database, clock=world.clock, entropy=world.entropy)
    sister = Mirroring(await another_replica(), clock=world.clock)
    draft = StoreDraft(store.label, store.marketplace_code, store.initial_order_date.isoformat())
    for number in range(ROUNDS):
        off = number % 2 == 0
        said = event(world, store, OFF if off else ON, second=number)
        _, heard = await asyncio.gather(
            here.edit(mei, store.id, replace(draft, label=f"Acme {number}")),
            sister.hear(said, message_id=f"m{number}"),
        )
        assert heard is Heard.APPLIED
        left = await here.get(mei, store.id)
        assert (left.label, left.disabled_at is not None) == (f"Acme {number}", off)


async def test_whoever_reads_a_store_to_write_it_is_waited_for(world: World, another_replica: AnotherReplica) -> None:
    seller = await world.seller()
    store = await world.store(seller)
    there = StoreKeeping(await another_replica(), clock=world.clock, entropy=world.entropy)
    async with world.database.begin() as work:
        found = await work.stores.get(seller, store.id, to_write=True)
        assert found is not None
        switching = asyncio.create_task(there.disable(mei, store.id))
        done, _ = await asyncio.wait([switching], timeout=_A_WHILE)
        assert not done
        await work.stores.update(replace(found, label="Acme Main"))
    await switching
    left = await there.get(mei, store.id)
    assert left.label == "Acme Main"
    assert left.disabled_at is not None
