"""A link that was opened and never answered: one nudge with Q1's answer for its state, closed with a reason, never a second."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.domain.consent import STATE_LIFETIME, Outcome
from bot.domain.verification import Reason
from bot.domain.year_notices import StillSilent
from bot.i18n import Speaker
from bot.ports import Person
from tests import fakes
from tests.services.desk import LIN, MEI, ORDERS, Desk


def speak(person: Person) -> Speaker:
    return Speaker(person.locale, tz=person.tz)


async def nudged(desk: Desk) -> list[StillSilent]:
    """Closes what is silent, runs what that asked for, and what people are told then."""
    await desk.granting.close_silent()
    for task in await fakes.tasks(desk.database):
        if task.kind == "nudge_silent":
            await desk.nudging().nudge(task.body["attempt_id"], speak)
    return [notice for notice in await desk.told() if isinstance(notice, StillSilent)]


async def test_one_nudge_with_q1s_answer_in_the_persons_language(desk: Desk) -> None:
    store = await desk.store()
    await desk.leave(store)
    desk.clock.advance(STATE_LIFETIME)
    [nudge] = await nudged(desk)
    assert "一直没有回复我们" in nudge.text
    assert "Acme US" in nudge.text
    assert nudge.button == "new_link"
    assert await desk.ending(store) == (Outcome.TIMED_OUT, Reason.NO_ANSWER)


async def test_pressed_again_and_silent_again_is_closed_without_a_word(desk: Desk) -> None:
    store = await desk.store()
    card = await desk.card(store)
    await desk.press(card.secret)
    desk.clock.advance(STATE_LIFETIME)
    assert len(await nudged(desk)) == 1
    for _ in range(3):
        await desk.press(card.secret)
        desk.clock.advance(STATE_LIFETIME)
        assert await nudged(desk) == []
    assert await desk.ending(store) == (Outcome.TIMED_OUT, Reason.NO_ANSWER)


async def test_a_new_link_is_another_attempt(desk: Desk) -> None:
    store = await desk.store()
    for _ in range(2):
        await desk.leave(store)
        desk.clock.advance(STATE_LIFETIME)
        assert len(await nudged(desk)) == 1


async def test_a_silent_renewal_asks_amazon_and_says_that_the_old_grant_stands(desk: Desk) -> None:
    store = await desk.granted()
    desk.clock.advance(timedelta(days=340))
    await desk.leave(store)
    desk.clock.advance(STATE_LIFETIME)
    asked = desk.amazon.asked("refresh")
    [nudge] = await nudged(desk)
    assert desk.amazon.asked("refresh") == asked + 1
    assert nudge.ends_at


@pytest.mark.parametrize("meanwhile", ["answered", "pressed", "disabled", "deleted", "replaced"])
async def test_what_changed_before_the_nudge_makes_it_pointless(desk: Desk, meanwhile: str) -> None:
    store = await desk.store()
    card = await desk.card(store)
    state = await desk.press(card.secret)
    desk.clock.advance(STATE_LIFETIME - timedelta(seconds=1))
    desk.clock.advance(timedelta(seconds=1))
    await desk.granting.close_silent()
    [task] = await fakes.tasks(desk.database)
    match meanwhile:
        case "answered":
            await desk.come_back(await desk.press(card.secret))
        case "pressed":
            await desk.press(card.secret)
        case "disabled":
            await desk.stores.disable(MEI, store.id)
        case "deleted":
            await desk.stores.delete(MEI, store.id)
        case _:
            await desk.card(store)
    await desk.told()
    assert not await desk.nudging().nudge(task.body["attempt_id"], speak)
    assert not [notice for notice in await desk.told() if isinstance(notice, StillSilent)]
    assert state


async def test_a_task_that_runs_twice_nudges_once(desk: Desk) -> None:
    """The relay was interrupted between doing it and saying so."""
    await desk.leave(await desk.store())
    desk.clock.advance(STATE_LIFETIME)
    await desk.granting.close_silent()
    [task] = await fakes.tasks(desk.database)
    nudging = desk.nudging()
    done = await asyncio.gather(*(nudging.nudge(task.body["attempt_id"], speak) for _ in range(3)))
    assert sorted(done) == [False, False, True]
    assert len(await desk.told()) == 1


async def test_the_nudge_goes_to_the_person_of_the_link_only(desk: Desk) -> None:
    store = await desk.store()
    await desk.stores.share(MEI, LIN.user_id, colleague_name="Lin")
    await desk.told(LIN.user_id)
    await desk.leave(store, ORDERS)
    desk.clock.advance(STATE_LIFETIME)
    await nudged(desk)
    assert await desk.told(LIN.user_id) == []
