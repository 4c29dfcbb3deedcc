"""A seller keeps stores: adding by form and in one line, listing, showing, editing, sharing, switching off, deleting."""

from __future__ import annotations

import pytest

from bot.domain.status import PLATFORM_LABELS, StatusKind
from handlers.stores import PAGE
from tests.dialogue.conftest import Somebody
from tests.dialogue.conversation import Seller, System, verify_dialog

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _added_by_form(seller: Seller, **fields: object) -> None:
    await seller.types("/store add")
    await seller.fills(plan="professional")
    await seller.submits()
    await seller.fills(**fields)


async def test_the_first_store_opens_the_preparations_then_the_form(seller: Seller) -> None:
    say = seller.say
    news = await seller.types("/store add")
    assert news.modal is not None
    assert news.modal.title == say("prepare.title")
    for key in ("prepare.plan_rule", "prepare.who", "prepare.safe_environment"):
        assert say(key).replace("*", "") in news.modal.plain()

    await seller.fills(plan="professional")
    form = (await seller.submits()).modal
    assert form is not None
    assert form.labels() == [
        say(f"store.form.{name}") for name in ("label", "marketplace", "date", "email", "website", "mapping")
    ]

    await seller.fills(label="Acme US", marketplace="US")
    done = await seller.submits()
    assert done.modal is not None
    assert done.modal.title == say("store.added.title")
    assert done.one(say("store.added.title")).channel == seller.dm
    assert {say("button.grant", feature=say(f"feature.{key}.name")) for key in ("orders", "listing")} <= set(
        done.modal.buttons()
    )


async def test_an_individual_plan_is_told_why_it_stops_and_can_correct_itself(seller: Seller) -> None:
    await seller.types("/store add")
    await seller.fills(plan="individual")
    news = await seller.submits()
    assert list(news.said.errors.values()) == [seller.say("error.IndividualPlan")]
    assert await seller.stores() == 0
    await seller.fills(plan="professional")
    form = (await seller.submits()).modal
    assert form is not None
    assert form.title == seller.say("store.form.title")


async def test_whoever_has_prepared_goes_straight_to_the_form(mei: Seller) -> None:
    await _added_by_form(mei, label="Acme US", marketplace="US")
    await mei.submits()
    news = await mei.types("/store add")
    assert news.modal is not None
    assert news.modal.callback_id == "store.add"


async def test_a_commerce_store_keeps_its_further_fields(seller: Seller, system: System) -> None:
    say, day = seller.say, system.day(-30)
    await _added_by_form(
        seller,
        label="Commerce DE",
        marketplace="DE",
        initial_order_date=day.isoformat(),
        contact_email="shop@example.com",
        website="shop.example.com",
        attribute_mapping="EAN=barcode\nasin＝amazon_id",
    )
    await seller.submits()
    await verify_dialog(
        seller,
        [
            (
                "/store show",
                [
                    "Commerce DE",
                    say.date(day),
                    "shop@example.com",
                    "https://shop.example.com",
                    "EAN = barcode, ASIN = amazon_id",
                ],
            )
        ],
    )


@pytest.mark.parametrize(
    "written",
    [
        '"Acme US" US {day}',
        "“Acme US” US {day}",
        "”Acme US” US {day}",
        '"Acme US” US {day}',
        "„Acme US“ US {day}",
        "«Acme US» US {day}",
        "'Acme US' US {day}",
        "‘Acme US’ US {day}",
        "「Acme US」 美国 {day}",
        "『Acme US』 美國 {day}",
        "《Acme US》 美國 {day}",
        "＂Acme US＂ USA {day}",
        "Acme US US {day}",
        "Acme\u3000US\u00a0amazon.com {day}",
        '"Acme US" <http://amazon.com|amazon.com> {day}',
        '"  Acme   US " us {day}',
    ],
)
async def test_a_store_is_added_in_one_line_however_it_is_quoted(alex: Seller, system: System, written: str) -> None:
    await verify_dialog(
        alex,
        [
            (
                f"/store add {written.format(day=system.day())}",
                [alex.say("store.added.title"), "Acme US · United States"],
            ),
            ("/store show Acme US", "Acme US · United States"),
        ],
    )


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ('"AT&amp;T &lt;shop&gt;" US', "AT&T <shop>"),
        ('"Mei\'s shop" US', "Mei's shop"),
        ("Mei's shop US", "Mei's shop"),
        ("O’Neil’s US", "O’Neil’s"),
        ('"<http://acme.com|acme.com>" US', "acme.com"),
        ("<mailto:shop@acme.com|shop@acme.com> US", "shop@acme.com"),
        ("阿可美 US", "阿可美"),
        ("店铺（主） US", "店铺（主）"),
        ("🏕️ Camp US", "🏕️ Camp"),
        ('"5" US', "5"),
    ],
)
async def test_a_label_is_kept_as_it_was_typed(alex: Seller, system: System, typed: str, kept: str) -> None:
    await alex.types(f"/store add {typed} {system.day()}")
    news = await alex.types("/store list")
    assert f"\n{kept} · United States" in news.plain()


