"""The table of states × questions: stores as they really come to stand, what each is told in every language, and the one
button that mends it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from bot.domain.features import FeatureKey
from bot.domain.grants import GRANT_LIFETIME
from bot.domain.notices import Answered, Notice
from bot.domain.verification import Reason, Refused
from bot.errors import UnknownStore
from bot.ports import Person
from bot.services import diagnosis
from bot.services.answering import Answer, Answering
from faq.facts import Button
from faq.live import LiveKnowledge
from handlers import answer_cards
from handlers.blocks import mrkdwn
from tests.services.desk import ACME, ALEX, BOLT, LIN, LISTING, MEI, ORDERS, Desk

Q1, Q2 = "still-authorizing", "granted-but-not-working"
#: one question for each feature and language
ASKED = {
    ("zh-CN", Q1, ORDERS): "载单功能授权了，为什么还是显示授权中？",
    ("zh-TW", Q1, ORDERS): "載單功能授權好了，怎麼還是授權中？",
    ("en", Q1, ORDERS): "I granted order import, why does it still say authorizing?",
    ("zh-CN", Q2, ORDERS): "授权好了怎么没有订单？",
    ("zh-TW", Q2, ORDERS): "授權了卻沒有訂單進來？",
    ("en", Q2, ORDERS): "authorized, but no orders come in",
    ("zh-CN", Q2, LISTING): "授权好了怎么库存不动？",
    ("zh-TW", Q2, LISTING): "授權了庫存卻沒有更新？",
    ("en", Q2, LISTING): "authorized, but the stock does not move",
}
PEOPLE = (MEI, LIN, ALEX)

Scene = Callable[[Desk, Person], Awaitable[object]]


@cache
def knowledge() -> LiveKnowledge:
    return LiveKnowledge()


def answering_of(desk: Desk) -> Answering:
    return Answering(
        knowledge(),
        desk.database,
        names=desk.names,
        reporting=desk.reporting,
        checking=desk.checking,
        clock=desk.clock,
    )


async def answer(desk: Desk, person: Person, slug: str, question: str) -> Answer | Answered:
    """The answer as the person gets it: at once, or after Amazon was asked."""
    answering = answering_of(desk)
    await desk.told(person.user_id)
    if not await answering.needs_amazon(person, slug, question):
        return await answering.now(person, mrkdwn(person), slug, question)
    await answering.asked(person, mrkdwn(person), slug, question)
    notices: list[Notice] = [notice for notice in await desk.told(person.user_id) if isinstance(notice, Answered)]
    assert isinstance(notices[-1], Answered)
    return notices[-1]


def pressed(person: Person, told: Answer | Answered) -> tuple[str, str]:
    """Action id and value of the button that mends, on the card as Slack gets it."""
    shown = told if isinstance(told, Answer) else _as_answer(told)
    card = answer_cards.card(person, shown)
    elements: list[dict[str, Any]] = [one for block in card.blocks for one in block.get("elements", [])]
    main = [one for one in elements if one.get("style") == "primary"]
    assert len(main) == 1, "one button mends, and one only"
    return main[0]["action_id"], main[0].get("value", "")


def _as_answer(told: Answered) -> Answer:
    return Answer(told.slug, told.text, Button(told.button), told.store_id, told.feature, choices=told.choices)


# --- scenes: how stores come to stand where they stand ------------------------------------------------------------------


async def nothing(desk: Desk, person: Person) -> None:
    assert await desk.stores.all(person) == []


async def never(desk: Desk, person: Person) -> None:
    await desk.card(await desk.store(person), person=person)


async def waiting(desk: Desk, person: Person) -> None:
    await desk.leave(await desk.store(person), person=person)


async def silent(desk: Desk, person: Person) -> None:
    await waiting(desk, person)
    desk.clock.advance(timedelta(minutes=11))
    await desk.granting.close_silent()


async def refused(desk: Desk, person: Person) -> None:
    desk.amazon.opens(ACME, "CA")
    assert not (await desk.consent(await desk.store(person), person=person)).verdict


async def refused_then_replaced(desk: Desk, person: Person) -> None:
    await refused(desk, person)
    desk.clock.advance(timedelta(minutes=1))
    await desk.card((await desk.stores.all(person))[0], person=person)


async def fresh(desk: Desk, person: Person) -> None:
    assert (await desk.consent(await desk.store(person), person=person)).verdict


async def settled(desk: Desk, person: Person) -> None:
    await fresh(desk, person)
    desk.clock.advance(timedelta(days=3))


async def only_listing(desk: Desk, person: Person) -> None:
    assert (await desk.consent(await desk.store(person), LISTING, person=person)).verdict


async def only_orders(desk: Desk, person: Person) -> None:
    await settled(desk, person)


async def only_listing_and_orders_refused(desk: Desk, person: Person) -> None:
    await only_listing(desk, person)
    desk.amazon.opens(BOLT, "US")
    store = (await desk.stores.all(person))[0]
    assert not (await desk.consent(store, ORDERS, person=person, account=BOLT)).verdict


async def expired(desk: Desk, person: Person) -> None:
    await fresh(desk, person)
    desk.clock.advance(GRANT_LIFETIME + timedelta(days=1))


async def revoked(desk: Desk, person: Person) -> None:
    """Nobody has noticed yet: only Amazon knows."""
    await settled(desk, person)
    desk.amazon.withdraw(ACME, ORDERS)


async def revoked_and_left_again(desk: Desk, person: Person) -> None:
    await revoked(desk, person)
    store = (await desk.stores.all(person))[0]
    await desk.checking.check(person, ORDERS, store.id)
    desk.clock.advance(timedelta(minutes=1))
    await desk.leave(store, person=person)
    desk.clock.advance(timedelta(minutes=11))


async def no_access(desk: Desk, person: Person) -> None:
    await settled(desk, person)
    desk.amazon.opens(ACME, "CA")


async def future(desk: Desk, person: Person) -> None:
    store = await desk.store(person, day="2026-03-01")
    assert (await desk.consent(store, person=person)).verdict


async def disabled(desk: Desk, person: Person) -> None:
    await settled(desk, person)
    await desk.stores.disable(person, (await desk.stores.all(person))[0].id)


async def amazon_is_down(desk: Desk, person: Person) -> None:
    await settled(desk, person)
    desk.amazon.will("refresh", Refused(Reason.AMAZON_UNAVAILABLE), Refused(Reason.AMAZON_UNAVAILABLE))


ADD, GRANT_ORDERS, GRANT_LISTING = "store.add", "grant.start:orders", "grant.start:listing"
CHECK, EDIT, ENABLE = "grant.check:orders", "store.do:edit", "store.do:enable"

#: scene, question, feature in question → (simplified, traditional, English), and the action of the button
TABLE: list[tuple[Scene, str, FeatureKey, tuple[str, str, str], str]] = [
    (nothing, Q1, ORDERS, ("还没有添加店铺", "還沒有新增任何店鋪", "not added a store"), ADD),
    (never, Q1, ORDERS, ("还没有人打开过", "還沒有人打開過", "never been opened"), GRANT_ORDERS),
    (waiting, Q1, ORDERS, ("正在进行", "正在授權", "under way"), CHECK),
    (silent, Q1, ORDERS, ("一直没有回复我们", "一直沒有回覆我們", "never answered us"), GRANT_ORDERS),
    (refused, Q1, ORDERS, ("这次没有通过", "這次沒有通過", "could not be accepted"), GRANT_ORDERS),
    (refused_then_replaced, Q1, ORDERS, ("这次没有通过", "這次沒有通過", "could not be accepted"), GRANT_ORDERS),
    (fresh, Q1, ORDERS, ("1 分钟前", "1 分鐘前", "1 minute ago"), CHECK),
    (settled, Q1, ORDERS, ("刚实时查过", "剛即時查過", "just checked live"), CHECK),
    (expired, Q1, ORDERS, ("已经过了", "已經過了", "its year"), GRANT_ORDERS),
    (revoked, Q1, ORDERS, ("被撤销", "被撤銷", "revoked at Amazon"), GRANT_ORDERS),
    (revoked_and_left_again, Q1, ORDERS, ("一直没有回复我们", "一直沒有回覆我們", "never answered us"), GRANT_ORDERS),
    (no_access, Q1, ORDERS, ("拒绝我们访问", "不讓我們存取", "does not let us in"), "faq.person:still-authorizing"),
    (disabled, Q1, ORDERS, ("停用", "停用", "disabled"), ENABLE),
    (amazon_is_down, Q1, ORDERS, ("刚才没有回应", "剛剛沒有回應", "did not answer me just now"), CHECK),
    (nothing, Q2, ORDERS, ("还没有添加店铺", "還沒有新增店鋪", "not added a store"), ADD),
    (never, Q2, ORDERS, ("都还没有授权", "都還沒有授權", "Neither feature"), GRANT_ORDERS),
    (never, Q2, LISTING, ("库存不会动", "庫存不會動", "stock does not move"), GRANT_LISTING),
    (refused, Q2, ORDERS, ("上一次授权没有通过", "上一次授權沒有通過", "last attempt was refused"), GRANT_ORDERS),
    (
        only_listing,
        Q2,
        ORDERS,
        ("只授权了【刊登/库存同步功能】", "只授權了【刊登/库存同步功能】", "has only 【刊登"),
        GRANT_ORDERS,
    ),
    (only_orders, Q2, LISTING, ("只授权了【载单功能】", "只授權了【载单功能】", "has only 【载单"), GRANT_LISTING),
    (
        only_listing_and_orders_refused,
        Q2,
        ORDERS,
        ("上一次授权没有通过", "上一次授權沒有通過", "last attempt was refused"),
        GRANT_ORDERS,
    ),
    (fresh, Q2, ORDERS, ("第一批订单还在路上", "第一批訂單還在路上", "still on the way"), CHECK),
    (expired, Q2, ORDERS, ("已经到期", "已經到期", "has run out"), GRANT_ORDERS),
    (revoked, Q2, ORDERS, ("被撤销了", "被撤銷了", "was revoked at Amazon"), GRANT_ORDERS),
    (
        no_access,
        Q2,
        ORDERS,
        ("不允许我们读取数据", "不讓我們讀取資料", "does not let us read"),
        "faq.person:granted-but-not-working",
    ),
    (future, Q2, ORDERS, ("2026年3月1日", "2026年3月1日", "March 1, 2026"), EDIT),
    (disabled, Q2, ORDERS, ("停用", "停用", "disabled"), ENABLE),
    (
        settled,
        Q2,
        ORDERS,
        ("问题不在授权上", "問題不在授權", "granted and working"),
        "faq.person:granted-but-not-working",
    ),
    (amazon_is_down, Q2, ORDERS, ("刚才没有回应", "剛剛沒有回應", "did not answer me just now"), CHECK),
]


@pytest.mark.parametrize("person", PEOPLE, ids=[person.locale for person in PEOPLE])
@pytest.mark.parametrize(
    ("scene", "slug", "feature", "says", "action"),
    TABLE,
    ids=[f"{scene.__name__}-{slug[:7]}-{feature.value}" for scene, slug, feature, _, _ in TABLE],
)
async def test_a_state_is_told_in_the_askers_language_and_ends_in_the_button_that_mends_it(
    desk: Desk, person: Person, scene: Scene, slug: str, feature: FeatureKey, says: tuple[str, str, str], action: str
) -> None:
    await scene(desk, person)
    told = await answer(desk, person, slug, ASKED[person.locale, slug, feature])
    assert says[PEOPLE.index(person)] in told.text.replace("\u200b", "").replace("*", "")
    stores = await desk.stores.all(person)
    store_id = stores[0].id if stores and action != ADD else ""
    assert pressed(person, told) == (action, store_id)
    assert stores == [] or "Acme US" in told.text


async def _two_stores(desk: Desk) -> tuple[str, str]:
    await desk.granted("Acme US", "US")
    germany = await desk.store(MEI, "Willow", "DE")
    return (await desk.stores.all(MEI))[0].id, germany.id


@pytest.mark.parametrize(
    "question",
    ["Willow 授权了怎么没有订单？", "willow: no orders", "德国站没有订单", "no orders in Germany", "DE 没有订单"],
)
async def test_a_store_named_in_the_question_is_the_one_that_is_looked_at(desk: Desk, question: str) -> None:
    _, germany = await _two_stores(desk)
    told = await answer(desk, MEI, Q2, question)
    assert told.store_id == germany
    assert "Willow" in told.text


async def test_a_name_within_another_is_not_the_one_that_was_named(desk: Desk) -> None:
    await desk.granted("Acme", "CA")
    meant = await desk.store(MEI, "Acme US", "US")
    told = await answer(desk, MEI, Q2, "Acme US 没有订单")
    assert told.store_id == meant.id


@pytest.mark.parametrize("question", ["is it in my list? no orders for us", "no orders, what is it"])
async def test_little_words_are_no_marketplaces(desk: Desk, question: str) -> None:
    for label, marketplace in (("Acme", "US"), ("Roma", "IT"), ("Delhi", "IN")):
        await desk.store(MEI, label, marketplace)
    assert diagnosis.stores_in(question, await desk.reporting.histories(MEI)) == []


@pytest.mark.parametrize("person", PEOPLE, ids=[person.locale for person in PEOPLE])
async def test_of_several_stores_the_likeliest_is_named_and_another_can_be_chosen(desk: Desk, person: Person) -> None:
    await desk.consent(await desk.store(person, "Acme US", "US"), person=person)
    desk.clock.advance(timedelta(days=3))
    willow = await desk.store(person, "Willow", "CA")
    told = await answer(desk, person, Q2, ASKED[person.locale, Q2, ORDERS])
    assert told.store_id == willow.id
    shown = told if isinstance(told, Answer) else _as_answer(told)
    [menu] = [
        one
        for block in answer_cards.card(person, shown).blocks
        for one in block.get("elements", [])
        if "options" in one
    ]
    assert [one["text"]["text"] for one in menu["options"]] == ["Acme US", "Willow"]
    assert menu["initial_option"]["value"] == willow.id

    chosen = await answering_of(desk).now(
        person, mrkdwn(person), Q2, "", store_id=menu["options"][0]["value"], feature=ORDERS
    )
    assert "Acme US" in chosen.text
    assert "Willow" not in chosen.text


async def test_with_one_store_there_is_nothing_to_choose(desk: Desk) -> None:
    await never(desk, MEI)
    told = await answer(desk, MEI, Q2, "没有订单")
    assert isinstance(told, Answer)
    assert told.choices == ()


async def test_somebody_elses_store_cannot_be_chosen(desk: Desk) -> None:
    theirs = await desk.store(LIN, "Willow")
    with pytest.raises(UnknownStore):
        await answering_of(desk).now(MEI, mrkdwn(MEI), Q2, "", store_id=theirs.id)


async def test_what_happened_today_is_meant_before_what_lies_back(desk: Desk) -> None:
    await desk.leave(await desk.store(MEI, "Old", "CA"))
    desk.clock.advance(timedelta(days=20))
    await desk.granting.close_silent()
    new = await desk.store(MEI, "New", "US")
    await desk.consent(new)
    told = await answer(desk, MEI, Q1, "授权了为什么还没变？")
    assert told.store_id == new.id


async def test_an_answer_is_not_called_well_when_our_own_credentials_were_refused(desk: Desk) -> None:
    await settled(desk, MEI)
    desk.amazon.will("refresh", Refused(Reason.OUR_CREDENTIALS))
    told = await answer(desk, MEI, Q2, "没有订单")
    assert "没有回应" in told.text
    assert told.store_id


async def test_a_question_about_both_features_asks_amazon_about_both(desk: Desk) -> None:
    store = await desk.granted()
    await desk.consent(store, LISTING)
    desk.clock.advance(timedelta(days=3))
    desk.amazon.withdraw(ACME, LISTING)
    told = await answer(desk, MEI, Q2, "订单和库存都不动")
    assert (told.feature, told.store_id) == (LISTING, store.id)
    assert "被撤销了" in told.text


@pytest.mark.parametrize("person", PEOPLE, ids=[person.locale for person in PEOPLE])
@pytest.mark.parametrize("slug", [Q1, Q2, "yearly-renewal", "each-marketplace", "grant-orders"])
async def test_what_everybody_may_read_says_nothing_of_anybodys_stores(desk: Desk, person: Person, slug: str) -> None:
    await desk.store(person, "Geheimladen", "DE")
    public = answering_of(desk).public(mrkdwn(person), slug)
    assert "Geheimladen" not in public.text
    assert public.store_id == ""
    assert public.choices == ()


@pytest.mark.parametrize(
    ("slug", "scene", "button"),
    [
        ("grant-orders", never, Button.GRANT_ORDERS),
        ("grant-orders", settled, Button.CHECK),
        ("grant-orders", nothing, Button.ADD_STORE),
        ("grant-listing", settled, Button.GRANT_LISTING),
        ("yearly-renewal", settled, Button.RENEW),
        ("add-store", never, Button.ADD_STORE),
        ("other-browser", settled, Button.NEW_LINK),
        ("needs-a-person", nothing, Button.ASK_PERSON),
        ("sister-system", never, Button.ASK_PERSON),
        ("disable-revoke", disabled, Button.ENABLE_STORE),
        ("commerce-fields", never, Button.EDIT_STORE),
    ],
)
async def test_a_general_answer_ends_in_the_first_button_that_does_something(
    desk: Desk, slug: str, scene: Scene, button: Button
) -> None:
    await scene(desk, MEI)
    told = await answering_of(desk).now(MEI, mrkdwn(MEI), slug, "")
    assert told.button is button
    assert bool(told.store_id) is (button not in (Button.ADD_STORE, Button.ASK_PERSON))
