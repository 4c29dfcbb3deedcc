"""Which answer fits: every case of the two questions, from stores as they really come to stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.domain.grants import GRANT_LIFETIME
from bot.domain.verification import Reason, Refused
from bot.domain.year_notices import GrantBroke
from bot.i18n import Speaker
from bot.services import diagnosis
from faq.facts import Button, Case
from tests import fakes
from tests.services.desk import ACME, LISTING, MEI, ORDERS, Desk

Scene = Callable[[Desk], Awaitable[object]]


async def _nothing(desk: Desk) -> None:
    assert await desk.stores.all(MEI) == []


async def _never(desk: Desk) -> None:
    await desk.card(await desk.store())


async def _waiting(desk: Desk) -> None:
    await desk.leave(await desk.store())


async def _silent(desk: Desk) -> None:
    await _waiting(desk)
    desk.clock.advance(timedelta(minutes=10))


async def _silent_and_closed(desk: Desk) -> None:
    await _silent(desk)
    await desk.granting.close_silent()


async def _refused(desk: Desk) -> None:
    desk.amazon.opens(ACME, "CA")
    assert not (await desk.consent(await desk.store())).verdict


async def _fresh(desk: Desk) -> None:
    await desk.granted()


async def _settled(desk: Desk) -> None:
    await desk.granted()
    desk.clock.advance(timedelta(minutes=15))


async def _only_listing(desk: Desk) -> None:
    await desk.granted(feature=LISTING)


async def _expired(desk: Desk) -> None:
    await desk.granted()
    desk.clock.advance(GRANT_LIFETIME)


async def _revoked(desk: Desk) -> None:
    store = await desk.granted()
    desk.amazon.withdraw(ACME, ORDERS)
    await desk.checking.check(MEI, ORDERS, store.id)


async def _no_access(desk: Desk) -> None:
    desk.amazon.without_role.add((ORDERS, ACME))
    await desk.consent(await desk.store())


async def _future(desk: Desk) -> None:
    assert (await desk.consent(await desk.store(day="2026-03-01"))).verdict


async def _disabled(desk: Desk) -> None:
    await desk.stores.disable(MEI, (await desk.granted()).id)


Q1: list[tuple[Scene, Case]] = [
    (_nothing, Case.NO_STORE),
    (_never, Case.NEVER_OPENED),
    (_waiting, Case.WAITING),
    (_silent, Case.OPENED_SILENT),
    (_silent_and_closed, Case.OPENED_SILENT),
    (_refused, Case.REFUSED),
    (_fresh, Case.JUST_GRANTED),
    (_settled, Case.GRANTED),
]
Q2: list[tuple[Scene, Case]] = [
    (_nothing, Case.NO_STORE),
    (_never, Case.NONE_GRANTED),
    (_waiting, Case.NONE_GRANTED),
    (_only_listing, Case.OTHER_FEATURE_ONLY),
    (_expired, Case.EXPIRED),
    (_revoked, Case.REVOKED),
    (_no_access, Case.PERMISSION_PROBLEM),
    (_future, Case.START_IN_FUTURE),
    (_fresh, Case.JUST_GRANTED),
    (_settled, Case.ALL_GOOD),
    (_disabled, Case.DISABLED),
]


@pytest.mark.parametrize(("scene", "case"), Q1, ids=[scene.__name__ for scene, _ in Q1])
async def test_why_does_it_still_say_authorizing(desk: Desk, scene: Scene, case: Case) -> None:
    await scene(desk)
    histories = await desk.reporting.histories(MEI)
    assert diagnosis.still_authorizing("载单功能授权了,为什么还是授权中?", histories).case is case


@pytest.mark.parametrize(("scene", "case"), Q2, ids=[scene.__name__ for scene, _ in Q2])
async def test_why_are_no_orders_imported(desk: Desk, scene: Scene, case: Case) -> None:
    await scene(desk)
    histories = await desk.reporting.histories(MEI)
    assert diagnosis.not_working("authorized, but no orders are imported", histories).case is case


@pytest.mark.parametrize(
    ("question", "feature"),
    [
        ("为什么库存没有同步", LISTING),
        ("為什麼訂單沒有匯入", ORDERS),
        ("Why does my STOCK not sync?", LISTING),
        ("no orders since yesterday", ORDERS),
        ("订单和库存都不动", None),
        ("it does not work", None),
    ],
)
def test_a_question_shows_which_feature_it_is_about(question: str, feature: object) -> None:
    assert diagnosis.feature_in(question) is feature


async def test_the_store_that_was_touched_last_is_meant(desk: Desk) -> None:
    for label in ("Acme US", "Acme CA", "Acme MX"):
        store = await desk.store(MEI, label)
        if label != "Acme MX":
            await desk.leave(store)
        desk.clock.advance(timedelta(minutes=1))
    found = diagnosis.still_authorizing("why still authorizing?", await desk.reporting.histories(MEI))
    assert found.history is not None
    assert found.history.report.store.label == "Acme CA"


async def test_the_worst_thing_is_told_first(desk: Desk) -> None:
    await desk.granted("Good CA", "CA")
    germany = await desk.granted("Bad DE", "DE")
    desk.amazon.will("refresh", Refused(Reason.REVOKED))
    await desk.checking.check(MEI, ORDERS, germany.id)
    found = diagnosis.not_working("no orders", await desk.reporting.histories(MEI))
    assert (found.case, found.history and found.history.report.store.label) == (Case.REVOKED, "Bad DE")


async def test_an_answer_about_one_store_leaves_nothing_else_that_broke_untold(desk: Desk) -> None:
    store, _ = await desk.granted(), await desk.granted("Acme CA", "CA")
    desk.clock.advance(timedelta(days=1))
    desk.amazon.withdraw(ACME, ORDERS)
    await desk.answering().checked(
        MEI, Speaker("en"), "granted-but-not-working", "no orders", store_id=store.id, feature=ORDERS
    )
    [broke] = await desk.told()
    assert isinstance(broke, GrantBroke)
    assert {broke.store.label, *broke.others} == {"Acme US", "Acme CA"}


async def test_an_answer_looks_at_amazon_first(desk: Desk) -> None:
    answering, say = desk.answering(), Speaker("en")
    store = await desk.granted()
    desk.clock.advance(timedelta(days=1))
    desk.amazon.withdraw(ACME, ORDERS)
    desk.amazon.calls.clear()
    for slug in ("still-authorizing", "granted-but-not-working"):
        assert await answering.needs_amazon(MEI, slug, "no orders")
    assert not await answering.needs_amazon(MEI, "no-amazon-page", "no orders")

    await answering.asked(MEI, say, "granted-but-not-working", "no orders in Acme US")

    assert desk.amazon.asked("refresh") == 1
    [answered] = await desk.told()
    facts = answered.facts()
    assert (answered.kind, facts["store_id"], facts["button"]) == ("answered", store.id, Button.NEW_LINK)
    assert "Acme US" in facts["text"]
    await desk.nothing_leaked(answered)


async def test_a_question_that_needs_amazon_waits_in_the_queue(desk: Desk) -> None:
    await desk.answering().later(MEI, "still-authorizing", "why?" * 2000)
    [task] = await fakes.tasks(desk.database)
    assert (task.kind, task.body["slug"], len(task.body["question"])) == ("answer_question", "still-authorizing", 4000)


async def test_nothing_is_asked_of_amazon_for_a_store_without_a_grant(desk: Desk) -> None:
    await desk.card(await desk.store())
    answering = desk.answering()
    assert not await answering.needs_amazon(MEI, "still-authorizing", "why?")
    answer = await answering.now(MEI, Speaker("zh-CN"), "still-authorizing", "为什么?")
    assert answer.button is Button.GRANT_ORDERS
    assert desk.amazon.calls == []
