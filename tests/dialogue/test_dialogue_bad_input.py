"""Bad input gets a sentence that says what to do; nothing is stored, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.domain.marketplaces import MARKETPLACES
from tests.dialogue.conftest import Somebody
from tests.dialogue.conversation import News, Seller, System
from tests.dialogue.forging import forge_button, forge_notes

pytestmark = pytest.mark.asyncio(loop_scope="session")

Expected = Callable[[Seller, System], str]
#: what is typed after `/store add`, and the one sentence that answers it
_LINES: list[tuple[str, Expected]] = [
    ("Acme Germny {day}", lambda s, _: s.say("error.UnknownMarketplace", given="Germny", suggestion="DE")),
    ("Acme Mars {day}", lambda s, _: s.say("error.NoSuchMarketplace", given="Mars", known=", ".join(MARKETPLACES))),
    ('"Acme US" US {day} please', lambda s, _: s.say("error.TooManyWords", given="please", example='"Acme US"')),
    ("Acme US 31.01.2026", lambda s, y: s.say("error.MalformedDate", given="31.01.2026", example=_today(s, y))),
    ("Acme US 01/31/2026", lambda s, y: s.say("error.MalformedDate", given="01/31/2026", example=_today(s, y))),
    ("Acme US 2026-02-30", lambda s, y: s.say("error.MalformedDate", given="2026-02-30", example=_today(s, y))),
    ("Acme US yesterday", lambda s, y: s.say("error.MalformedDate", given="yesterday", example=_today(s, y))),
    ("Acme US {old}", lambda s, _: s.say("error.DateTooOld", earliest="{}").partition("{}")[0]),
    ("Acme US {far}", lambda s, _: s.say("error.DateTooFar", latest="{}").partition("{}")[0]),
    ('"" US {day}', lambda s, _: s.say("error.EmptyLabel")),
    ('" \u200b\u200f " US {day}', lambda s, _: s.say("error.EmptyLabel")),
    ("{long} US {day}", lambda s, _: s.say("error.LabelTooLong", length=300, limit=60)),
    ('"acme us" US {day}', lambda s, _: s.say("error.DuplicateLabel", label="acme us")),
    ("ＡＣＭＥ　ＵＳ US {day}", lambda s, _: s.say("error.DuplicateLabel", label="ＡＣＭＥ ＵＳ")),
    ('"Acme US {day}', lambda s, _: s.say("error.UnclosedQuote", example='"Acme US"')),
]


def _today(seller: Seller, system: System) -> str:
    return system.now.astimezone(seller.say.zone).date().isoformat()


@pytest.mark.parametrize(("line", "expected"), _LINES, ids=[line for line, _ in _LINES])
async def test_a_line_that_cannot_be_is_answered_with_one_sentence(
    seller: Seller, system: System, line: str, expected: Expected
) -> None:
    await seller.has_store("Acme US")
    typed = line.format(day=system.day(), old=system.day(-740), far=system.day(400), long="x" * 300)
    news = await seller.types(f"/store add {typed}")
    assert len(news.only.plain().splitlines()) == 1
    assert news.only.plain().startswith(expected(seller, system))
    assert news.only.ephemeral
    assert await seller.stores() == 1


async def test_several_mistakes_in_one_line_are_told_together(seller: Seller) -> None:
    news = await seller.types('/store add "" Germny tomorrow')
    assert len(news.only.plain().splitlines()) == 3
    assert await seller.stores() == 0


async def _form(seller: Seller, **fields: object) -> News:
    await seller.types("/store add")
    if (await seller.person.modal()).callback_id == "store.prepare":
        await seller.fills(plan="professional")
        await seller.submits()
    await seller.fills(**fields)
    return await seller.submits()


async def test_a_form_keeps_what_was_typed_and_says_under_each_input_what_is_wrong(
    seller: Seller, system: System
) -> None:
    say = seller.say
    await seller.has_store("Acme US")
    news = await _form(
        seller,
        label="x" * 300,
        marketplace="DE",
        initial_order_date=system.day(-900).isoformat(),
        contact_email="nobody",
        website="javascript:alert(1)",
        attribute_mapping="FOO=bar",
    )
    form = await seller.person.modal()
    assert set(form.errors) == {say(f"store.form.{name}") for name in ("label", "date", "email", "website", "mapping")}
    assert form.errors[say("store.form.label")] == say("error.LabelTooLong", length=300, limit=60)
    kept = [entry for block in form.values.values() for entry in block.values()]
    assert any(entry.get("value") == "x" * 300 for entry in kept)
    assert any(entry.get("value") == "FOO=bar" for entry in kept)
    assert await seller.stores() == 1
    assert news.messages == ()

    await seller.fills(
        label="Acme DE",
        initial_order_date=system.day().isoformat(),
        contact_email="shop@example.com",
        website="shop.example.com",
        attribute_mapping="EAN=bar",
    )
    mended = await seller.submits()
    assert say("store.added.title") in mended.plain()
    assert await seller.stores() == 2


async def test_a_name_that_is_taken_is_told_under_the_name(seller: Seller) -> None:
    await seller.has_store("Acme US")
    await _form(seller, label="ACME  us", marketplace="US")
    form = await seller.person.modal()
    assert form.errors == {seller.say("store.form.label"): seller.say("error.DuplicateLabel", label="ACME us")}


async def test_renaming_to_a_name_that_is_taken_is_refused_in_the_form(seller: Seller) -> None:
    await seller.has_store("One")
    await seller.has_store("Two")
    await seller.types("/store edit Two")
    await seller.fills(label="one")
    await seller.submits()
    form = await seller.person.modal()
    assert form.errors == {seller.say("store.form.label"): seller.say("error.DuplicateLabel", label="one")}


async def test_a_connected_store_keeps_its_marketplace(seller: Seller, system: System) -> None:
    account = await system.amazon_account("US")
    await seller.has_store("Acme US")
    await seller.grants("orders", "Acme US", account)
    await seller.types("/store edit")
    await seller.fills(marketplace="DE")
    await seller.submits()
    form = await seller.person.modal()
    assert form.errors == {
        seller.say("store.form.marketplace"): seller.say("error.MarketplaceIsFixed", label="Acme US")
    }


@pytest.mark.parametrize(
    "command", ["/store show", "/store edit", "/store disable", "/store enable", "/store delete", "/authstatus"]
)
async def test_somebody_elses_store_is_as_unknown_as_one_that_never_was(
    seller: Seller, somebody: Somebody, command: str
) -> None:
    other = await somebody("mei")
    await other.has_store("Zauberladen")
    await seller.has_store("Acme US")
    for name in ("Zauberladen", "Quatschladen"):
        news = await seller.types(f"{command} {name}")
        assert news.only.plain() == seller.say("error.UnknownStore", given=name)
    assert await other.stores() == 1


@pytest.mark.parametrize("doing", ["show", "edit", "disable", "enable", "delete"])
async def test_a_crafted_button_does_not_reach_somebody_elses_store(
    seller: Seller, somebody: Somebody, system: System, doing: str
) -> None:
    other = await somebody("mei")
    theirs = await other.has_store("Zauberladen")
    await seller.has_store("Acme US")
    mine = (await seller.types("/store list")).only
    forge_button(system, mine.ts, "store.do:show", action_id=f"store.do:{doing}", value=theirs)
    news = await seller.presses(f"store.do:{doing}", mine)
    assert news.modal is None
    assert news.only.plain() == seller.say("error.StoreGone")
    forge_button(system, mine.ts, f"store.do:{doing}", action_id=f"store.do:{doing}", value="nonsense")
    again = await seller.presses(f"store.do:{doing}", mine)
    assert again.only.plain() == news.only.plain()
    assert "Zauberladen" in (await other.types("/store list")).plain()


@pytest.mark.parametrize("action", ["grant.start:orders", "grant.again:orders", "grant.check:orders"])
async def test_a_crafted_button_does_not_grant_somebody_elses_store(
    seller: Seller, somebody: Somebody, system: System, action: str
) -> None:
    other = await somebody("lin")
    theirs = await other.has_store("Zauberladen")
    await seller.has_store("Acme US")
    mine = (await seller.types("/store list")).only
    forge_button(system, mine.ts, "store.do:show", action_id=action, value=theirs)
    news = await seller.presses(action, mine)
    assert news.only.plain() == seller.say("error.StoreGone")
    assert await system.count("SELECT count(*) FROM consent_attempts WHERE store_id = :store", store=theirs) == 0


async def test_a_crafted_form_does_not_edit_somebody_elses_store(
    seller: Seller, somebody: Somebody, system: System
) -> None:
    other = await somebody("mei")
    theirs = await other.has_store("Zauberladen")
    await seller.has_store("Acme US")
    form = (await seller.types("/store edit")).modal
    assert form is not None
    forge_notes(system, form.id, store_id=theirs)
    await seller.fills(label="Stolen")
    news = await seller.submits()
    assert list(news.said.errors.values()) == [seller.say("error.StoreGone")]
    assert "Zauberladen" in (await other.types("/store list")).plain()


async def test_a_crafted_report_of_an_error_does_not_name_somebody_elses_store(
    seller: Seller, somebody: Somebody, system: System
) -> None:
    other, sam = await somebody("mei"), system.client.person("sam")
    theirs = await other.has_store("Zauberladen")
    await seller.has_store("Acme US")
    card = await seller.card("orders", "Acme US")
    form = (await seller.presses(seller.say("button.saw_error"), card)).modal
    assert form is not None
    forge_notes(system, form.id, feature="orders", store_id=theirs)
    await seller.fills(error_text="MD5101")
    news = await seller.submits()
    assert list(news.said.errors.values()) == [seller.say("error.StoreGone")]
    assert not any(one.contains("Zauberladen") for one in await sam.messages("C0SUPPORT"))


async def test_a_button_of_a_store_that_is_gone_says_so(seller: Seller) -> None:
    say = seller.say
    await seller.has_store("Acme US")
    card = await seller.card("orders", "Acme US")
    shown = (await seller.types("/store show")).only
    asked = (await seller.types("/store delete")).only
    await seller.presses(say("button.delete"), asked)
    for label, message in ((say("button.delete"), asked), (say("button.new_link"), card), (say("button.edit"), shown)):
        assert (await seller.presses(label, message)).only.plain() == say("error.StoreGone")


@pytest.mark.parametrize(
    ("typed", "meant"), [("lst", "list"), ("shwo", "show"), ("ad", "add"), ("delet", "delete"), ("LISTE", "list")]
)
async def test_a_typo_in_a_word_is_answered_with_the_word_that_was_meant(
    seller: Seller, typed: str, meant: str
) -> None:
    news = await seller.types(f"/store {typed}")
    assert news.only.plain().splitlines()[0] == seller.say("error.UnknownWord", given=typed, suggestion=meant)


async def test_a_form_that_opens_too_late_is_told(seller: Seller, system: System) -> None:
    await seller.has_store("Acme US")
    system.tolerated.append("views.open")
    await system.client.fault("views.open", "expired_trigger_id")
    news = await seller.types("/store edit")
    assert news.only.plain() == seller.say("error.FormTimedOut")
    shown = (await seller.types("/store show")).only
    await system.client.fault("views.open", "expired_trigger_id")
    pressed = await seller.presses(seller.say("button.edit"), shown)
    assert pressed.only.plain() == seller.say("error.FormTimedOut")


@pytest.mark.parametrize("mode", ["500", "429", "html", "ratelimited", "internal_error"])
async def test_a_form_that_slack_cannot_open_now_is_told(seller: Seller, system: System, mode: str) -> None:
    system.tolerated.append("views.open")
    await system.client.fault("views.open", mode)
    news = await seller.types("/store add")
    assert news.only.plain() == seller.say("error.SlackUnavailable")
    again = await seller.types("/store add")
    assert again.modal is not None


async def test_something_unforeseen_is_told_with_a_number_in_ones_own_language(seller: Seller, system: System) -> None:
    system.tolerated.append("views.open")
    await seller.has_store("Acme US")
    await system.client.fault("views.open", "not_allowed_token_type")
    news = await seller.types("/store edit")
    assert news.only.plain().startswith(seller.say("error.WeMustAct", incident="{}").partition("{}")[0])
    shown = (await seller.types("/store show")).only
    await system.client.fault("views.open", "not_allowed_token_type")
    pressed = await seller.presses(seller.say("button.edit"), shown)
    assert pressed.only.plain().startswith(seller.say("error.WeMustAct", incident="{}").partition("{}")[0])


async def test_something_unforeseen_in_a_form_leaves_it_open_with_what_was_typed(
    seller: Seller, system: System
) -> None:
    await seller.has_store("Acme US")
    card = await seller.card("orders", "Acme US")
    form = (await seller.presses(seller.say("button.saw_error"), card)).modal
    assert form is not None
    forge_notes(system, form.id, feature="nonsense", store_id="x")
    await seller.fills(error_text="MD5101")
    await seller.submits()
    kept = await seller.person.modal()
    (sentence,) = kept.errors.values()
    assert sentence.startswith(seller.say("error.WeMustAct", incident="{}").partition("{}")[0])


async def test_where_the_bot_is_no_member_it_answers_all_the_same(seller: Seller, system: System) -> None:
    channel = system.outside_channel(seller.id)
    await seller.has_store("Acme US")
    listed = await seller.types("/store list", channel=channel)
    assert listed.only.channel == channel
    shown = await seller.presses(seller.say("button.details"), listed.only)
    assert shown.only.channel == channel
    assert shown.only.ephemeral
    assert "Acme US" in shown.plain()


async def test_time_zones_decide_what_two_years_ago_means(system: System, somebody: Somebody) -> None:
    mei = await somebody("mei")
    today = system.now.astimezone(mei.say.zone).date()
    await mei.types(f"/store add One US {today - timedelta(days=731)}")
    assert await mei.stores() <= 1
