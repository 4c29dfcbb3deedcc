"""Failures are counted by store and by seller; an incident begins once, is told once to each, and ends once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from bot.domain.consent import Outcome
from bot.domain.features import FeatureKey
from bot.domain.incidents import Failure, Incident
from tests.storage.examples import ALEX, MEI, OTHER_TEAM, TEAM, World

ORDERS = FeatureKey.ORDERS


async def test_of_two_replicas_one_opens_the_incident_and_each_person_is_told_once(world: World) -> None:
    def incident() -> Incident:
        return Incident(world.entropy.new_id(), TEAM, "our_credentials", ORDERS, world.clock(), world.clock())

    async def begin() -> bool:
        async with world.database.begin() as work:
            return await work.incidents.add(incident()) is not None

    assert sum(await asyncio.gather(*(begin() for _ in range(8)))) == 1
    async with world.database.begin() as work:
        found = await work.incidents.open_for(TEAM, "our_credentials", ORDERS)
        assert found is not None
        assert await work.incidents.add(replace(incident(), feature=FeatureKey.LISTING)) is not None
        assert await work.incidents.add(replace(incident(), feature=None)) is not None
        assert await work.incidents.add(replace(incident(), team_id=OTHER_TEAM)) is not None

    async def tell() -> bool:
        async with world.database.begin() as work:
            return await work.incidents.tell(found, MEI, at=world.clock())

    assert sum(await asyncio.gather(*(tell() for _ in range(8)))) == 1

    async def end() -> bool:
        async with world.database.begin() as work:
            return await work.incidents.close(replace(found, closed_at=world.clock(), closed_by="U0SAM"))

    assert sum(await asyncio.gather(*(end() for _ in range(8)))) == 1
    async with world.database.begin() as work:
        assert await work.incidents.add(incident()) is not None
        assert await work.incidents.told(found) == [MEI]


async def test_failures_are_counted_by_store_and_belong_to_their_incident(world: World) -> None:
    now = world.clock()
    async with world.database.begin() as work:
        for store_id, minutes in (("s1", 30), ("s1", 1), ("s2", 1), ("s3", 0)):
            at = now - timedelta(minutes=minutes)
            await work.incidents.note(Failure(TEAM, store_id, MEI, "amazon_unavailable", None, at))
        since = now - timedelta(minutes=10)
        assert await work.incidents.stores(TEAM, "amazon_unavailable", None, since=since) == 3
        assert await work.incidents.stores(TEAM, "amazon_unavailable", None, since=now) == 1
        assert await work.incidents.stores(OTHER_TEAM, "amazon_unavailable", None, since=since) == 0
        victims = await work.incidents.victims(TEAM, "amazon_unavailable", None, since=since)
        assert [store_id for _, store_id in victims] == ["s3", "s2", "s1"]
        assert await work.incidents.of_store(TEAM, "s1") is None
        incident = await work.incidents.add(Incident("i1", TEAM, "amazon_unavailable", None, now, now))
        assert incident is not None
        assert await work.incidents.of_store(TEAM, "s1") == incident
        assert await work.incidents.of_store(TEAM, "s9") is None
        await work.incidents.seen(incident, now + timedelta(minutes=1))
        [there] = await work.incidents.all_open(TEAM)
        assert there.last_seen_at == now + timedelta(minutes=1)
        assert await work.incidents.prune(before=now - timedelta(minutes=5)) == 1


async def test_sellers_who_met_a_failure_are_counted_once_for_all_their_stores(world: World) -> None:
    mei, alex = await world.seller(MEI), await world.seller(ALEX)
    stores = [await world.store(mei), await world.store(mei, "Acme CA"), await world.store(alex)]
    now = world.clock()
    since = now - timedelta(minutes=10)
    counted = []
    for store in stores:
        async with world.database.begin() as work:
            await work.incidents.note(Failure(TEAM, store.id, MEI, "amazon_unavailable", None, now))
            await work.incidents.note(Failure(TEAM, store.id, MEI, "our_credentials", None, now))
            counted.append(await work.incidents.sellers(TEAM, "amazon_unavailable", None, since=since))
    assert counted == [1, 1, 2]
    async with world.database.read() as work:
        assert await work.incidents.sellers(OTHER_TEAM, "amazon_unavailable", None, since=since) == 0
        later = now + timedelta(minutes=1)
        assert await work.incidents.sellers(TEAM, "amazon_unavailable", None, since=later) == 0


async def test_a_consent_that_came_through_shows_that_it_works_again(world: World) -> None:
    store = await world.store(await world.seller())
    now = world.clock()
    incident = Incident("i1", TEAM, "no_answer", None, now, now)
    attempt = await world.attempt(store)
    async with world.database.begin() as work:
        assert not await work.incidents.granted_since(incident)
        await work.attempts.update(
            replace(attempt, outcome=Outcome.GRANTED, pressed_at=now, ended_at=now + timedelta(minutes=1))
        )
        assert await work.incidents.granted_since(incident)
        assert await work.incidents.granted_since(replace(incident, feature=ORDERS))
        assert not await work.incidents.granted_since(replace(incident, feature=FeatureKey.LISTING))
