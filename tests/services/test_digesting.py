"""Digests over a real database: who, when, once, and what people press."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.digests import Quieting
from bot.domain.grants import GRANT_LIFETIME
from bot.domain.year_notices import DeskDigest, SellerDigest
from bot.ports import Person
from bot.services.digesting import Digesting, Habits, Reaction
from tests.services.desk import LIN, LISTING, MEI, ORDERS, Desk

#: nine in the morning in Shanghai, a Monday
MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


async def granted_ending_in(desk: Desk, days: float, label: str = "Acme US", marketplace: str = "US") -> None:
    """A store of Mei's whose order import ends so many days after Monday's morning; everybody is a reader already."""
    desk.clock.set(MORNING + timedelta(days=days, hours=5) - GRANT_LIFETIME)
    await desk.granted(label, marketplace)
    await desk.digesting.enroll(desk.clock())
    desk.clock.set(MORNING)


async def digests(desk: Desk, user_id: str = MEI.user_id) -> list[SellerDigest]:
    return [notice for notice in await desk.told(user_id) if isinstance(notice, SellerDigest)]


async def desk_digests(desk: Desk) -> list[DeskDigest]:
    return [notice for notice in await desk.support_told() if isinstance(notice, DeskDigest)]


async def test_an_end_is_told_at_the_readers_morning_with_everything_that_ends(desk: Desk) -> None:
    await granted_ending_in(desk, 14)
    desk.clock.set(MORNING - timedelta(minutes=1))
    await desk.digesting.plan()
    assert await digests(desk) == []
    desk.clock.set(MORNING)
    await desk.digesting.plan()
    [digest] = await digests(desk)
    assert digest.period == "2026-03-02"
    assert [(ending.store.label, ending.feature) for ending in digest.endings] == [("Acme US", ORDERS)]
    assert [(day.day, day.orders, day.listing) for day in digest.calendar] == [("2026-03-16", 1, 0)]


async def test_nothing_to_say_nothing_sent(desk: Desk) -> None:
    await granted_ending_in(desk, 60)
    assert await desk.digesting.plan() == 0
    assert await desk.told() == []
    assert await desk.support_told() == []


async def test_planning_again_at_the_same_moment_tells_nothing_again(desk: Desk) -> None:
    await granted_ending_in(desk, 14)
    await desk.digesting.plan()
    await desk.digesting.plan()
    assert len(await digests(desk)) == 1


async def test_replicas_that_plan_at_once_tell_once(desk: Desk) -> None:
    await granted_ending_in(desk, 14)
    replica = Digesting(desk.database, desk.people, clock=desk.clock, roles=desk.roles, channel="C0SUPPORT")
    await asyncio.gather(desk.digesting.plan(), replica.plan(), desk.digesting.plan())
    assert len(await digests(desk)) == 1


async def test_every_member_of_the_account_reads_at_their_own_hour(desk: Desk) -> None:
    colleague = Person(MEI.team_id, "U0NINA", "en", "Europe/London")
    desk.people.known[(colleague.team_id, colleague.user_id)] = colleague
    await granted_ending_in(desk, 14)
    await desk.stores.share(MEI, colleague.user_id, colleague_name="Nina")
    desk.clock.set(MORNING - timedelta(days=1))
    await desk.digesting.enroll(desk.clock())
    assert await desk.digesting.change_habits(colleague, Habits(hour=18, weekday=0, wanted=True))
    desk.clock.set(MORNING)
    await desk.digesting.plan()
    assert len(await digests(desk)) == 1
    assert await digests(desk, colleague.user_id) == []
    desk.clock.set(datetime(2026, 3, 2, 18, 0, tzinfo=UTC))
    await desk.digesting.plan()
    assert len(await digests(desk, colleague.user_id)) == 1


async def test_who_had_an_account_without_stores_and_joins_another_reads_of_its_stores(desk: Desk) -> None:
    await desk.stores.confirm_preparations(LIN)
    await granted_ending_in(desk, 14)
    await desk.stores.share(MEI, LIN.user_id, colleague_name="Lin")
    desk.clock.set(MORNING + timedelta(hours=1))
    await desk.digesting.plan()
    assert len(await digests(desk, LIN.user_id)) == 1


async def test_a_stranger_hears_nothing_of_it(desk: Desk) -> None:
    await granted_ending_in(desk, 14)
    await desk.store(LIN, "Lins", "US")
    await desk.digesting.plan()
    desk.clock.advance(timedelta(days=1))
    await desk.digesting.plan()
    assert await desk.told(LIN.user_id) == []


async def test_a_machine_that_slept_a_week_tells_once(desk: Desk) -> None:
    await granted_ending_in(desk, 14)
    await desk.digesting.plan()
    await digests(desk)
    desk.clock.set(MORNING + timedelta(days=8, hours=3))
    for _ in range(3):
        await desk.digesting.plan()
        desk.clock.advance(timedelta(minutes=5))
    [digest] = await digests(desk)
    assert digest.period == "2026-03-10"


async def test_a_machine_that_wakes_at_night_waits_for_the_morning(desk: Desk) -> None:
    await granted_ending_in(desk, 14)
    desk.clock.set(MORNING + timedelta(hours=14))  # 23:00
    await desk.digesting.plan()
    assert await digests(desk) == []
    desk.clock.set(MORNING + timedelta(days=1))
    await desk.digesting.plan()
    [digest] = await digests(desk)
    assert digest.period == "2026-03-03"


async def test_who_wants_no_digest_gets_none_and_who_turns_it_on_again_does(desk: Desk) -> None:
    await granted_ending_in(desk, 7)
    await desk.digesting.change_habits(MEI, Habits(9, 0, wanted=False))
    await desk.digesting.plan()
    assert await digests(desk) == []
    assert (await desk.digesting.habits(MEI)).wanted is False
    await desk.digesting.change_habits(MEI, Habits(10, 0, wanted=True))
    desk.clock.advance(timedelta(hours=1))
    await desk.digesting.plan()
    assert len(await digests(desk)) == 1


async def test_somebody_without_stores_has_nothing_to_be_told(desk: Desk) -> None:
    assert not await desk.digesting.change_habits(LIN, Habits(9, 0, wanted=True))
    assert (await desk.digesting.preview(LIN)).digest is None


async def test_i_know_is_silence_for_the_one_who_pressed_and_no_case_for_the_desk(desk: Desk) -> None:
    await granted_ending_in(desk, 7)
    await desk.digesting.plan()
    [digest] = await digests(desk)
    assert await desk.digesting.react(MEI, Quieting.KNOW, digest.period) == Reaction(1, None)
    for day in range(1, 7):
        desk.clock.set(MORNING + timedelta(days=day, hours=8))
        await desk.digesting.plan()
    assert await digests(desk) == []
    assert all(not one.ignored for one in await desk_digests(desk))
    desk.clock.set(MORNING + timedelta(days=7))
    await desk.digesting.plan()
    assert len(await digests(desk)) == 1, "the day itself is told"


async def test_a_snooze_lasts_a_week(desk: Desk) -> None:
    await granted_ending_in(desk, 14)
    await desk.digesting.plan()
    [digest] = await digests(desk)
    desk.clock.set(MORNING + timedelta(hours=3))
    reaction = await desk.digesting.react(MEI, Quieting.SNOOZE, digest.period)
    assert reaction == Reaction(1, MORNING + timedelta(days=7, hours=-9)), "until the ninth begins in Shanghai"
    told = []
    for day in range(1, 9):
        desk.clock.set(MORNING + timedelta(days=day))
        await desk.digesting.plan()
        told += [one.period for one in await digests(desk)]
    assert told == ["2026-03-09"], "on the day that was promised, whatever the hour of the press"


@pytest.mark.parametrize("value", ["", "yesterday", "2026-13-01"])
async def test_a_press_with_a_value_that_is_no_day_does_no_harm(desk: Desk, value: str) -> None:
    await granted_ending_in(desk, 14)
    assert await desk.digesting.react(MEI, Quieting.SNOOZE, value) == Reaction(0, None)


async def test_a_press_after_the_end_quiets_nothing(desk: Desk) -> None:
    await granted_ending_in(desk, 1)
    desk.clock.advance(timedelta(days=2))
    assert await desk.digesting.react(MEI, Quieting.KNOW, "2026-03-02") == Reaction(0, None, too_late=True)


async def test_a_press_after_a_renewal_has_nothing_to_quiet(desk: Desk) -> None:
    await granted_ending_in(desk, 1)
    await desk.consent(await desk.stores.find(MEI, "Acme US"))
    assert await desk.digesting.react(MEI, Quieting.SNOOZE, "2026-03-02") == Reaction(0, None)


async def test_a_workspace_the_bot_has_left_is_not_written_to(desk: Desk) -> None:
    await granted_ending_in(desk, 14)
    present = False

    async def installed(_team_id: str) -> bool:
        return present

    digesting = Digesting(
        desk.database, desk.people, clock=desk.clock, roles=desk.roles, channel="C0SUPPORT", installed=installed
    )
    await digesting.plan()
    assert await digests(desk) == []
    present = True
    desk.clock.advance(timedelta(days=1))
    await digesting.plan()
    assert len(await digests(desk)) == 1


async def test_what_nobody_reacts_to_goes_to_the_desk_with_its_people(desk: Desk) -> None:
    await granted_ending_in(desk, 3)
    desk.clock.set(MORNING + timedelta(hours=8))  # nine o'clock for the desk, in UTC
    await desk.digesting.plan()
    [digest] = await desk_digests(desk)
    assert [(one.store.label, one.members) for one in digest.ignored] == [("Acme US", (MEI.user_id,))]
    desk.clock.advance(timedelta(days=1))
    await desk.digesting.plan()
    assert await desk_digests(desk) == [], "not again on the next day"
    desk.clock.advance(timedelta(days=1))
    await desk.digesting.plan()
    assert len(await desk_digests(desk)) == 1, "but on its last"


async def test_a_new_link_is_a_reaction(desk: Desk) -> None:
    await granted_ending_in(desk, 3)
    store = await desk.stores.find(MEI, "Acme US")
    await desk.card(store)
    desk.clock.set(MORNING + timedelta(hours=8))
    await desk.digesting.plan()
    assert all(not one.ignored for one in await desk_digests(desk))


async def test_the_desk_reads_counts_weekly(desk: Desk) -> None:
    await granted_ending_in(desk, 20)
    await granted_ending_in(desk, 20, "Acme CA", "CA")
    store = await desk.stores.find(MEI, "Acme US")
    desk.clock.set(MORNING + timedelta(days=20) - GRANT_LIFETIME)
    await desk.consent(store, LISTING)
    told = []
    for day in range(8):
        desk.clock.set(MORNING + timedelta(days=day, hours=8))
        await desk.digesting.plan()
        told += await desk_digests(desk)
    assert [one.period for one in told] == ["2026-03-02", "2026-03-09"]
    assert [(day.day, day.orders, day.listing) for day in told[0].calendar] == [("2026-03-22", 2, 1)]


async def test_a_snooze_that_ran_out_and_a_link_that_came_to_nothing_are_no_reaction(desk: Desk) -> None:
    await granted_ending_in(desk, 14)
    await desk.digesting.plan()
    await desk.digesting.react(MEI, Quieting.SNOOZE, "2026-03-02")
    await desk.card(await desk.stores.find(MEI, "Acme US"))
    ignored = []
    for day in range(15):
        desk.clock.set(MORNING + timedelta(days=day, hours=8))
        await desk.digesting.plan()
        ignored += [one.period for one in await desk_digests(desk) if one.ignored]
    assert ignored == ["2026-03-13", "2026-03-15", "2026-03-16"], "three days before, one, and on the day"


async def test_a_run_for_a_moment_to_come_tells_now_and_leaves_the_mornings_until_then(desk: Desk) -> None:
    await granted_ending_in(desk, 10)
    desk.clock.set(MORNING - timedelta(hours=2))
    later = MORNING + timedelta(days=7, hours=8)
    assert await desk.digesting.plan(later) >= 1
    assert [one.period for one in await digests(desk)] == ["2026-03-09"]
    assert await desk.digesting.plan(later) == 0, "what was told for a day is not told again"
    told = []
    for day in range(11):
        desk.clock.set(MORNING + timedelta(days=day))
        await desk.digesting.plan()
        told += [one.period for one in await digests(desk)]
    assert told == ["2026-03-02", "2026-03-05", "2026-03-11", "2026-03-12"], "the 9th was told beforehand"
    assert [one.period for one in await desk_digests(desk)].count("2026-03-09") == 1


async def test_a_store_that_is_switched_off_is_not_spoken_of(desk: Desk) -> None:
    await granted_ending_in(desk, 7)
    store = await desk.stores.find(MEI, "Acme US")
    await desk.stores.disable(MEI, store.id)
    await desk.digesting.plan()
    assert await digests(desk) == []


async def test_a_digest_too_old_to_be_sent_is_made_anew(desk: Desk) -> None:
    await granted_ending_in(desk, 14)
    await desk.digesting.plan()
    [lost] = await digests(desk)
    desk.clock.set(MORNING + timedelta(hours=21))
    await desk.digesting.missed(MEI.team_id, MEI.user_id, lost.facts())
    await desk.digesting.plan()
    assert await digests(desk) == [], "it is night"
    desk.clock.set(MORNING + timedelta(days=1))
    await desk.digesting.plan()
    [again] = await digests(desk)
    assert again.period == "2026-03-03"
    await desk.digesting.missed(MEI.team_id, MEI.user_id, lost.facts())
    await desk.digesting.plan()
    assert await digests(desk) == [], "a newer one was told meanwhile"


async def test_now_shows_what_ends_whatever_was_said_and_else_the_next_end(desk: Desk) -> None:
    await granted_ending_in(desk, 5)
    preview = await desk.digesting.preview(MEI)
    assert preview.digest is not None
    assert len(preview.digest.endings) == 1
    await desk.digesting.react(MEI, Quieting.KNOW, "2026-03-02")
    assert (await desk.digesting.preview(MEI)).digest == preview.digest
    desk.clock.set(MORNING - timedelta(days=100))
    later = await desk.digesting.preview(MEI)
    assert later.digest is None
    assert later.next_end == MORNING + timedelta(days=5, hours=5)


async def test_a_zone_nobody_has_asked_for_is_asked_for_once_there_is_something_to_say(desk: Desk) -> None:
    await granted_ending_in(desk, 60)
    desk.people.asked.clear()
    desk.clock.set(MORNING + timedelta(hours=8))
    await desk.digesting.plan()
    assert desk.people.asked == []
    desk.clock.set(MORNING + timedelta(days=53, hours=8))
    await desk.digesting.plan()
    assert desk.people.asked == [MEI.user_id]


async def test_people_nobody_has_met_are_asked_for_a_few_at_a_time_and_none_is_forgotten(desk: Desk) -> None:
    people = [Person(MEI.team_id, f"U{number:03d}", "en", "Asia/Shanghai") for number in range(7)]
    for number, person in enumerate(people):
        desk.people.known[(person.team_id, person.user_id)] = person
        account = desk.amazon.opens(f"A{number:03d}PARTNER", "US")
        desk.clock.set(MORNING + timedelta(days=7, hours=5) - GRANT_LIFETIME)
        store = await desk.store(person, f"Store {number}", "US", day="2025-03-01")
        assert (await desk.consent(store, person=person, account=account)).verdict
        await desk.told(person.user_id)
    await desk.digesting.enroll(desk.clock())
    desk.clock.set(MORNING)
    digesting = Digesting(desk.database, desk.people, clock=desk.clock, roles=desk.roles, page=3, zones=4)
    told = []
    for _ in range(3):
        desk.people.asked.clear()
        await digesting.plan()
        told.append((len(desk.people.asked), sum([len(await digests(desk, one.user_id)) for one in people])))
        desk.clock.advance(timedelta(minutes=5))
    assert told == [(4, 4), (3, 3), (0, 0)]


async def test_more_readers_than_a_page_are_all_told(desk: Desk) -> None:
    people = [Person(MEI.team_id, f"U{number:03d}", "en", "UTC") for number in range(11)]
    for number, person in enumerate(people):
        desk.people.known[(person.team_id, person.user_id)] = person
        account = desk.amazon.opens(f"A{number:03d}PARTNER", "US")
        desk.clock.set(MORNING + timedelta(days=7, hours=5) - GRANT_LIFETIME)
        store = await desk.store(person, f"Store {number}", "US", day="2025-03-01")
        assert (await desk.consent(store, person=person, account=account)).verdict
        await desk.told(person.user_id)
    await desk.digesting.enroll(desk.clock())
    desk.clock.set(MORNING + timedelta(hours=8))
    await desk.digesting.plan()
    assert [len(await digests(desk, person.user_id)) for person in people] == [1] * 11
