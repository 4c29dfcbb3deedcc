"""*Check result*: Amazon is asked now, and grants move by what it says and by nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.consent import STATE_LIFETIME
from bot.domain.grants import GRANT_LIFETIME, GrantState
from bot.domain.notices import CheckResult, OursToMend
from bot.domain.verification import Reason, Refused, Verified
from bot.errors import UnknownStore
from tests import fakes
from tests.services.desk import ACME, ALEX, LIN, LISTING, MEI, ORDERS, Desk


async def test_a_good_grant_is_verified_with_the_day_it_ends(desk: Desk) -> None:
    store = await desk.granted()
    ends_at = desk.clock() + GRANT_LIFETIME
    desk.clock.advance(timedelta(days=3))

    verdict = await desk.checking.tell(MEI, ORDERS, store.id)

    assert verdict == Verified(desk.clock(), ends_at)
    [result] = await desk.told()
    assert isinstance(result, CheckResult)
    assert (result.reason, result.ends_at, result.offer) == ("", ends_at.isoformat(), LISTING)
    await desk.nothing_leaked(result)


async def test_orders_are_checked_without_spending_the_importers_calls(desk: Desk) -> None:
    store = await desk.granted()
    await desk.consent(store, LISTING)
    desk.amazon.calls.clear()
    await desk.checking.check(MEI, ORDERS, store.id)
    assert [call.name for call in desk.amazon.calls] == ["refresh", "participations"]
    desk.amazon.calls.clear()
    await desk.checking.check(MEI, LISTING, store.id)
    assert [call.name for call in desk.amazon.calls] == ["refresh", "probe"]


async def test_the_question_goes_into_the_queue(desk: Desk) -> None:
    store = await desk.store()
    assert await desk.checking.ask(MEI, ORDERS, store.id) == store
    [task] = await fakes.tasks(desk.database)
    assert (task.kind, dict(task.body)) == (
        "check_grant",
        {"user_id": MEI.user_id, "feature": "orders", "store_id": store.id},
    )
    assert desk.amazon.calls == []


async def test_nobody_checks_somebody_elses_store(desk: Desk) -> None:
    store = await desk.granted()
    for stranger in (LIN, ALEX):
        with pytest.raises(UnknownStore):
            await desk.checking.check(stranger, ORDERS, store.id)
        with pytest.raises(UnknownStore):
            await desk.checking.ask(stranger, ORDERS, store.id)


async def test_a_withdrawn_consent_moves_every_grant_that_rests_on_it(desk: Desk) -> None:
    us, canada, germany = [await desk.granted(f"Acme {code}", code) for code in ("US", "CA", "DE")]
    await desk.consent(us, LISTING)
    untouched = await desk.grants(germany), await desk.grant(us, LISTING)
    desk.amazon.withdraw(ACME, ORDERS)

    assert await desk.checking.check(MEI, ORDERS, us.id) == Refused(Reason.REVOKED)

    assert [(await desk.grant(store)).state for store in (us, canada)] == [GrantState.REVOKED] * 2
    assert (await desk.grants(germany), await desk.grant(us, LISTING)) == untouched
    assert not (await desk.card(us)).confirmable, "what was withdrawn is not on offer"


async def test_a_withdrawn_grant_stays_withdrawn_when_asked_again(desk: Desk) -> None:
    store = await desk.granted()
    desk.amazon.withdraw(ACME, ORDERS)
    first = await desk.checking.check(MEI, ORDERS, store.id)
    before = await desk.grant(store)
    desk.clock.advance(timedelta(days=1))
    assert await desk.checking.check(MEI, ORDERS, store.id) == first
    assert await desk.grant(store) == before


async def test_granting_again_after_a_withdrawal_works_in_place(desk: Desk) -> None:
    store = await desk.granted()
    desk.amazon.withdraw(ACME, ORDERS)
    await desk.checking.check(MEI, ORDERS, store.id)
    assert (await desk.consent(store)).verdict
    assert await desk.checking.check(MEI, ORDERS, store.id)


async def test_a_year_that_is_over_has_run_out_and_was_not_withdrawn(desk: Desk) -> None:
    store = await desk.granted()
    desk.clock.advance(GRANT_LIFETIME)
    assert await desk.checking.check(MEI, ORDERS, store.id) == Refused(Reason.EXPIRED)
    assert (await desk.grant(store)).state is GrantState.EXPIRED


async def test_a_day_before_its_end_a_refused_refresh_is_a_withdrawal(desk: Desk) -> None:
    store = await desk.granted()
    desk.clock.advance(GRANT_LIFETIME - timedelta(seconds=1))
    desk.amazon.withdraw(ACME, ORDERS)
    assert await desk.checking.check(MEI, ORDERS, store.id) == Refused(Reason.REVOKED)


@pytest.mark.parametrize("call", ["refresh", "participations"])
@pytest.mark.parametrize("reason", [Reason.OUR_CREDENTIALS, Reason.AMAZON_UNAVAILABLE, Reason.THROTTLED])
async def test_what_is_nobodys_or_our_fault_moves_nothing(desk: Desk, call: str, reason: Reason) -> None:
    store = await desk.granted()
    before = await desk.grants(store)
    desk.amazon.will(call, Refused(reason))

    assert await desk.checking.tell(MEI, ORDERS, store.id) == Refused(reason)

    assert await desk.grants(store) == before
    [result], support = await desk.told(), await desk.support_told()
    assert isinstance(result, CheckResult)
    assert result.reason == reason.value
    assert [type(notice) for notice in support] == ([OursToMend] if reason is Reason.OUR_CREDENTIALS else [])
    assert await desk.checking.check(MEI, ORDERS, store.id)


async def test_permission_is_lost_and_restored(desk: Desk) -> None:
    store = await desk.granted(feature=LISTING)
    granted = await desk.grant(store, LISTING)
    desk.amazon.without_role.add((LISTING, ACME))
    assert await desk.checking.check(MEI, LISTING, store.id) == Refused(Reason.PERMISSION_PROBLEM)
    assert (await desk.grant(store, LISTING)).state is GrantState.PERMISSION_PROBLEM
    assert await desk.checking.check(MEI, LISTING, store.id) == Refused(Reason.PERMISSION_PROBLEM)

    desk.amazon.without_role.clear()
    assert await desk.checking.check(MEI, LISTING, store.id)
    restored = await desk.grant(store, LISTING)
    assert (restored.state, restored.granted_at, restored.ends_at) == (
        GrantState.GRANTED,
        granted.granted_at,
        granted.ends_at,
    )


async def test_a_refresh_token_that_changed_is_kept(desk: Desk) -> None:
    store = await desk.granted()
    before = await desk.token_of(store)
    desk.amazon.rotates = True
    assert await desk.checking.check(MEI, ORDERS, store.id)
    assert await desk.token_of(store) != before
    assert await desk.checking.check(MEI, ORDERS, store.id)


async def test_a_refresh_token_that_changed_is_kept_even_if_the_probe_fails(desk: Desk) -> None:
    store = await desk.granted()
    desk.amazon.rotates = True
    desk.amazon.will("participations", Refused(Reason.AMAZON_UNAVAILABLE))
    assert not await desk.checking.check(MEI, ORDERS, store.id)
    assert await desk.checking.check(MEI, ORDERS, store.id)


async def test_before_any_link_was_opened(desk: Desk) -> None:
    store = await desk.store()
    assert await desk.checking.check(MEI, ORDERS, store.id) == Refused(Reason.NEVER_OPENED)
    card = await desk.card(store)
    await desk.granting.look(card.secret)
    assert await desk.checking.check(MEI, ORDERS, store.id) == Refused(Reason.NEVER_OPENED)


async def test_while_the_link_is_open_and_after_it_stayed_silent(desk: Desk) -> None:
    store = await desk.store()
    await desk.leave(store)
    pressed = desk.clock().isoformat()
    assert await desk.checking.tell(MEI, ORDERS, store.id) == Refused(Reason.WAITING)
    [waiting] = await desk.told()
    desk.clock.advance(STATE_LIFETIME)
    assert await desk.checking.tell(MEI, ORDERS, store.id) == Refused(Reason.NO_ANSWER)
    [silent] = await desk.told()
    await desk.granting.close_silent()
    assert await desk.checking.check(MEI, ORDERS, store.id) == Refused(Reason.NO_ANSWER)
    assert isinstance(waiting, CheckResult)
    assert isinstance(silent, CheckResult)
    assert (waiting.since, silent.since) == (pressed, pressed)
    assert desk.amazon.calls == []


async def test_after_a_refusal_its_reason_is_told_again(desk: Desk) -> None:
    await desk.granted("Acme US")
    again = await desk.store(MEI, "Acme once more", "US")
    await desk.consent(again)
    assert await desk.checking.check(MEI, ORDERS, again.id) == Refused(Reason.ALREADY_CONNECTED, "Acme US")


async def test_a_disabled_store_is_called_disabled_without_asking_amazon(desk: Desk) -> None:
    store = await desk.granted()
    before = await desk.grants(store)
    await desk.stores.disable(MEI, store.id)
    desk.amazon.calls.clear()
    assert await desk.checking.check(MEI, ORDERS, store.id) == Refused(Reason.DISABLED)
    assert desk.amazon.calls == []
    await desk.stores.enable(MEI, store.id)
    assert await desk.checking.check(MEI, ORDERS, store.id)
    assert await desk.grants(store) == before
