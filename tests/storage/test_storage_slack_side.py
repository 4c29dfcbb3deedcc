"""What is kept of Slack: cards, people, installations, deliveries."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from bot.domain.notices import StoreAdded, StoreRef
from bot.errors import CannotDecrypt
from bot.ports import AuditEvent, CardAddress, Installation, Person, Sighting
from storage.people import StoredPerson
from storage.tables import audit, installations, oauth_states
from tests.conftest import AnotherReplica
from tests.storage.examples import LIN, MEI, OTHER_TEAM, TEAM, World


def installation(world: World, team_id: str = TEAM, token: str = "xoxb-1") -> Installation:  # noqa: S107
    return Installation(team_id, token, "U0BOT", "B0BOT", world.clock(), "SaleYee", "chat:write,commands")


async def test_a_card_stands_where_it_was_last_put(world: World) -> None:
    cards = world.database.cards
    assert await cards.get(TEAM, MEI, "grant:s1:orders") is None
    await cards.put(TEAM, MEI, "grant:s1:orders", CardAddress("D1", "1.1"))
    await cards.put(TEAM, MEI, "grant:s1:orders", CardAddress("D1", "2.2"))
    await cards.put(TEAM, LIN, "grant:s1:orders", CardAddress("D2", "3.3"))
    assert await cards.get(TEAM, MEI, "grant:s1:orders") == CardAddress("D1", "2.2")
    await cards.forget(TEAM, MEI, "grant:s1:orders")
    assert await cards.get(TEAM, MEI, "grant:s1:orders") is None
    assert await cards.get(TEAM, LIN, "grant:s1:orders") == CardAddress("D2", "3.3")
    assert await cards.get(OTHER_TEAM, LIN, "grant:s1:orders") is None


async def test_people_are_kept_with_the_moment_they_were_read(world: World) -> None:
    people, mei = world.database.people, Person(TEAM, MEI, "zh-CN", "Asia/Shanghai")
    assert await people.get(TEAM, MEI) is None
    await people.put(replace(mei, locale="en"), fetched_at=world.clock())
    world.minutes_later(1)
    await people.put(mei, fetched_at=world.clock())
    assert await people.get(TEAM, MEI) == StoredPerson(mei, world.clock())
    assert await people.get(OTHER_TEAM, MEI) is None
    await people.forget(TEAM, MEI)
    assert await people.get(TEAM, MEI) is None


async def test_an_installation_comes_back_with_its_token(world: World) -> None:
    kept = world.database.installations
    assert await kept.get(TEAM) is None
    await kept.put(installation(world))
    await kept.put(installation(world, token="xoxb-2"))
    assert await kept.get(TEAM) == installation(world, token="xoxb-2")
    assert await kept.get(OTHER_TEAM) is None


async def test_a_token_moved_to_another_workspace_does_not_open(world: World) -> None:
    kept = world.database.installations
    await kept.put(installation(world))
    await kept.put(installation(world, OTHER_TEAM))
    async with world.database.engine.begin() as connection:
        stolen = await connection.scalar(select(installations.c.bot_token).where(installations.c.team_id == TEAM))
        await connection.execute(
            update(installations).where(installations.c.team_id == OTHER_TEAM).values(bot_token=stolen)
        )
    with pytest.raises(CannotDecrypt):
        await kept.get(OTHER_TEAM)


async def test_removing_an_installation_forgets_all_that_waits_for_that_workspace(world: World) -> None:
    kept, notice = world.database.installations, StoreAdded(store=StoreRef("s1", "Acme", "US"))
    for team_id in (TEAM, OTHER_TEAM):
        await kept.put(installation(world, team_id))
        async with world.database.begin() as work:
            await work.outbox.tell(team_id, MEI, notice)
            await work.outbox.ask(team_id, "probe", {}, lane=team_id)
    await kept.remove(TEAM)
    assert await kept.get(TEAM) is None
    assert await kept.get(OTHER_TEAM) is not None
    errands = await world.database.errands.claim(now=world.clock(), lease=timedelta(seconds=30), limit=10)
    assert [errand.team_id for errand in errands] == [OTHER_TEAM, OTHER_TEAM]


async def test_a_state_of_installing_is_good_once_and_in_time(world: World) -> None:
    kept, soon = world.database.installations, world.clock() + timedelta(minutes=10)
    await kept.mint_state("a", expires_at=soon)
    await kept.mint_state("b", expires_at=soon)
    assert await kept.consume_state("a", now=world.clock())
    assert not await kept.consume_state("a", now=world.clock())
    assert not await kept.consume_state("b", now=soon)
    assert not await kept.consume_state("b", now=world.clock())
    assert not await kept.consume_state("never made", now=world.clock())


async def test_states_that_ran_out_are_cleared_away(world: World) -> None:
    kept = world.database.installations
    await kept.mint_state("a", expires_at=world.clock() + timedelta(minutes=10))
    world.minutes_later(11)
    await kept.mint_state("b", expires_at=world.clock() + timedelta(minutes=10))
    async with world.database.engine.connect() as connection:
        assert list(await connection.scalars(select(oauth_states.c.state_hash))) == ["b"]


async def test_of_twenty_uses_of_a_state_of_installing_at_once_one_is_good(world: World) -> None:
    kept = world.database.installations
    await kept.mint_state("a", expires_at=world.clock() + timedelta(minutes=10))
    assert sum(await asyncio.gather(*(kept.consume_state("a", now=world.clock()) for _ in range(20)))) == 1


async def test_a_delivery_is_new_to_one_caller_on_all_replicas(world: World, another_replica: AnotherReplica) -> None:
    replicas = [world.database.deliveries, (await another_replica()).deliveries]
    seen = await asyncio.gather(*(replicas[n % 2].take("Ev1", now=world.clock()) for n in range(20)))
    assert Counter(seen) == {Sighting.FIRST: 1, Sighting.HANDLED: 19}
    assert await world.database.deliveries.take("Ev2", now=world.clock()) is Sighting.FIRST


async def test_a_delivery_that_was_not_handled_can_be_taken_up_again(world: World) -> None:
    deliveries = world.database.deliveries
    assert await deliveries.take("Ev1", now=world.clock()) is Sighting.FIRST
    await deliveries.forget("Ev1")
    assert await deliveries.take("Ev1", now=world.clock()) is Sighting.FIRST


async def test_a_delivery_in_hand_is_told_from_one_that_was_handled(
    world: World, another_replica: AnotherReplica
) -> None:
    here, there = world.database.deliveries, (await another_replica()).deliveries
    hold = timedelta(seconds=50)
    assert await here.take("Ev1", now=world.clock(), hold=hold) is Sighting.FIRST
    assert await there.take("Ev1", now=world.clock(), hold=hold) is Sighting.IN_HAND
    await here.finish("Ev1")
    assert await there.take("Ev1", now=world.clock(), hold=hold) is Sighting.HANDLED
    world.minutes_later(1)
    assert await there.take("Ev1", now=world.clock(), hold=hold) is Sighting.HANDLED


async def test_what_a_dead_replica_had_in_hand_is_new_to_one_caller_afterwards(
    world: World, another_replica: AnotherReplica
) -> None:
    replicas = [world.database.deliveries, (await another_replica()).deliveries]
    hold = timedelta(seconds=50)
    assert await replicas[0].take("Ev1", now=world.clock(), hold=hold) is Sighting.FIRST
    world.minutes_later(1)
    seen = await asyncio.gather(*(replicas[n % 2].take("Ev1", now=world.clock(), hold=hold) for n in range(20)))
    assert Counter(seen) == {Sighting.FIRST: 1, Sighting.IN_HAND: 19}


async def test_old_deliveries_and_runs_are_pruned(world: World) -> None:
    deliveries, runs = world.database.deliveries, world.database.job_runs
    await deliveries.take("old", now=world.clock())
    await runs.claim("digest", due=world.clock())
    world.minutes_later(60)
    await deliveries.take("new", now=world.clock())
    await runs.claim("digest", due=world.clock())
    assert await deliveries.prune(before=world.clock()) == 1
    assert await runs.prune(before=world.clock()) == 1
    assert await deliveries.take("old", now=world.clock()) is Sighting.FIRST
    assert await deliveries.take("new", now=world.clock()) is Sighting.HANDLED
    assert not await runs.claim("digest", due=world.clock())


async def test_a_scheduled_run_belongs_to_one_replica(world: World, another_replica: AnotherReplica) -> None:
    replicas = [world.database.job_runs, (await another_replica()).job_runs]
    due = world.clock()
    assert sum(await asyncio.gather(*(replicas[n % 2].claim("digest", due=due) for n in range(20)))) == 1
    assert await world.database.job_runs.claim("digest", due=due + timedelta(days=1))
    assert await world.database.job_runs.claim("expiry", due=due)


async def test_the_audit_trail_says_who_did_what_for_whom(world: World) -> None:
    event = AuditEvent(world.clock(), TEAM, "U0SAM", "grant.link", "store:s1", MEI, {"feature": "orders", "店": "美国"})
    async with world.database.begin() as work:
        await work.audit.record(event)
        await work.audit.record(replace(event, on_behalf_of=None, details={}))
    async with world.database.engine.connect() as connection:
        first, second = (await connection.execute(select(audit).order_by(audit.c.position))).all()
    assert tuple(first)[1:] == (event.at, TEAM, "U0SAM", "grant.link", "store:s1", MEI, event.details)
    assert (second.on_behalf_of, second.details) == (None, {})


async def test_a_workspace_that_came_back_is_not_forgotten_by_a_late_word_of_its_leaving(world: World) -> None:
    kept = world.database.installations
    row = replace(installation(world), installed_at=datetime(2026, 3, 2, 12, 0, 30, 500_000, tzinfo=UTC))
    await kept.put(row)
    whole = row.installed_at.replace(microsecond=0)
    assert not await kept.remove(TEAM, said_at=whole - timedelta(seconds=1))
    assert await kept.get(TEAM) == row
    assert await kept.remove(TEAM, said_at=whole), "Slack says whole seconds: of the same second counts"
    assert await kept.get(TEAM) is None
    assert await kept.remove(TEAM, said_at=whole), "nothing is there to be newer"
