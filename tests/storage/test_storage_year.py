"""What the year of a grant keeps: readers and their mornings, ends, silence, outages, and whose turn it is to be asked about."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.domain.consent import Outcome
from bot.domain.digests import Quiet, Reader
from bot.domain.features import FeatureKey
from bot.domain.grants import Authorization, AuthorizationKey, AuthorizationState, Move, first_grant
from bot.domain.health import Outage, Trouble
from bot.domain.stores import Seller, Store
from bot.domain.verification import Reason
from bot.ports import Person
from tests.conftest import AnotherReplica
from tests.storage.examples import ALEX, LIN, MEI, OTHER_TEAM, TEAM, World

ORDERS, LISTING = FeatureKey.ORDERS, FeatureKey.LISTING
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)
CHANNEL = "C0SUPPORT"


@pytest.fixture(autouse=True)
def monday(world: World) -> None:
    world.clock.set(NOW)


async def granted(world: World, store: Store, *, days: float, feature: FeatureKey = ORDERS) -> None:
    async with world.database.begin() as work:
        seller = await work.sellers.get(store.team_id, store.seller_id)
        assert seller is not None
        account = f"A{store.id}"
        assert await work.stores.bind(store, account) is None
        authorization = await work.authorizations.put(
            Authorization(
                id=world.entropy.new_id(),
                team_id=store.team_id,
                seller_id=seller.id,
                feature=feature,
                key=AuthorizationKey(f"app.{feature.value}", account, "NA"),
                consented_at=NOW - DAY,
                ends_at=NOW + days * DAY,
            ),
            refresh_token="Atzr|token",
        )
        grant = first_grant(store.id, feature, at=NOW)
        await work.grants.put(
            grant.after(Move.ACCEPT, at=NOW, authorization_id=authorization.id, ends_at=authorization.ends_at)
        )


async def readers(world: World, now: datetime = NOW) -> list[Reader]:
    async with world.database.read() as work:
        return list(await work.readers.due(now=now, after=None, limit=100))


# --- readers ---------------------------------------------------------------------------------------------------------


async def test_members_and_the_desk_become_readers_once(world: World) -> None:
    seller, other = await world.seller(), await world.seller(ALEX, team_id=OTHER_TEAM)
    await world.database.people.put(Person(TEAM, MEI, "zh-CN", "Asia/Shanghai"), fetched_at=NOW)
    async with world.database.begin() as work:
        await work.sellers.add_member(seller, LIN, at=NOW)
        assert await work.readers.enroll(now=NOW, channel=CHANNEL, limit=100) == 5
        assert await work.readers.enroll(now=NOW, channel=CHANNEL, limit=100) == 0
    found = {(one.team_id, one.recipient): one for one in await readers(world, NOW + 2 * DAY)}
    assert set(found) == {(TEAM, MEI), (TEAM, LIN), (TEAM, CHANNEL), (OTHER_TEAM, ALEX), (OTHER_TEAM, CHANNEL)}
    mei, lin, desk = found[TEAM, MEI], found[TEAM, LIN], found[TEAM, CHANNEL]
    assert (mei.tz, mei.seller_id, mei.next_at) == ("Asia/Shanghai", seller.id, NOW + DAY)
    assert lin.tz == "", "nobody has asked yet"
    assert (desk.tz, desk.seller_id) == ("", None), "as configured, until an agent sets it"
    assert found[OTHER_TEAM, ALEX].seller_id == other.id


async def test_a_desk_that_moved_is_not_written_to_in_its_old_channel(world: World) -> None:
    await world.seller()
    async with world.database.begin() as work:
        await work.readers.enroll(now=NOW, channel="C0OLD", limit=100)
        await work.readers.enroll(now=NOW, channel=CHANNEL, limit=100)
    assert {one.recipient for one in await readers(world, NOW + 2 * DAY)} == {MEI, CHANNEL}


async def test_pages_of_readers_go_on_where_the_last_one_ended(world: World) -> None:
    for number in range(7):
        await world.seller(f"U{number}")
    async with world.database.begin() as work:
        await work.readers.enroll(now=NOW, channel="", limit=100)
    seen: list[str] = []
    after: tuple[object, ...] | None = None
    while True:
        async with world.database.read() as work:
            page = await work.readers.due(now=NOW + 2 * DAY, after=after, limit=3)
        if not page:
            break
        seen += [one.recipient for one in page]
        after = (page[-1].next_at, page[-1].team_id, page[-1].recipient)
    assert sorted(seen) == [f"U{number}" for number in range(7)]


async def test_of_two_replicas_one_turns_a_reader(world: World, another_replica: AnotherReplica) -> None:
    await world.seller()
    async with world.database.begin() as work:
        await work.readers.enroll(now=NOW, channel="", limit=100)
    [mei] = await readers(world, NOW + 2 * DAY)
    replica = await another_replica()

    async def turn(database: object) -> int:
        async with database.begin() as work:  # type: ignore[attr-defined]
            turned = await work.readers.turn([mei], last_day=date(2026, 3, 3), next_at=NOW + 3 * DAY)
            fresh = await work.announcements.first_times(turned, "digest:2026-03-03", at=NOW)
            return len(fresh)

    assert sorted(await asyncio.gather(turn(world.database), turn(replica))) == [0, 1]
    [turned] = await readers(world, NOW + 9 * DAY)
    assert (turned.last_day, turned.next_at) == (date(2026, 3, 3), NOW + 3 * DAY)
    async with world.database.begin() as work:
        await work.readers.pass_over([(mei, NOW + 9 * DAY), (turned, NOW + 4 * DAY)])
        assert await work.readers.next_due() == NOW + 4 * DAY, "what was seen before the turn counts no more"


async def test_habits_are_kept_and_a_reader_who_wants_none_is_never_due(world: World) -> None:
    seller = await world.seller()
    mine = Reader(TEAM, MEI, seller.id, hour=18, weekday=4, next_at=None)
    async with world.database.begin() as work:
        await work.readers.put(mine)
        await work.readers.put(replace(mine, hour=7))
        found = await work.readers.get(TEAM, MEI)
    assert found is not None
    assert (found.hour, found.weekday, found.next_at) == (7, 4, None)
    assert await readers(world, NOW + 400 * DAY) == []


async def test_an_announcement_is_made_once_and_can_be_taken_back(world: World) -> None:
    async with world.database.begin() as work:
        assert await work.announcements.first_time(TEAM, "desk", "secret:1", at=NOW)
        assert not await work.announcements.first_time(TEAM, "desk", "secret:1", at=NOW)
        await work.announcements.take_back(TEAM, "desk", "secret:1")
        assert await work.announcements.first_time(TEAM, "desk", "secret:1", at=NOW)
        assert await work.announcements.prune(before=NOW) == 0
        assert await work.announcements.prune(before=NOW + DAY) == 1


# --- endings ---------------------------------------------------------------------------------------------------------


async def some_ends(world: World) -> tuple[Seller, Seller, list[Store]]:
    mine, others = await world.seller(), await world.seller(LIN)
    stores = [
        await world.store(mine, "Soon"),
        await world.store(mine, "Later", "CA"),
        await world.store(mine, "Past", "MX"),
        await world.store(others, "Others"),
    ]
    for store, days in zip(stores, (3, 60, -2, 5), strict=True):
        await granted(world, store, days=days)
    return mine, others, stores


async def test_ends_are_found_by_seller_within_bounds_with_their_silence(world: World) -> None:
    mine, others, stores = await some_ends(world)
    async with world.database.begin() as work:
        found = await work.endings.of_sellers([mine.id, others.id], since=NOW - 7 * DAY, until=NOW + 31 * DAY)
        soon = next(one for one in found[mine.id] if one.store.id == stores[0].id)
        for user, until in ((MEI, None), (LIN, NOW + DAY)):
            await work.endings.quiet(soon, Quiet(user, soon.ends_at, until, NOW))
        await work.endings.quiet(soon, Quiet(LIN, soon.ends_at, NOW + 2 * DAY, NOW))
        again = await work.endings.of_sellers([mine.id], since=NOW - 7 * DAY, until=NOW + 31 * DAY)
    assert [one.store.label for one in found[mine.id]] == ["Soon", "Past"]
    assert [one.store.label for one in found[others.id]] == ["Others"]
    quiets = next(one.quiets for one in again[mine.id] if one.store.id == stores[0].id)
    assert sorted((quiet.user_id, quiet.until) for quiet in quiets if quiet.until) == [(LIN, NOW + 2 * DAY)]
    assert {quiet.user_id for quiet in quiets} == {MEI, LIN}


async def test_a_workspaces_ends_come_in_pages_soonest_first(world: World) -> None:
    _, _, stores = await some_ends(world)
    async with world.database.begin() as work:
        await work.stores.update(replace(stores[3], disabled_at=NOW))
    await granted(world, await world.store(await world.seller(ALEX, team_id=OTHER_TEAM), "Elsewhere"), days=4)
    seen: list[str] = []
    after: tuple[object, ...] | None = None
    while True:
        async with world.database.read() as work:
            page = await work.endings.of_team(TEAM, since=NOW - 7 * DAY, until=NOW + 100 * DAY, after=after, limit=2)
        seen += [one.store.label for one in page]
        if len(page) < 2:
            break
        after = (page[-1].ends_at, page[-1].store.id, page[-1].feature.value)
    assert seen == ["Past", "Soon", "Later"], "neither switched off nor of another workspace"


async def test_a_press_or_a_new_link_is_a_reaction(world: World) -> None:
    mine, others, stores = await some_ends(world)
    async with world.database.begin() as work:
        found = await work.endings.of_sellers([mine.id, others.id], since=NOW - 7 * DAY, until=NOW + 31 * DAY)
        every = [one for many in found.values() for one in many]
        assert await work.endings.reacted(every, now=NOW) == set()
        soon = next(one for one in every if one.store.id == stores[0].id)
        await work.endings.quiet(soon, Quiet(MEI, soon.ends_at - 365 * DAY, None, NOW))
        assert await work.endings.reacted(every, now=NOW) == set(), "that was about the old year"
        await work.endings.quiet(soon, Quiet(MEI, soon.ends_at, None, NOW))
    await world.attempt(stores[3], LIN)
    async with world.database.begin() as work:
        await work.endings.quiet(soon, Quiet(LIN, soon.ends_at, NOW - DAY, NOW - 8 * DAY))
    async with world.database.read() as work:
        assert await work.endings.reacted(every, now=NOW) == {(stores[0].id, ORDERS), (stores[3].id, ORDERS)}
        later = NOW + 8 * DAY
        assert await work.endings.reacted(every, now=later) == {(stores[0].id, ORDERS)}, "the link came to nothing"
        assert await work.endings.next_of(mine.id, now=NOW) == NOW + 3 * DAY


# --- health ----------------------------------------------------------------------------------------------------------


async def test_whose_turn_it_is_is_taken_once_and_given_back_in_time(
    world: World, another_replica: AnotherReplica
) -> None:
    await some_ends(world)
    replica = await another_replica()
    later = NOW + 3 * DAY

    async def take(database: object) -> list[str]:
        async with database.begin() as work:  # type: ignore[attr-defined]
            taken = await work.health.take(now=later, until=later + timedelta(minutes=10), limit=10)
            await asyncio.sleep(0.05)
        return [one.authorization.id for one in taken]

    both = await asyncio.gather(take(world.database), take(replica))
    assert sorted(len(one) for one in both) == [0, 4]
    assert await take(world.database) == []
    async with world.database.begin() as work:
        again = await work.health.take(now=later + timedelta(minutes=10), until=later + DAY, limit=10)
    assert len(again) == 4


async def test_trouble_is_kept_until_it_works_again(world: World) -> None:
    await some_ends(world)
    later = NOW + 3 * DAY
    trouble = Trouble(Reason.THROTTLED, 2, date(2026, 3, 4), frozenset({"one", "another"}))
    async with world.database.begin() as work:
        [first, *_] = await work.health.take(now=later, until=later, limit=1)
        assert first.trouble is None
        await work.health.failed(first.authorization, trouble, next_at=NOW - 365 * DAY)
        [again] = await work.health.take(now=NOW, until=NOW, limit=1)
        assert again.trouble == trouble
        assert await work.health.worked_until(first.authorization) <= NOW
        await work.health.worked(first.authorization, at=NOW + timedelta(hours=1), next_at=NOW - 365 * DAY)
        [well] = await work.health.take(now=NOW, until=later + DAY, limit=1)
        assert (well.trouble, well.worked_at) == (None, NOW + timedelta(hours=1))
        assert await work.health.next_due() is not None


async def test_what_is_revoked_is_nobodys_turn_and_no_seller_of_the_application(world: World) -> None:
    _, _, [store, *_] = await some_ends(world)
    async with world.database.begin() as work:
        assert await work.health.sellers_of("app.orders") == 4
        found = await work.authorizations.find(AuthorizationKey("app.orders", f"A{store.id}", "NA"))
        assert found is not None
        await work.authorizations.update(replace(found, state=AuthorizationState.REVOKED))
        assert await work.health.sellers_of("app.orders") == 3
        taken = await work.health.take(now=NOW + 9 * DAY, until=NOW + 9 * DAY, limit=10)
    assert found.id not in {one.authorization.id for one in taken}


async def test_an_outage_is_opened_once_and_closed_once(world: World) -> None:
    store = await world.store(await world.seller())
    outage = Outage(store.id, ORDERS, Reason.REVOKED, worked_until=NOW - DAY, noticed_at=NOW)
    async with world.database.begin() as work:
        assert await work.health.broke(outage)
        assert not await work.health.broke(replace(outage, noticed_at=NOW + DAY))
        assert await work.health.broke(replace(outage, feature=LISTING))
        closed = await work.health.mended(store.id, ORDERS, at=NOW + 2 * DAY)
        assert closed == replace(outage, mended_at=NOW + 2 * DAY)
        assert await work.health.mended(store.id, ORDERS, at=NOW + 3 * DAY) is None
        assert await work.health.broke(replace(outage, noticed_at=NOW + 4 * DAY)), "another time"


async def test_an_attempt_is_nudged_about_once(world: World) -> None:
    attempt = await world.attempt(await world.store(await world.seller()))
    async with world.database.begin() as work:
        assert not await work.attempts.nudge(attempt, at=NOW), "it is not closed"
        await work.attempts.update(replace(attempt, outcome=Outcome.TIMED_OUT))
        assert await work.attempts.nudge(attempt, at=NOW)
        assert not await work.attempts.nudge(attempt, at=NOW)


async def test_a_run_of_a_job_is_remembered(world: World) -> None:
    runs = world.database.job_runs
    assert await runs.last("plan-digests") is None
    await runs.claim("plan-digests", due=NOW)
    await runs.claim("plan-digests", due=NOW + DAY)
    assert await runs.last("plan-digests") == NOW + DAY


async def test_who_goes_takes_along_what_is_kept_of_them(world: World) -> None:
    mine, _, [store, *_] = await some_ends(world)
    async with world.database.begin() as work:
        [ending, *_] = (await work.endings.of_sellers([mine.id], since=NOW, until=NOW + 31 * DAY))[mine.id]
        await work.endings.quiet(ending, Quiet(MEI, ending.ends_at, None, NOW))
        await work.health.broke(Outage(store.id, ORDERS, Reason.REVOKED, worked_until=NOW, noticed_at=NOW))
        await work.stores.delete(store)
        assert await work.health.mended(store.id, ORDERS, at=NOW) is None