async def test_the_first_store_in_one_line_brings_the_preparations_along_once(seller: Seller, system: System) -> None:
    first = await seller.types(f"/store add One US {system.day()}")
    assert seller.say("prepare.heading") in first.plain()


@pytest.mark.parametrize("name", ["mei", "lin", "alex"])
async def test_a_long_list_is_read_page_by_page(somebody: Somebody, name: str) -> None:
    seller = await somebody(name)
    say = seller.say
    for number in range(PAGE + 6):
        await seller.has_store(f"Store {number:02d}")
    first = await seller.types("/store list")
    assert say.count("store.list", PAGE + 6) in first.plain()
    assert "Store 00" in first.plain()
    assert f"Store {PAGE:02d}" not in first.plain()
    assert say("button.previous") not in first.only.buttons()
    second = await seller.presses(say("button.next"), first.only)
    assert f"Store {PAGE:02d}" in second.plain()
    assert f"Store {PAGE + 5:02d}" in second.plain()
    assert say("button.next") not in second.only.buttons()
    back = await seller.presses(say("button.previous"), second.only)
    assert "Store 00" in back.plain()

    status = await seller.types("/authstatus")
    assert say("button.next") in status.only.buttons()
    rest = await seller.presses(say("button.next"), status.only)
    assert "Store 12" in rest.plain()
    last = await seller.presses(say("button.next"), rest.only)
    assert "Store 25" in last.plain()
    assert say("button.next") not in last.only.buttons()


async def test_a_store_is_shown_with_its_status_and_its_buttons(seller: Seller, system: System) -> None:
    say = seller.say
    await seller.has_store("Acme US", day=system.day(-3))
    listed = await seller.types("/store list")
    shown = await seller.presses(say("button.details"), listed.only)
    text = shown.only.plain()
    assert PLATFORM_LABELS[StatusKind.NOT_AUTHORIZED] in text
    assert say.date(system.day(-3)) in text
    assert {say("button.edit"), say("button.disable"), say("button.delete")} <= set(shown.only.buttons())


async def test_a_word_about_one_store_asks_which_when_there_are_several(seller: Seller) -> None:
    await seller.has_store("One")
    await seller.has_store("Two")
    asked = await seller.types("/store show")
    assert seller.say("store.which") in asked.plain()
    shown = await seller.presses(seller.say("store.which_placeholder"), asked.only, value="Two · US")
    assert "Two" in shown.plain()


async def test_an_edit_keeps_an_old_day_that_was_accepted_once(seller: Seller, system: System) -> None:
    say, old = seller.say, system.day(-729)
    await seller.has_store("Acme US", day=old)
    await system.passes(days=10)
    form = (await seller.types("/store edit")).modal
    assert form is not None
    assert form.title == say("store.form.edit_title")
    await seller.fills(label="Acme America")
    news = await seller.submits()
    assert say("store.edited", store="Acme America").replace("*", "") in news.plain()
    shown = await seller.types('/store show "acme america"')
    assert say.date(old) in shown.plain()


async def test_an_edit_refuses_another_day_that_is_too_old(seller: Seller, system: System) -> None:
    await seller.has_store("Acme US")
    await seller.types("/store edit")
    await seller.fills(initial_order_date=system.day(-800).isoformat())
    news = await seller.submits()
    (sentence,) = news.said.errors.values()
    assert sentence.startswith(seller.say("error.DateTooOld", earliest="{}").partition("{}")[0])


