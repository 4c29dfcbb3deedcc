"""Consent attempts and states: found by their secrets, used once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.consent import LINK_LIFETIME, STATE_LIFETIME, ConsentState, Outcome
from bot.domain.features import FeatureKey
from bot.domain.verification import Reason, Refused
from bot.errors import ConcurrentChange
from tests.conftest import AnotherReplica
from tests.storage.examples import LIN, MEI, OTHER_TEAM, TEAM, World

ORDERS, LISTING = FeatureKey.ORDERS, FeatureKey.LISTING


async def test_an_attempt_comes_back_by_id_and_by_secret(world: World) -> None:
    store = await world.store(await world.seller())
    attempt = await world.attempt(store, requested_by="U0SAM")
    async with world.database.read() as work:
        assert await work.attempts.get(attempt.id) == attempt
        assert await work.attempts.by_secret(attempt.secret_hash) == attempt
        assert await work.attempts.by_secret("no such secret") is None


async def test_an_attempt_is_a_persons_own(world: World) -> None:
    attempt = await world.attempt(await world.store(await world.seller()))
    async with world.database.read() as work:
        assert await work.attempts.of_person(TEAM, MEI, attempt.id) == attempt
        assert await work.attempts.of_person(TEAM, LIN, attempt.id) is None
        assert await work.attempts.of_person(OTHER_TEAM, MEI, attempt.id) is None


async def test_what_happens_to_an_attempt_is_kept(world: World) -> None:
    seller = await world.seller()
    attempt = await world.attempt(await world.store(seller))
    authorization = await world.authorization(seller)
    now = world.clock()
    happened = replace(
        attempt,
        opened_at=now,
        pressed_at=now,
        outcome=Outcome.REFUSED,
        reason=Reason.WRONG_ACCOUNT,
        detail="Acme UK",
        ended_at=now,
        authorization_id=authorization.id,
    )
    async with world.database.begin() as work:
        await work.attempts.update(happened)
        assert await work.attempts.get(attempt.id) == happened


async def test_a_new_link_replaces_the_usable_ones_of_the_same_person_store_and_feature(world: World) -> None:
    seller = await world.seller()
    store, other = await world.store(seller), await world.store(seller, "Other", "CA")
    old = await world.attempt(store)
    lins = await world.attempt(store, LIN)
    listing = await world.attempt(store, feature=LISTING)
    elsewhere = await world.attempt(other)
    world.minutes_later(1)
    new = await world.attempt(store)
    async with world.database.read() as work:
        assert await work.attempts.get(old.id) == replace(old, outcome=Outcome.REPLACED, ended_at=world.clock())
        for untouched in (lins, listing, elsewhere, new):
            assert await work.attempts.get(untouched.id) == untouched


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.TIMED_OUT])
async def test_a_link_that_could_be_pressed_again_is_replaced_too(world: World, outcome: Outcome) -> None:
    store = await world.store(await world.seller())
    old = await world.attempt(store)
    async with world.database.begin() as work:
        await work.attempts.update(replace(old, outcome=outcome))
    await world.attempt(store)
    async with world.database.read() as work:
        found = await work.attempts.get(old.id)
    assert found is not None
    assert found.outcome is Outcome.REPLACED


async def test_links_that_are_over_stay_as_they_are(world: World) -> None:
    store = await world.store(await world.seller())
    granted = await world.attempt(store)
    async with world.database.begin() as work:
        await work.attempts.update(replace(granted, outcome=Outcome.GRANTED, ended_at=world.clock()))
    expired = await world.attempt(store)
    world.clock.advance(LINK_LIFETIME)
    await world.attempt(store)
    async with world.database.read() as work:
        kept = await work.attempts.get(granted.id)
        assert kept is not None
        assert kept.outcome is Outcome.GRANTED
        assert await work.attempts.get(expired.id) == expired


async def test_of_many_links_made_at_once_one_is_usable(world: World) -> None:
    store = await world.store(await world.seller())
    made = await asyncio.gather(*(world.attempt(store) for _ in range(12)))
    async with world.database.read() as work:
        found = [await work.attempts.get(attempt.id) for attempt in made]
    assert sum(attempt is not None and attempt.is_usable(world.clock()) for attempt in found) == 1


async def test_a_link_for_a_store_that_has_gone_is_refused(world: World) -> None:
    store = await world.store(await world.seller())
    async with world.database.begin() as work:
        await work.stores.delete(store)
    with pytest.raises(ConcurrentChange):
        await world.attempt(store)


async def test_a_link_that_was_replaced_cannot_be_brought_back_by_what_was_read_before(world: World) -> None:
    store = await world.store(await world.seller())
    old = await world.attempt(store)
    await world.attempt(store)
    async with world.database.begin() as work:
        await work.attempts.update(replace(old, opened_at=world.clock()))
        found = await work.attempts.get(old.id)
        assert found == replace(old, opened_at=world.clock(), outcome=Outcome.REPLACED, ended_at=world.clock())
        # Amazon's answer to it still counts.
        await work.attempts.update(replace(found, outcome=Outcome.GRANTED))
        found = await work.attempts.get(old.id)
    assert found is not None
    assert found.outcome is Outcome.GRANTED


async def test_a_link_that_was_replaced_takes_the_reason_of_a_refusal_and_one_that_was_granted_does_not(
    world: World,
) -> None:
    store = await world.store(await world.seller())
    replaced = await world.attempt(store)
    granted = await world.attempt(store)
    async with world.database.begin() as work:
        await work.attempts.update(replace(granted, outcome=Outcome.GRANTED, ended_at=world.clock()))
        for attempt in (replaced, granted):
            await work.attempts.update(replace(attempt, outcome=Outcome.REFUSED, reason=Reason.THROTTLED))
        found = [await work.attempts.get(attempt.id) for attempt in (replaced, granted)]
    assert [(one.outcome, one.reason, one.ended_at) for one in found if one] == [
        (Outcome.REPLACED, Reason.THROTTLED, world.clock()),
        (Outcome.GRANTED, None, world.clock()),
    ]


async def test_what_an_older_press_came_to_is_not_written_over_a_newer_one(world: World) -> None:
    store = await world.store(await world.seller())
    attempt = await world.attempt(store)
    first, second = world.clock(), world.clock() + timedelta(minutes=1)
    refused = replace(attempt, pressed_at=first, outcome=Outcome.REFUSED, reason=Reason.TOO_LATE)
    async with world.database.begin() as work:
        assert await work.attempts.update(refused, unless_pressed_after=first), "never pressed"
        assert await work.attempts.update(refused, unless_pressed_after=first), "pressed then"
        pressed = replace(attempt, pressed_at=second)
        assert await work.attempts.update(pressed)
        assert not await work.attempts.update(refused, unless_pressed_after=first)
        assert await work.attempts.get(attempt.id) == pressed
        assert await work.attempts.update(refused, unless_pressed_after=second)


async def test_the_latest_is_the_newest_pressed_else_the_newest(world: World) -> None:
    store = await world.store(await world.seller())
    async with world.database.read() as work:
        assert await work.attempts.latest(store, ORDERS) is None
    mei, lin = await world.attempt(store, MEI), await world.attempt(store, LIN)
    async with world.database.begin() as work:
        assert await work.attempts.latest(store, ORDERS) == lin
        mei = replace(mei, pressed_at=world.clock())
        await work.attempts.update(mei)
        assert await work.attempts.latest(store, ORDERS) == mei
        lin = replace(lin, pressed_at=world.clock() + timedelta(seconds=1))
        await work.attempts.update(lin)
        assert await work.attempts.latest(store, ORDERS) == lin
        assert await work.attempts.latest(store, LISTING) is None
        assert await work.attempts.latest(replace(store, seller_id="another"), ORDERS) is None


async def test_the_newest_link_is_the_one_made_last_pressed_or_not(world: World) -> None:
    store = await world.store(await world.seller())
    old = await world.attempt(store, MEI)
    world.clock.advance(timedelta(minutes=1))
    new = await world.attempt(store, LIN)
    async with world.database.begin() as work:
        await work.attempts.update(replace(old, pressed_at=world.clock()))
        assert await work.attempts.newest(store, ORDERS) == new
        assert await work.attempts.newest(store, None) == new
        assert await work.attempts.newest(store, LISTING) is None
        assert await work.attempts.newest(replace(store, seller_id="another"), None) is None


async def test_the_latest_of_all_of_a_sellers_stores_are_the_latest_of_each(world: World) -> None:
    seller, lin = await world.seller(), await world.seller(LIN)
    us, ca = await world.store(seller), await world.store(seller, "Acme CA", "CA")
    await world.attempt(await world.store(lin))
    for store in (us, ca):
        for feature in (ORDERS, LISTING):
            first = await world.attempt(store, feature=feature)
            world.minutes_later(1)
            await world.attempt(store, feature=feature)
            if feature is ORDERS:
                async with world.database.begin() as work:
                    await work.attempts.update(replace(first, pressed_at=world.clock()))
    async with world.database.read() as work:
        found = await work.attempts.latest_of_seller(seller)
        for store in (us, ca):
            for feature in (ORDERS, LISTING):
                assert found[store.id][feature] == await work.attempts.latest(store, feature)
        assert set(found) == {us.id, ca.id}
        assert await work.attempts.latest_of_seller(replace(seller, team_id=OTHER_TEAM)) == {}


async def test_silent_attempts_are_those_pressed_more_than_ten_minutes_ago_without_an_answer(world: World) -> None:
    store = await world.store(await world.seller())
    started = world.clock()
    attempts = []
    for number, minutes in enumerate((0, 2, 3, 9)):
        attempt = await world.attempt(store, f"U0PERSON{number}")
        attempt = replace(attempt, pressed_at=started + timedelta(minutes=minutes))
        attempts.append(attempt)
        async with world.database.begin() as work:
            await work.attempts.update(attempt)
    never_pressed = await world.attempt(store, "U0SHY")
    async with world.database.begin() as work:
        await work.attempts.update(replace(attempts[1], outcome=Outcome.GRANTED))
    now = started + STATE_LIFETIME + timedelta(minutes=3)
    async with world.database.begin() as work:
        assert await work.attempts.silent(now=now, limit=10) == [attempts[0], attempts[2]]
        assert await work.attempts.silent(now=now, limit=1) == [attempts[0]]
        await work.attempts.update(replace(attempts[0], outcome=Outcome.TIMED_OUT))
        assert await work.attempts.silent(now=now, limit=10) == [attempts[2]]
    assert never_pressed.pressed_at is None


async def test_a_state_comes_back_by_its_hash_and_by_its_receipt(world: World) -> None:
    attempt = await world.attempt(await world.store(await world.seller()))
    _, state = await world.state(attempt)
    async with world.database.read() as work:
        assert await work.attempts.state(state.state_hash) == state
        assert await work.attempts.state_by_receipt(state.receipt_hash) == state
        assert await work.attempts.state("unknown") is None
        assert await work.attempts.state_by_receipt("unknown") is None


async def consumed(world: World, state: ConsentState, feature: FeatureKey = ORDERS) -> ConsentState | Refused:
    async with world.database.begin() as work:
        return await work.attempts.consume(state.state_hash, feature=feature, answer_hash="answer", now=world.clock())


async def test_a_state_is_used_up_once(world: World) -> None:
    _, state = await world.state(await world.attempt(await world.store(await world.seller())))
    assert await consumed(world, state) == replace(state, consumed_at=world.clock(), answer_hash="answer")
    assert await consumed(world, state) == Refused(Reason.STATE_USED)


async def test_a_late_state_is_used_up_as_well(world: World) -> None:
    _, state = await world.state(await world.attempt(await world.store(await world.seller())))
    world.clock.advance(STATE_LIFETIME)
    assert await consumed(world, state) == Refused(Reason.TOO_LATE)
    assert await consumed(world, state) == Refused(Reason.STATE_USED)


async def test_a_forged_state_and_one_made_for_the_other_feature_are_unknown(world: World) -> None:
    _, state = await world.state(await world.attempt(await world.store(await world.seller())))
    assert await consumed(world, replace(state, state_hash="forged")) == Refused(Reason.UNKNOWN_STATE)
    assert await consumed(world, state, LISTING) == Refused(Reason.UNKNOWN_STATE)
    assert isinstance(await consumed(world, state), ConsentState)


async def test_a_state_that_was_rolled_back_can_be_used_again(world: World) -> None:
    _, state = await world.state(await world.attempt(await world.store(await world.seller())))

    async def crash() -> None:
        async with world.database.begin() as work:
            await work.attempts.consume(state.state_hash, feature=ORDERS, answer_hash="a", now=world.clock())
            raise RuntimeError("the process died")

    with pytest.raises(RuntimeError):
        await crash()
    assert isinstance(await consumed(world, state), ConsentState)


async def test_of_twenty_answers_at_once_on_two_replicas_exactly_one_wins(
    world: World, another_replica: AnotherReplica
) -> None:
    _, state = await world.state(await world.attempt(await world.store(await world.seller())))
    replicas = [world.database, await another_replica()]

    async def consume(number: int) -> ConsentState | Refused:
        async with replicas[number % 2].begin() as work:
            return await work.attempts.consume(
                state.state_hash, feature=ORDERS, answer_hash=str(number), now=world.clock()
            )

    answers = await asyncio.gather(*map(consume, range(20)))
    winners = [answer for answer in answers if isinstance(answer, ConsentState)]
    assert len(winners) == 1
    assert answers.count(Refused(Reason.STATE_USED)) == 19
    async with world.database.read() as work:
        assert await work.attempts.state(state.state_hash) == winners[0]


async def test_what_came_of_a_state_is_kept(world: World) -> None:
    _, state = await world.state(await world.attempt(await world.store(await world.seller())))
    settled = replace(state, outcome=Outcome.REFUSED, reason=Reason.WRONG_ACCOUNT, detail="Acme UK")
    async with world.database.begin() as work:
        await work.attempts.settle(settled)
        assert await work.attempts.state_by_receipt(state.receipt_hash) == settled


async def test_a_visit_from_amazon_closes_nobodys_link(world: World) -> None:
    store = await world.store(await world.seller())
    link = await world.attempt(store)
    visit = world.new_attempt(store, MEI)
    async with world.database.begin() as work:
        await work.attempts.add(visit, replacing=False)
        found = await work.attempts.get(link.id)
    assert found is not None
    assert found.outcome is None
