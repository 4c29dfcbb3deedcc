"""The health sweep: once a day, *no* is final, everything else is asked again; one message when it breaks, one when it is well."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.domain.grants import GRANT_LIFETIME, GrantState
from bot.domain.health import SECOND_LOOK
from bot.domain.notices import CheckResult, ConsentResult, Notice
from bot.domain.stores import Store
from bot.domain.verification import Reason, Refused
from bot.domain.year_notices import GrantBroke, GrantMended, NoAnswerForDays, SecretRefused
from bot.services.sweeping import Sweeping
from tests.services.desk import ACME, LIN, LISTING, MEI, ORDERS, Desk

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


async def live_through(desk: Desk, hours: int) -> None:
    for _ in range(hours):
        desk.clock.advance(HOUR)
        await desk.sweeping.sweep()


async def told(desk: Desk, kind: type[Notice]) -> list[Notice]:
    return [notice for notice in await desk.told() if isinstance(notice, kind)]


async def test_each_authorization_is_asked_about_about_once_a_day(desk: Desk) -> None:
    await desk.granted()
    await desk.granted("Acme DE", "DE")
    desk.amazon.calls.clear()
    await live_through(desk, 24 * 10)
    assert 18 <= desk.amazon.asked("refresh") <= 22
    assert desk.amazon.asked("participations") == desk.amazon.asked("refresh")
    assert await desk.told() == []


async def test_stores_of_one_consent_share_one_refresh_and_each_has_its_probe(desk: Desk) -> None:
    await desk.granted(feature=LISTING)
    await desk.granted("Acme CA", "CA", LISTING)
    desk.amazon.calls.clear()
    desk.clock.advance(2 * DAY)
    await desk.sweeping.sweep()
    assert [call.name for call in desk.amazon.calls] == ["refresh", "probe", "probe"]


async def test_marketplaces_are_asked_for_once_whatever_the_number_of_stores(desk: Desk) -> None:
    await desk.granted()
    await desk.granted("Acme CA", "CA")
    desk.amazon.calls.clear()
    desk.clock.advance(2 * DAY)
    await desk.sweeping.sweep()
    assert [call.name for call in desk.amazon.calls] == ["refresh", "participations"]


async def test_a_withdrawal_is_told_once_to_everybody_who_shares_the_store(desk: Desk) -> None:
    store = await desk.granted()
    await desk.stores.share(MEI, LIN.user_id, colleague_name="Lin")
    await desk.told(LIN.user_id)
    worked = desk.clock()
    desk.clock.advance(2 * DAY)
    desk.amazon.withdraw(ACME, ORDERS)
    await live_through(desk, 72)
    assert (await desk.grant(store)).state is GrantState.REVOKED
    for member in (MEI, LIN):
        [broke] = await desk.told(member.user_id)
        assert isinstance(broke, GrantBroke)
        assert (broke.reason, broke.worked_until) == ("revoked", worked.isoformat())
    asked = desk.amazon.asked("refresh")
    await live_through(desk, 72)
    assert desk.amazon.asked("refresh") == asked, "a no is final: nobody asks again"


async def test_when_it_is_granted_again_the_gap_is_told_once(desk: Desk) -> None:
    store = await desk.granted()
    await live_through(desk, 30)
    desk.amazon.withdraw(ACME, ORDERS)
    await live_through(desk, 48)
    [broke] = await told(desk, GrantBroke)
    desk.clock.advance(DAY)
    await desk.consent(store)
    news = await desk.told()
    assert [type(notice) for notice in news] == [ConsentResult, GrantMended]
    mended = news[1]
    assert isinstance(mended, GrantMended)
    assert isinstance(broke, GrantBroke)
    assert (mended.worked_until, mended.mended_at) == (broke.worked_until, desk.clock().isoformat())
    await live_through(desk, 48)
    assert await desk.told() == []


@pytest.mark.parametrize("reason", [Reason.AMAZON_UNAVAILABLE, Reason.THROTTLED])
async def test_an_outage_of_weeks_ends_no_grant_and_the_desk_hears_of_it_once(desk: Desk, reason: Reason) -> None:
    store = await desk.granted()
    before = await desk.grant(store)
    desk.amazon.will("refresh", *[Refused(reason)] * 2000)
    await live_through(desk, 24 * 21)
    assert await desk.grant(store) == before
    assert await desk.told() == []
    [said] = await desk.support_told()
    assert isinstance(said, NoAnswerForDays)
    assert said.days == 3


async def test_an_outage_that_meets_every_grant_is_told_once_a_day_and_application(desk: Desk) -> None:
    for code in ("US", "DE", "JP", "AU"):
        await desk.granted(f"Acme {code}", code)
        await desk.consent(await desk.stores.find(MEI, f"Acme {code}"), LISTING)
    await desk.told()
    desk.amazon.will("refresh", *[Refused(Reason.AMAZON_UNAVAILABLE)] * 3000)
    await live_through(desk, 24 * 6)
    assert await desk.told() == []
    said = [
        (notice.feature, notice.days) for notice in await desk.support_told() if isinstance(notice, NoAnswerForDays)
    ]
    assert {feature for feature, _ in said} == {ORDERS, LISTING}
    assert len(said) <= 4, "their third days fall on two days of the calendar at most"


async def test_our_own_secret_is_the_desks_to_mend_told_once_a_day_and_nobody_else_hears(desk: Desk) -> None:
    for code in ("US", "DE", "JP", "AU"):
        await desk.granted(f"Acme {code}", code)
    desk.amazon.will("refresh", *[Refused(Reason.OUR_CREDENTIALS)] * 2000)
    desk.clock.advance(2 * DAY)
    await live_through(desk, 20)
    assert await desk.told() == []
    said = await desk.support_told()
    assert {type(notice) for notice in said} == {SecretRefused}
    assert len(said) <= 2
    assert (await desk.grant(await desk.stores.find(MEI, "Acme US"))).state is GrantState.GRANTED


async def test_while_our_secret_is_refused_the_rest_of_the_page_is_left_alone(desk: Desk) -> None:
    for code in ("US", "DE", "JP", "AU"):
        await desk.granted(f"Acme {code}", code)
    sweeping = Sweeping(desk.database, desk.amazon, desk._home, desk.intake, clock=desk.clock, hands=1)
    desk.amazon.will("refresh", *[Refused(Reason.OUR_CREDENTIALS)] * 100)
    desk.clock.advance(2 * DAY)
    desk.amazon.calls.clear()
    swept = await sweeping.sweep()
    assert (desk.amazon.asked("refresh"), swept.halted) == (1, {ORDERS})


async def test_a_lost_permission_is_looked_at_twice_before_anybody_is_told(desk: Desk) -> None:
    store = await desk.granted(feature=LISTING)
    desk.clock.advance(2 * DAY)
    desk.amazon.without_role.add((LISTING, ACME))
    await desk.sweeping.sweep()
    assert (await desk.grant(store, LISTING)).state is GrantState.GRANTED
    desk.clock.advance(SECOND_LOOK)
    await desk.sweeping.sweep()
    assert (await desk.grant(store, LISTING)).state is GrantState.PERMISSION_PROBLEM
    [broke] = await desk.told()
    assert isinstance(broke, GrantBroke)
    assert broke.reason == "permission_problem"

    desk.amazon.without_role.clear()
    await live_through(desk, 48)
    assert (await desk.grant(store, LISTING)).state is GrantState.GRANTED
    [mended] = await desk.told()
    assert isinstance(mended, GrantMended)


async def one_of_two_lost(desk: Desk, days: int) -> tuple[Store, Store]:
    """A store that is well and one that has had no access for so many days, on one authorization."""
    us, canada = await desk.granted(), await desk.granted("Acme CA", "CA")
    desk.clock.advance(DAY)
    desk.amazon.accounts[ACME] -= {"CA"}
    for _ in range(days):
        desk.clock.advance(DAY)
        await desk.sweeping.sweep()
        desk.clock.advance(SECOND_LOOK)
        await desk.sweeping.sweep()
    [broke] = await desk.told()
    assert isinstance(broke, GrantBroke)
    assert (broke.store.label, broke.others) == ("Acme CA", ())
    assert (await desk.grant(canada)).state is GrantState.PERMISSION_PROBLEM
    return us, canada


async def test_a_store_without_access_does_not_stop_the_clock_of_its_sibling(desk: Desk) -> None:
    await one_of_two_lost(desk, 60)
    desk.amazon.withdraw(ACME, ORDERS)
    desk.clock.advance(DAY)
    await desk.sweeping.sweep()
    [broke] = await desk.told()
    assert isinstance(broke, GrantBroke)
    assert (broke.store.label, broke.others) == ("Acme US", ())
    assert broke.worked_until > (desk.clock() - 3 * DAY).isoformat()


async def test_a_store_that_lost_its_access_worked_before_the_first_look_that_found_it(desk: Desk) -> None:
    granted_at = desk.clock()
    store = await desk.granted(feature=LISTING)
    desk.amazon.without_role.add((LISTING, ACME))
    desk.clock.advance(2 * DAY)
    await live_through(desk, 48)
    [broke] = await desk.told()
    assert isinstance(broke, GrantBroke)
    assert broke.worked_until == granted_at.isoformat()
    desk.amazon.withdraw(ACME, LISTING)
    await live_through(desk, 48)
    assert (await desk.grant(store, LISTING)).state is GrantState.REVOKED
    assert await desk.told() == []


async def test_a_store_is_looked_at_twice_whatever_its_sibling_was_refused_before(desk: Desk) -> None:
    us, _ = await one_of_two_lost(desk, 3)
    desk.amazon.opens(ACME, "MX")
    desk.clock.advance(DAY)
    await desk.sweeping.sweep()
    assert (await desk.grant(us)).state is GrantState.GRANTED
    desk.clock.advance(SECOND_LOOK)
    await desk.sweeping.sweep()
    assert (await desk.grant(us)).state is GrantState.PERMISSION_PROBLEM


async def test_the_second_look_is_for_the_stores_that_were_refused_at_the_first(desk: Desk) -> None:
    us, canada = await desk.granted(), await desk.granted("Acme CA", "CA")
    desk.clock.advance(2 * DAY)
    seen = []
    for sold_on in ({"MX", "CA"}, {"MX"}, {"MX", "US"}):
        desk.amazon.opens(ACME, *sold_on)
        await desk.sweeping.sweep()
        seen.append([(await desk.grant(store)).state for store in (us, canada)])
        desk.clock.advance(SECOND_LOOK)
    well, lost = GrantState.GRANTED, GrantState.PERMISSION_PROBLEM
    assert seen == [[well, well], [lost, well], [well, lost]]


async def test_days_without_access_are_no_days_of_silence(desk: Desk) -> None:
    await one_of_two_lost(desk, 10)
    desk.amazon.will("refresh", *[Refused(Reason.AMAZON_UNAVAILABLE)] * 2000)
    await live_through(desk, 36)
    assert await desk.support_told() == []
    await live_through(desk, 24 * 7)
    [said] = await desk.support_told()
    assert isinstance(said, NoAnswerForDays)
    assert said.days == 3


async def test_a_permission_that_was_missing_for_a_moment_is_nobodys_news(desk: Desk) -> None:
    store = await desk.granted(feature=LISTING)
    desk.clock.advance(2 * DAY)
    desk.amazon.will("probe", Refused(Reason.PERMISSION_PROBLEM))
    await live_through(desk, 72)
    assert (await desk.grant(store, LISTING)).state is GrantState.GRANTED
    assert await desk.told() == []


async def test_the_end_of_the_year_is_noticed_at_once_and_left_to_the_digest(desk: Desk) -> None:
    store = await desk.granted()
    desk.clock.advance(GRANT_LIFETIME - DAY)
    await desk.sweeping.sweep()
    desk.clock.advance(DAY + timedelta(minutes=1))
    await desk.sweeping.sweep()
    assert (await desk.grant(store)).state is GrantState.EXPIRED
    assert await desk.told() == []
    ended = desk.clock() - timedelta(minutes=1)
    desk.clock.advance(3 * DAY)
    await desk.consent(store)
    mended = (await desk.told())[-1]
    assert isinstance(mended, GrantMended)
    assert (mended.reason, mended.worked_until) == ("expired", ended.isoformat())


async def test_a_renewal_at_amazon_that_we_were_not_told_of_is_found(desk: Desk) -> None:
    store = await desk.granted()
    ends_at = desk.clock() + GRANT_LIFETIME
    desk.clock.advance(GRANT_LIFETIME - 10 * DAY)
    desk.amazon.renew(ACME, ORDERS)
    desk.clock.set(ends_at)
    await live_through(desk, 48)
    grant = await desk.grant(store)
    assert (grant.state, grant.ends_at) == (GrantState.GRANTED, ends_at + 335 * DAY)
    assert await desk.told() == []


async def test_whoever_asks_and_finds_it_broken_is_told_by_the_answer_and_the_others_by_a_message(desk: Desk) -> None:
    store = await desk.granted()
    await desk.stores.share(MEI, LIN.user_id, colleague_name="Lin")
    await desk.told(LIN.user_id)
    desk.amazon.withdraw(ACME, ORDERS)
    await desk.checking.tell(MEI, ORDERS, store.id)
    assert [type(notice) for notice in await desk.told()] == [CheckResult]
    [broke] = await desk.told(LIN.user_id)
    assert isinstance(broke, GrantBroke)


async def test_what_is_found_broken_while_nobody_pressed_check_result_is_told_to_everybody(desk: Desk) -> None:
    us = await desk.granted()
    await desk.granted("Acme CA", "CA")
    await desk.stores.share(MEI, LIN.user_id, colleague_name="Lin")
    await desk.told(LIN.user_id)
    desk.amazon.withdraw(ACME, ORDERS)
    await desk.checking.check(MEI, ORDERS, us.id)
    for member in (MEI, LIN):
        [broke] = await desk.told(member.user_id)
        assert isinstance(broke, GrantBroke)
        assert {broke.store.label, *broke.others} == {"Acme US", "Acme CA"}
    await live_through(desk, 48)
    assert await desk.told() == []


async def test_replicas_that_sweep_at_once_ask_once(desk: Desk) -> None:
    for code in ("US", "DE", "JP", "AU"):
        await desk.granted(f"Acme {code}", code)
    desk.clock.advance(2 * DAY)
    desk.amazon.calls.clear()
    replica = Sweeping(desk.database, desk.amazon, desk._home, desk.intake, clock=desk.clock)
    await asyncio.gather(desk.sweeping.sweep(), replica.sweep())
    assert desk.amazon.asked("refresh") == 4


async def test_what_a_crash_left_in_hand_is_taken_up_when_its_lease_is_over(desk: Desk) -> None:
    await desk.granted()
    desk.clock.advance(2 * DAY)
    desk.amazon.calls.clear()

    async def crash() -> None:
        raise RuntimeError("the machine stops here")

    desk.amazon.meanwhile("refresh", crash)
    await desk.sweeping.sweep()
    await desk.sweeping.sweep()
    assert desk.amazon.asked("refresh") == 1
    desk.clock.advance(timedelta(minutes=10))
    await desk.sweeping.sweep()
    assert desk.amazon.asked("refresh") == 2


async def test_a_sibling_renewed_by_a_consent_whose_own_probe_is_refused_is_told_and_told_again_when_it_breaks(
    desk: Desk,
) -> None:
    us, canada = await desk.granted(), await desk.granted("Acme CA", "CA")
    desk.clock.advance(2 * DAY)
    desk.amazon.withdraw(ACME, ORDERS)
    await desk.sweeping.sweep()
    [broke] = await told(desk, GrantBroke)

    desk.amazon.will("probe", Refused(Reason.PERMISSION_PROBLEM))
    await desk.consent(us)
    assert [(await desk.grant(store)).state for store in (us, canada)] == [
        GrantState.PERMISSION_PROBLEM,
        GrantState.GRANTED,
    ]
    [mended] = await told(desk, GrantMended)
    assert isinstance(mended, GrantMended)
    assert (mended.store.label, mended.others) == ("Acme CA", ())

    await live_through(desk, 48)
    [mended] = await told(desk, GrantMended)
    assert isinstance(mended, GrantMended)
    assert isinstance(broke, GrantBroke)
    assert (mended.store.label, mended.worked_until) == ("Acme US", broke.worked_until), "one gap, as long as it was"

    desk.amazon.withdraw(ACME, ORDERS)
    await live_through(desk, 48)
    [broke] = await told(desk, GrantBroke)
    assert isinstance(broke, GrantBroke)
    assert (broke.store.label, broke.others) == ("Acme US", ("Acme CA",))


async def test_a_renewal_at_amazon_does_not_call_a_store_well_whose_own_probe_is_refused(desk: Desk) -> None:
    us, canada = await desk.granted(), await desk.granted("Acme CA", "CA")
    ends_at = desk.clock() + GRANT_LIFETIME
    desk.clock.advance(GRANT_LIFETIME - 10 * DAY)
    desk.amazon.accounts[ACME] -= {"CA"}
    await live_through(desk, 48)
    [broke] = await desk.told()
    assert isinstance(broke, GrantBroke)
    assert broke.store.id == canada.id
    desk.amazon.renew(ACME, ORDERS)
    desk.clock.set(ends_at)
    await live_through(desk, 72)
    grants = [await desk.grant(store) for store in (us, canada)]
    assert [grant.state for grant in grants] == [GrantState.GRANTED, GrantState.PERMISSION_PROBLEM]
    assert {grant.ends_at for grant in grants} == {ends_at + 335 * DAY}
    assert await desk.told() == []


async def test_a_moment_still_to_come_counts_as_now(desk: Desk) -> None:
    await desk.granted()
    desk.amazon.calls.clear()
    await desk.sweeping.sweep(desk.clock() + 10 * DAY)
    assert desk.amazon.calls == []