async def test_a_colleague_who_is_given_the_stores_sees_and_grants_them(
    seller: Seller, somebody: Somebody, system: System
) -> None:
    colleague = await somebody("alex")
    await seller.has_store("Acme US")
    account = await system.amazon_account("US")
    told = await colleague.notices(lambda: seller.types(f"/store share <@{colleague.id}|{colleague}>"))
    assert colleague.say("store.shared_with_you") in told.plain()
    assert "Acme US" in told.plain()
    seen = await colleague.presses(colleague.say("button.status"), told.only)
    assert "Acme US" in seen.plain()
    await colleague.grants("orders", "Acme US", account)
    await verify_dialog(seller, [("/authstatus", ["Acme US", PLATFORM_LABELS[StatusKind.ORDERS_ONLY]])])


async def test_sharing_says_who_can_now_work_on_the_stores(seller: Seller, somebody: Somebody) -> None:
    colleague = await somebody("lin")
    await seller.has_store("Acme US")
    said = seller.say.count("store.shared", 1, colleague=str(colleague).capitalize())
    await verify_dialog(seller, [(f"/store share <@{colleague.id}>", said)])


async def test_a_colleague_with_stores_of_their_own_cannot_be_added(seller: Seller, somebody: Somebody) -> None:
    colleague = await somebody("mei")
    await colleague.has_store("Mine")
    await seller.has_store("Acme US")
    said = seller.say("error.AlreadyAMember", name=str(colleague).capitalize())
    await verify_dialog(seller, [(f"/store share <@{colleague.id}>", said)])
    await verify_dialog(colleague, [("/store list", "Mine")])


async def test_nobody_is_their_own_colleague(seller: Seller) -> None:
    await seller.has_store("Acme US")
    assert (await seller.types(f"/store share <@{seller.id}>")).only.plain() == seller.say("error.NotAPerson")


@pytest.mark.parametrize("whom", ["", "lin", "@lin", "lin and mei", "<@U0NOBODY>", "<@U0BOT>", "<!channel>"])
async def test_sharing_with_nobody_in_particular_is_explained(seller: Seller, whom: str) -> None:
    await seller.has_store("Acme US")
    news = await seller.types(f"/store share {whom}")
    key = "error.UnknownPerson" if whom.startswith("<@") else "error.NotAPerson"
    assert news.only.plain() == seller.say(key)


async def test_a_store_is_disabled_and_enabled_again(seller: Seller) -> None:
    say = seller.say
    await seller.has_store("Acme US")
    off = await verify_dialog(seller, [("/store disable", "Acme US")])
    await verify_dialog(
        seller,
        [
            ("/authstatus", say("status.disabled")),
            ("/grant orders", say("error.StoreDisabled", label="Acme US")),
            ('/grant orders "Acme US"', say("error.StoreDisabled", label="Acme US")),
            ("/store disable", "Acme US"),
        ],
    )
    on = await seller.presses(say("button.enable"), off.only)
    assert "Acme US" in on.plain()
    status = await seller.types("/authstatus")
    assert say("status.disabled") not in status.plain()


async def test_deleting_asks_first_and_then_deletes(seller: Seller) -> None:
    say = seller.say
    await seller.has_store("Acme US")
    asked = await seller.types("/store delete")
    assert await seller.stores() == 1
    assert {say("button.delete"), say("button.disable_instead")} == set(asked.only.buttons())
    gone = await seller.presses(say("button.delete"), asked.only)
    assert "Acme US" in gone.plain()
    assert await seller.stores() == 0
    await verify_dialog(seller, [("/store list", say("error.NoStores"))])


async def test_disabling_instead_of_deleting_keeps_the_store(seller: Seller) -> None:
    await seller.has_store("Acme US")
    asked = await seller.types("/store delete")
    await seller.presses(seller.say("button.disable_instead"), asked.only)
    assert await seller.stores() == 1


async def test_the_buttons_that_cannot_be_taken_back_ask_before_they_act(seller: Seller) -> None:
    await seller.has_store("Acme US")
    shown = await seller.types("/store show")
    asking = {control.action_id: control.raw.get("confirm") or {} for control in shown.only.controls()}
    assert "Acme US" in asking["store.do:disable"]["text"]["text"]
    assert "Acme US" in asking["store.do:delete"]["text"]["text"]


async def test_help_and_nothing_at_all_are_answered_with_the_usage(seller: Seller) -> None:
    usage = seller.say("usage.store").splitlines()[1].replace("`", "")
    for typed in ("/store", "/store help", "/store HELP"):
        assert usage in (await seller.types(typed)).plain().replace("`", "")


async def test_the_preparations_can_be_read_again(seller: Seller) -> None:
    await seller.has_store("Acme US")
    news = await seller.types("/store prepare")
    assert news.modal is not None
    assert news.modal.title == seller.say("prepare.title")
