"""Misses, phrases, threads and channels, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from bot.domain.questions import GivenAnswer, Miss, MissCount, MissKind, TaughtPhrase
from bot.ports import Installation
from storage.tables import misses
from tests.conftest import AnotherReplica
from tests.storage.examples import MEI, OTHER_TEAM, TEAM, World


def miss(world: World, text: str = "zorgle", **more: object) -> Miss:
    made = Miss(
        world.entropy.new_id(), TEAM, "en", "add-store", MissKind.UNMATCHED, text, 1, world.clock(), world.clock()
    )
    return replace(made, **more)  # type: ignore[arg-type]


def phrase(world: World, text: str = "zorgle") -> TaughtPhrase:
    return TaughtPhrase(world.entropy.new_id(), "add-store", "en", text, "U0SAM", TEAM, world.clock())


async def keep(world: World, *some: Miss) -> None:
    async with world.database.begin() as work:
        for one in some:
            await work.misses.add(one, key=one.text)


async def frequent(world: World, team_id: str = TEAM, *, offset: int = 0, limit: int = 10) -> list[tuple[str, int]]:
    async with world.database.read() as work:
        since = world.clock() - timedelta(days=30)
        found, _ = await work.misses.frequent(team_id, since=since, offset=offset, limit=limit)
    return [(one.text, one.times) for one in found]


async def test_a_miss_comes_back_as_it_was_kept(world: World) -> None:
    kept = miss(world)
    await keep(world, kept)
    async with world.database.read() as work:
        assert await work.misses.get(TEAM, kept.id) == kept
        assert await work.misses.get(OTHER_TEAM, kept.id) is None


async def test_the_text_is_sealed(world: World) -> None:
    await keep(world, miss(world))
    async with world.database.engine.connect() as connection:
        assert "zorgle" not in str(await connection.scalar(select(misses.c.text)))


async def test_the_same_question_is_counted_and_kept_once(world: World) -> None:
    await keep(world, miss(world), miss(world, "flurb"), miss(world), miss(world, kind=MissKind.NOT_HELPFUL))
    assert await frequent(world) == [("zorgle", 2), ("flurb", 1), ("zorgle", 1)]
    assert await frequent(world, offset=1, limit=1) == [("flurb", 1)]
    assert await frequent(world, OTHER_TEAM) == []
    async with world.database.read() as work:
        assert await work.misses.counts(TEAM) == [
            MissCount("en", "add-store", MissKind.UNMATCHED, 3),
            MissCount("en", "add-store", MissKind.NOT_HELPFUL, 1),
        ]


async def test_a_question_of_which_nothing_is_left_is_only_counted(world: World) -> None:
    await keep(world, miss(world, ""))
    assert await frequent(world) == []
    async with world.database.read() as work:
        assert [one.times for one in await work.misses.counts(TEAM)] == [1]


async def test_settled_and_old_texts_are_gone_and_counts_stay(world: World) -> None:
    first = miss(world)
    await keep(world, first, miss(world, "flurb"))
    async with world.database.begin() as work:
        await work.misses.settle(first)
    assert await frequent(world) == [("flurb", 1)]
    world.minutes_later(60)
    await keep(world, miss(world, "new"))
    async with world.database.begin() as work:
        assert await work.misses.forget(before=world.clock()) == 1
    assert await frequent(world) == [("new", 1)]
    async with world.database.read() as work:
        assert [one.times for one in await work.misses.counts(TEAM)] == [3]


async def test_replicas_count_together(world: World, another_replica: AnotherReplica) -> None:
    replicas = [world.database, await another_replica()]

    async def once(number: int) -> None:
        async with replicas[number % 2].begin() as work:
            await work.misses.add(miss(world), key="zorgle")

    await asyncio.gather(*(once(number) for number in range(20)))
    assert await frequent(world) == [("zorgle", 20)]


async def test_a_phrase_is_taught_once_and_taken_back_once(world: World) -> None:
    first, second = phrase(world), phrase(world, "flurb")
    async with world.database.begin() as work:
        assert await work.taught.add(first, key="zorgle") == first
        assert await work.taught.add(replace(phrase(world, "Zorgle!"), slug="other-browser"), key="zorgle") == first
        world.minutes_later(1)
        second = replace(second, taught_at=world.clock())
        assert await work.taught.add(second, key="flurb") == second
    async with world.database.begin() as work:
        assert [one.text for one in await work.taught.all()] == ["flurb", "zorgle"]
        assert await work.taught.get(TEAM, first.id) == first
        assert await work.taught.remove(first)
        assert not await work.taught.remove(first)
        assert await work.taught.get(TEAM, first.id) is None


async def test_phrases_are_shown_and_taken_back_in_their_own_workspace(world: World) -> None:
    mine, theirs = phrase(world), replace(phrase(world, "flurb"), team_id="T0GLOBEX")
    async with world.database.begin() as work:
        await work.taught.add(mine, key="zorgle")
        await work.taught.add(theirs, key="flurb")
    async with world.database.begin() as work:
        assert await work.taught.of_team(TEAM) == [mine]
        assert await work.taught.get(TEAM, theirs.id) is None
        assert not await work.taught.remove(replace(theirs, team_id=TEAM))
        assert len(await work.taught.all()) == 2


async def test_two_workspaces_may_mean_different_things_by_the_same_words(world: World) -> None:
    mine = phrase(world)
    theirs = replace(phrase(world), id="theirs", team_id="T0GLOBEX", slug="add-store")
    async with world.database.begin() as work:
        assert await work.taught.add(mine, key="zorgle") == mine
        assert await work.taught.add(theirs, key="zorgle") == theirs
        assert await work.taught.add(replace(theirs, id="again"), key="zorgle") == theirs
    async with world.database.begin() as work:
        assert await work.taught.of_team(TEAM) == [mine]
        assert await work.taught.of_team("T0GLOBEX") == [theirs]


async def test_an_answer_is_new_in_a_thread_to_one_caller_on_all_replicas(
    world: World, another_replica: AnotherReplica
) -> None:
    replicas = [world.database, await another_replica()]
    answer = GivenAnswer(TEAM, "C1", "1.1", "add-store", MEI)

    async def once(number: int) -> bool:
        async with replicas[number % 2].begin() as work:
            return await work.answered.first_time(answer, gist="a", now=world.clock())

    assert sum(await asyncio.gather(*(once(number) for number in range(20)))) == 1


async def test_an_answer_is_the_same_by_thread_topic_reader_and_gist(world: World) -> None:
    answer = GivenAnswer(TEAM, "C1", "1.1", "add-store", MEI)
    others = (
        replace(answer, team_id=OTHER_TEAM),
        replace(answer, channel_id="C2"),
        replace(answer, thread_ts="2.2"),
        replace(answer, slug="grant-orders"),
        replace(answer, reader=""),
    )
    async with world.database.begin() as work:
        for one in (answer, *others):
            assert not await work.answered.was_given(one)
            assert await work.answered.first_time(one, gist="a", now=world.clock())
            assert await work.answered.was_given(one)
        assert not await work.answered.first_time(answer, gist="a", now=world.clock())
        assert await work.answered.first_time(answer, gist="b", now=world.clock())
        assert not await work.answered.first_time(answer, gist="b", now=world.clock())
        await work.answered.take_back(answer)
        assert await work.answered.first_time(answer, gist="b", now=world.clock())
        assert await work.answered.forget(before=world.clock() + timedelta(seconds=1)) == 6


async def test_a_channel_is_open_in_its_own_workspace(world: World) -> None:
    async with world.database.begin() as work:
        assert not await work.channels.is_open(TEAM, "C1")
        assert await work.channels.open(TEAM, "C1", by="U0SAM", now=world.clock())
        assert not await work.channels.open(TEAM, "C1", by="U0KIM", now=world.clock())
        assert await work.channels.is_open(TEAM, "C1")
        assert not await work.channels.is_open(OTHER_TEAM, "C1")
        assert await work.channels.close(TEAM, "C1")
        assert not await work.channels.close(TEAM, "C1")


async def test_a_workspace_that_leaves_takes_its_questions_along(world: World) -> None:
    installations = world.database.installations
    await installations.put(Installation(TEAM, "xoxb-1", "U0BOT", "B0BOT", world.clock()))
    await keep(world, miss(world), miss(world, team_id=OTHER_TEAM))
    async with world.database.begin() as work:
        await work.channels.open(TEAM, "C1", by="U0SAM", now=world.clock())
    await installations.remove(TEAM)
    assert await frequent(world) == []
    assert await frequent(world, OTHER_TEAM) == [("zorgle", 1)]
    async with world.database.read() as work:
        assert await work.misses.counts(TEAM) == []
        assert not await work.channels.is_open(TEAM, "C1")
