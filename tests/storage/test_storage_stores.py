"""Stores: one label for each distributor, one distributor for each store, said by the database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from bot.domain.features import FeatureKey
from bot.domain.grants import first_grant
from bot.domain.verification import Reason, Refused
from bot.errors import ConcurrentChange, DuplicateLabel
from tests.storage.examples import ACME, LIN, MEI, OTHER_TEAM, World


async def test_a_store_comes_back_as_it_was_put(world: World) -> None:
    seller = await world.seller()
    store = await world.store(
        seller,
        "美国一店",
        contact_email="mei@example.com",
        website="https://shop.example.com",
        attribute_mapping={"EAN": "barcode", "ASIN": "asin"},
        initial_order_date=date(2025, 6, 1),
    )
    async with world.database.read() as work:
        found = await work.stores.get(seller, store.id)
    assert found == store
    assert list(store.attribute_mapping) == list(found.attribute_mapping)


async def test_a_label_is_found_whatever_its_width_case_and_spaces(world: World) -> None:
    seller = await world.seller()
    store = await world.store(seller, "Acme US")
    async with world.database.read() as work:
        assert await work.stores.by_label(seller, "  ＡＣＭＥ   us ") == store
        assert await work.stores.by_label(seller, "Acme UK") is None


async def test_stores_stand_in_the_order_they_were_added(world: World) -> None:
    seller = await world.seller()
    for label in ("Zebra", "Acme", "Mango"):
        await world.store(seller, label)
    async with world.database.read() as work:
        assert [store.label for store in await work.stores.of_seller(seller)] == ["Zebra", "Acme", "Mango"]


async def test_anothers_store_is_as_if_it_did_not_exist(world: World) -> None:
    mei, lin = await world.seller(MEI), await world.seller(LIN)
    elsewhere = await world.seller(MEI, team_id=OTHER_TEAM)
    store = await world.store(mei)
    # Somebody who guessed an id right and put it into another workspace.
    forged = replace(mei, team_id=OTHER_TEAM)
    async with world.database.begin() as work:
        for stranger in (lin, elsewhere, forged):
            assert await work.stores.get(stranger, store.id) is None
            assert await work.stores.by_label(stranger, store.label) is None
            assert await work.stores.of_seller(stranger) == []
        await work.stores.delete(replace(store, seller_id=lin.id))
        await work.stores.delete(replace(store, team_id=OTHER_TEAM))
        with pytest.raises(ConcurrentChange):
            await work.stores.update(replace(store, seller_id=lin.id, label="Stolen"))
        assert await work.stores.get(mei, store.id) == store


async def test_one_label_for_each_seller(world: World) -> None:
    mei, lin = await world.seller(MEI), await world.seller(LIN)
    await world.store(mei, "Acme US")
    await world.store(lin, "Acme US")
    with pytest.raises(DuplicateLabel) as refused:
        await world.store(mei, "ACME us", "CA")
    assert refused.value.facts == {"label": "ACME us"}


async def test_editing_writes_what_can_be_edited(world: World) -> None:
    seller = await world.seller()
    store = await world.store(seller)
    edited = replace(
        store,
        label="Acme America",
        initial_order_date=date(2026, 2, 1),
        contact_email="a@example.com",
        website=None,
        attribute_mapping={"UPC": "upc"},
        disabled_at=world.clock(),
    )
    async with world.database.begin() as work:
        await work.stores.update(edited)
    async with world.database.read() as work:
        assert await work.stores.get(seller, store.id) == edited
        assert await work.stores.by_label(seller, "acme america") == edited


async def test_editing_does_not_touch_the_amazon_account(world: World) -> None:
    seller = await world.seller()
    store = await world.bound_store(seller)
    async with world.database.begin() as work:
        await work.stores.update(replace(store, selling_partner_id=None, label="Other"))
        found = await work.stores.get(seller, store.id)
    assert found == replace(store, label="Other")


async def test_a_taken_label_refuses_an_edit_and_the_transaction_goes_on(world: World) -> None:
    seller = await world.seller()
    await world.store(seller, "Acme US")
    other = await world.store(seller, "Acme CA", "CA")
    async with world.database.begin() as work:
        with pytest.raises(DuplicateLabel):
            await work.stores.update(replace(other, label="acme us"))
        await work.stores.update(replace(other, label="Acme Canada"))
    async with world.database.read() as work:
        assert await work.stores.by_label(seller, "Acme Canada") is not None


async def test_editing_a_store_that_was_deleted_meanwhile_is_said(world: World) -> None:
    seller = await world.seller()
    store = await world.store(seller)
    async with world.database.begin() as work:
        await work.stores.delete(store)
        with pytest.raises(ConcurrentChange):
            await work.stores.update(store)


async def test_twenty_stores_of_one_name_at_once_make_one(world: World) -> None:
    seller = await world.seller()

    async def add() -> bool:
        try:
            await world.store(seller, "Acme US")
        except DuplicateLabel:
            return False
        return True

    assert sum(await asyncio.gather(*(add() for _ in range(20)))) == 1


async def test_binding_twice_is_the_same_as_once(world: World) -> None:
    seller = await world.seller()
    store = await world.bound_store(seller)
    async with world.database.begin() as work:
        assert await work.stores.bind(store, ACME) is None
        assert await work.stores.holder(ACME) == seller.id
        assert await work.stores.of_selling_partner(ACME) == [store]


async def test_an_account_of_another_distributor_is_refused_in_whatever_workspace(world: World) -> None:
    await world.bound_store(await world.seller(MEI))
    for stranger in (await world.seller(LIN), await world.seller(MEI, team_id=OTHER_TEAM)):
        store = await world.store(stranger, "Mine", "CA")
        async with world.database.begin() as work:
            assert await work.stores.bind(store, ACME) == Refused(Reason.HELD_BY_ANOTHER)
            assert await work.stores.get(stranger, store.id) == store


async def test_a_second_store_of_one_amazon_store_is_refused_by_name(world: World) -> None:
    seller = await world.seller()
    await world.bound_store(seller, "Acme US")
    again, canada = await world.store(seller, "Acme again"), await world.store(seller, "Acme CA", "CA")
    async with world.database.begin() as work:
        assert await work.stores.bind(again, ACME) == Refused(Reason.ALREADY_CONNECTED, "Acme US")
        assert await work.stores.bind(canada, ACME) is None


async def test_a_store_never_changes_its_amazon_account(world: World) -> None:
    seller = await world.seller()
    store = await world.bound_store(seller)
    async with world.database.begin() as work:
        assert await work.stores.bind(store, "A2OTHER") == Refused(Reason.WRONG_ACCOUNT)
        # It was not taken hold of either.
        assert await work.stores.holder("A2OTHER") is None
        assert await work.stores.get(seller, store.id) == store


async def test_an_account_is_not_bound_to_a_store_that_was_given_another_marketplace_meanwhile(world: World) -> None:
    seller = await world.seller()
    store = await world.store(seller)
    async with world.database.begin() as work:
        await work.stores.update(replace(store, marketplace_code="DE"))
        with pytest.raises(ConcurrentChange):
            await work.stores.bind(store, ACME)
        assert await work.stores.holder(ACME) is None
        assert await work.stores.get(seller, store.id) == replace(store, marketplace_code="DE")


async def test_of_many_distributors_at_once_one_gets_the_account(world: World) -> None:
    sellers = [await world.seller(f"U0SELLER{number}") for number in range(12)]
    stores = [await world.store(seller) for seller in sellers]

    async def bind(number: int) -> Refused | None:
        async with world.database.begin() as work:
            return await work.stores.bind(stores[number], ACME)

    answers = await asyncio.gather(*map(bind, range(12)))
    assert answers.count(None) == 1
    assert answers.count(Refused(Reason.HELD_BY_ANOTHER)) == 11


async def test_of_many_stores_of_one_seller_at_once_one_becomes_the_amazon_store(world: World) -> None:
    seller = await world.seller()
    stores = [await world.store(seller, f"Acme {number}") for number in range(12)]

    async def bind(number: int) -> Refused | None:
        async with world.database.begin() as work:
            return await work.stores.bind(stores[number], ACME)

    answers = await asyncio.gather(*map(bind, range(12)))
    assert answers.count(None) == 1
    winner = stores[answers.index(None)]
    assert answers.count(Refused(Reason.ALREADY_CONNECTED, winner.label)) == 11


async def test_deleting_takes_grants_and_attempts_along(world: World) -> None:
    seller = await world.seller()
    store = await world.store(seller)
    attempt = await world.attempt(store)
    secret, state = await world.state(attempt)
    async with world.database.begin() as work:
        await work.grants.put(first_grant(store.id, FeatureKey.ORDERS, at=world.clock()))
        await work.stores.delete(store)
    async with world.database.read() as work:
        assert await work.stores.get(seller, store.id) is None
        assert await work.grants.of_seller(seller) == {}
        assert await work.attempts.get(attempt.id) is None
        assert await work.attempts.state(state.state_hash) is None
    assert secret


async def test_the_last_store_deleted_lets_go_of_the_account(world: World) -> None:
    mei, lin = await world.seller(MEI), await world.seller(LIN)
    first = await world.bound_store(mei)
    second = await world.store(mei, "Acme CA", "CA")
    theirs = await world.store(lin)
    async with world.database.begin() as work:
        await work.stores.bind(second, ACME)
    authorization = await world.authorization(mei)
    async with world.database.begin() as work:
        await work.stores.delete(first)
        assert await work.stores.holder(ACME) == mei.id
        assert await work.authorizations.get(mei, authorization.id) == authorization
        await work.stores.delete(second)
        assert await work.stores.holder(ACME) is None
        assert await work.authorizations.find(authorization.key) is None
    async with world.database.begin() as work:
        assert await work.stores.bind(theirs, ACME) is None


async def test_an_account_kept_for_a_store_that_is_gone_is_free_again(world: World) -> None:
    """Consent was given, Amazon then could not be asked, and the store was deleted before it was bound."""
    mei, lin = await world.seller(MEI), await world.seller(LIN)
    doomed, other = await world.store(mei), await world.store(mei, "Acme CA", "CA")
    kept = await world.authorization(mei)
    waiting = await world.attempt(other)
    async with world.database.begin() as work:
        await work.attempts.update(replace(waiting, authorization_id=kept.id))
        await work.stores.delete(doomed)
        assert await work.stores.holder(ACME) == mei.id, "another store's link still waits for it"
        await work.stores.delete(other)
        assert await work.stores.holder(ACME) is None
    theirs = await world.store(lin)
    async with world.database.begin() as work:
        assert await work.stores.bind(theirs, ACME) is None


async def test_binding_and_deleting_at_once_leave_nothing_half_done(world: World) -> None:
    seller = await world.seller()
    for round_ in range(6):
        old = await world.bound_store(seller, f"Old {round_}", account=f"A2ROUND{round_}")
        new = await world.store(seller, f"New {round_}", "CA")

        async def bind(store: object = new, account: str = f"A2ROUND{round_}") -> Refused | None:
            async with world.database.begin() as work:
                return await work.stores.bind(store, account)  # type: ignore[arg-type]

        async def delete(store: object = old) -> None:
            async with world.database.begin() as work:
                await work.stores.delete(store)  # type: ignore[arg-type]

        refused, _ = await asyncio.gather(bind(), delete())
        assert refused is None
        async with world.database.read() as work:
            assert await work.stores.holder(f"A2ROUND{round_}") == seller.id
