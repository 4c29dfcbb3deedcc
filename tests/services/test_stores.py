"""Keeping stores: what is refused stores nothing, what is somebody else's does not exist, what is shared is shared."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.domain.grants import GrantState
from bot.domain.notices import SharedWithYou, StoreAdded
from bot.domain.verification import Reason, Refused
from bot.errors import (
    AlreadyAMember,
    DateTooOld,
    DuplicateLabel,
    EmptyLabel,
    LabelTooLong,
    MalformedDate,
    MalformedEmail,
    MarketplaceIsFixed,
    MisspelledStore,
    NoStores,
    PersonMustAct,
    SeveralProblems,
    UnknownMarketplace,
    UnknownStore,
    WhichStore,
)
from bot.services.stores import StoreDraft
from tests.services.desk import ACME, ALEX, LIN, LISTING, MEI, ORDERS, Desk

GOOD = StoreDraft("Acme US", "US", "2026-01-31")


async def test_a_store_is_kept_as_it_was_written(desk: Desk) -> None:
    added = await desk.stores.add(
        MEI,
        StoreDraft(
            " Acme  US ", "美国站", "2026年1月31日", "mei@example.com", "shop.example.com", "EAN=barcode\nASIN=asin"
        ),
    )
    assert added.first
    store = await desk.stores.get(MEI, added.store.id)
    assert store == added.store
    assert (store.label, store.marketplace_code, store.initial_order_date) == ("Acme US", "US", date(2026, 1, 31))
    assert (store.contact_email, store.website) == ("mei@example.com", "https://shop.example.com")
    assert dict(store.attribute_mapping) == {"EAN": "barcode", "ASIN": "asin"}
    assert not (await desk.stores.add(MEI, replace(GOOD, label="Acme CA"))).first


async def test_adding_is_announced_when_asked_for(desk: Desk) -> None:
    await desk.stores.add(MEI, GOOD, announce=True)
    [added] = await desk.told()
    assert isinstance(added, StoreAdded)
    assert added.store.label == "Acme US"
    await desk.stores.add(MEI, replace(GOOD, label="Quiet"))
    assert await desk.told() == []


@pytest.mark.parametrize(
    ("draft", "problem"),
    [
        (replace(GOOD, label="  "), EmptyLabel),
        (replace(GOOD, label="x" * 300), LabelTooLong),
        (replace(GOOD, marketplace="Atlantis"), UnknownMarketplace),
        (replace(GOOD, initial_order_date="31/01/2026"), MalformedDate),
        (replace(GOOD, initial_order_date="2023-01-31"), DateTooOld),
        (replace(GOOD, contact_email="mei at example"), MalformedEmail),
    ],
)
async def test_a_refused_draft_stores_nothing(desk: Desk, draft: StoreDraft, problem: type[PersonMustAct]) -> None:
    before = await desk.rows()
    with pytest.raises(problem):
        await desk.stores.add(MEI, draft, announce=True)
    assert await desk.rows() == before


async def test_several_problems_are_told_at_once(desk: Desk) -> None:
    before = await desk.rows()
    with pytest.raises(SeveralProblems) as caught:
        await desk.stores.add(MEI, StoreDraft("", "Atlantis", "soon", "no", "no", "no"))
    assert [problem.field for problem in caught.value.problems] == [
        "label",
        "marketplace",
        "initial_order_date",
        "contact_email",
        "website",
        "attribute_mapping",
    ]
    assert await desk.rows() == before


@pytest.mark.parametrize("again", ["Acme US", "acme us", "ＡＣＭＥ　ＵＳ", " Acme   US "])
async def test_a_label_is_unique_whatever_its_width_and_case(desk: Desk, again: str) -> None:
    await desk.store()
    before = await desk.rows()
    with pytest.raises(DuplicateLabel):
        await desk.stores.add(MEI, replace(GOOD, label=again, marketplace="CA"), announce=True)
    assert await desk.rows() == before
    assert (await desk.stores.add(LIN, replace(GOOD, label=again))).first, "another distributor may use the same name"


async def test_today_is_the_persons_day(desk: Desk) -> None:
    """At 20:00 UTC it is tomorrow in Shanghai, so that the oldest day has moved on there."""
    desk.clock.advance(timedelta(hours=12))
    assert desk.clock().isoformat() == "2026-02-02T20:00:00+00:00"
    with pytest.raises(DateTooOld):
        await desk.stores.add(MEI, replace(GOOD, initial_order_date="2024-02-03"))
    assert (await desk.stores.add(ALEX, replace(GOOD, initial_order_date="2024-02-03"))).first


async def test_somebody_elses_store_does_not_exist(desk: Desk) -> None:
    store = await desk.store()
    await desk.store(LIN, "Lin JP", "JP")
    for stranger in (LIN, ALEX):
        for act in (
            desk.stores.get(stranger, store.id),
            desk.stores.edit(stranger, store.id, GOOD),
            desk.stores.disable(stranger, store.id),
            desk.stores.enable(stranger, store.id),
            desk.stores.delete(stranger, store.id),
            desk.reporting.store(stranger, store.id),
        ):
            with pytest.raises(UnknownStore) as caught:
                await act
            assert "Acme" not in str(caught.value)
    with pytest.raises(UnknownStore) as caught:
        await desk.stores.find(LIN, "Acme US")
    assert not isinstance(caught.value, MisspelledStore)
    assert await desk.stores.get(MEI, store.id) == store


async def test_a_store_is_found_by_name_or_as_the_only_one(desk: Desk) -> None:
    with pytest.raises(NoStores):
        await desk.stores.find(MEI, "Acme US")
    us = await desk.store()
    assert await desk.stores.find(MEI) == us
    canada = await desk.store(MEI, "Acme CA", "CA")
    assert await desk.stores.find(MEI, "ａｃｍｅ ca") == canada
    assert await desk.stores.find(MEI, among=lambda store: store.marketplace_code == "US") == us
    with pytest.raises(WhichStore) as which:
        await desk.stores.find(MEI)
    assert which.value.facts["labels"] == '"Acme US", "Acme CA"'


@pytest.mark.parametrize("typed", ["Acme SU", "Acm US", "acmeus", "Acme U"])
async def test_a_misspelled_store_is_suggested(desk: Desk, typed: str) -> None:
    await desk.store()
    with pytest.raises(MisspelledStore) as caught:
        await desk.stores.find(MEI, typed)
    assert caught.value.facts == {"given": typed, "suggestion": "Acme US"}


async def test_editing_keeps_a_day_that_was_accepted_once(desk: Desk) -> None:
    store = await desk.store(day="2024-02-10")
    desk.clock.advance(timedelta(days=60))
    edited = await desk.stores.edit(MEI, store.id, StoreDraft("Acme Main", "US", "2024-02-10"))
    assert (edited.label, edited.initial_order_date) == ("Acme Main", date(2024, 2, 10))
    with pytest.raises(DateTooOld):
        await desk.stores.edit(MEI, store.id, StoreDraft("Acme Main", "US", "2024-02-11"))


async def test_editing_can_keep_its_own_label_but_not_take_anothers(desk: Desk) -> None:
    store = await desk.store()
    await desk.store(MEI, "Acme CA", "CA")
    assert (await desk.stores.edit(MEI, store.id, replace(GOOD, label="ACME us"))).label == "ACME us"
    with pytest.raises(DuplicateLabel):
        await desk.stores.edit(MEI, store.id, replace(GOOD, label="acme ca"))


async def test_a_marketplace_is_fixed_once_an_amazon_account_is_known(desk: Desk) -> None:
    unbound = await desk.store(MEI, "New", "CA")
    assert (await desk.stores.edit(MEI, unbound.id, StoreDraft("New", "MX", "2026-01-31"))).marketplace_code == "MX"
    bound = await desk.granted()
    with pytest.raises(MarketplaceIsFixed):
        await desk.stores.edit(MEI, bound.id, StoreDraft("Acme US", "CA", "2026-01-31"))
    edited = await desk.stores.edit(MEI, bound.id, StoreDraft("Acme Main", "美国", "2026-01-31"))
    assert (edited.label, edited.selling_partner_id) == ("Acme Main", ACME)


async def test_a_shared_account_is_worked_on_by_both(desk: Desk) -> None:
    store = await desk.store()
    assert await desk.stores.share(MEI, LIN.user_id, colleague_name="Lin") == [store]
    [notice] = await desk.told(LIN.user_id)
    assert isinstance(notice, SharedWithYou)
    assert (notice.by_user_id, notice.labels) == (MEI.user_id, ("Acme US",))
    assert (await desk.consent(store, person=LIN)).verdict
    assert (await desk.grant(store)).state is GrantState.GRANTED
    assert await desk.stores.share(MEI, LIN.user_id, colleague_name="Lin")
    assert [notice.kind for notice in await desk.told(LIN.user_id)] == ["consent_result"]


async def test_sharing_needs_stores_and_a_colleague_without_their_own(desk: Desk) -> None:
    with pytest.raises(NoStores):
        await desk.stores.share(MEI, LIN.user_id, colleague_name="Lin")
    await desk.store()
    await desk.store(LIN, "Lin JP", "JP")
    with pytest.raises(AlreadyAMember) as caught:
        await desk.stores.share(MEI, LIN.user_id, colleague_name="Lin")
    assert caught.value.facts == {"name": "Lin"}
    assert await desk.told(LIN.user_id) == []


async def test_disabling_and_enabling_twice_changes_nothing_more(desk: Desk) -> None:
    store = await desk.granted()
    grants = await desk.grants(store)
    disabled = await desk.stores.disable(MEI, store.id)
    assert disabled.disabled_at == desk.clock()
    desk.clock.advance(timedelta(hours=1))
    assert await desk.stores.disable(MEI, store.id) == disabled
    enabled = await desk.stores.enable(MEI, store.id)
    assert await desk.stores.enable(MEI, store.id) == enabled == store
    assert await desk.grants(store) == grants


async def test_deleting_the_last_store_lets_go_of_the_amazon_account(desk: Desk) -> None:
    us, canada = await desk.granted(), await desk.granted("Acme CA", "CA")
    theirs = await desk.store(ALEX, "Bought from Mei", "US")
    await desk.stores.delete(MEI, us.id)
    assert (await desk.consent(theirs, person=ALEX)).verdict == Refused(Reason.HELD_BY_ANOTHER)
    await desk.stores.delete(MEI, canada.id)
    assert await desk.stores.all(MEI) == []
    assert (await desk.consent(theirs, person=ALEX)).verdict


async def test_a_deleted_name_can_be_used_again_and_begins_anew(desk: Desk) -> None:
    store = await desk.granted()
    await desk.stores.delete(MEI, store.id)
    again = await desk.store()
    assert [grant.state for grant in await desk.grants(again)] == [GrantState.NOT_GRANTED] * 2
    assert not (await desk.card(again, LISTING)).confirmable
    assert await desk.checking.check(MEI, ORDERS, again.id) == Refused(Reason.NEVER_OPENED)


async def test_preparations_are_confirmed_once_for_the_account(desk: Desk) -> None:
    assert not await desk.stores.is_prepared(MEI)
    await desk.stores.confirm_preparations(MEI)
    assert await desk.stores.is_prepared(MEI)
    assert await desk.stores.all(MEI) == []
    assert (await desk.stores.add(MEI, GOOD)).first
    assert not await desk.stores.is_prepared(LIN)
