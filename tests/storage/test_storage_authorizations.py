"""Authorizations: one for each key, held by one seller, their tokens given only when asked for."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.grants import Authorization, AuthorizationKey, AuthorizationState
from bot.domain.stores import Store
from bot.errors import CannotDecrypt, ConcurrentChange
from tests.storage.examples import ACME, LIN, MEI, OTHER_TEAM, World

APPLICATION = "amzn1.sp.solution.orders"


async def test_an_authorization_is_found_by_its_key_whoever_asks(world: World) -> None:
    seller = await world.seller()
    authorization = await world.authorization(seller)
    async with world.database.read() as work:
        assert await work.authorizations.find(authorization.key) == authorization
        assert await work.authorizations.find(AuthorizationKey(APPLICATION, ACME, "EU")) is None


async def test_only_its_seller_gets_it_by_id(world: World) -> None:
    mei, lin = await world.seller(MEI), await world.seller(LIN)
    authorization = await world.authorization(mei)
    async with world.database.read() as work:
        assert await work.authorizations.get(mei, authorization.id) == authorization
        assert await work.authorizations.get(lin, authorization.id) is None
        assert await work.authorizations.get(replace(mei, team_id=OTHER_TEAM), authorization.id) is None


async def test_the_token_is_given_only_when_asked_for(world: World) -> None:
    authorization = await world.authorization(await world.seller(), token="Atzr|IwEBIA")
    async with world.database.read() as work:
        assert await work.authorizations.refresh_token(authorization) == "Atzr|IwEBIA"
        with pytest.raises(CannotDecrypt):
            await work.authorizations.refresh_token(replace(authorization, team_id=OTHER_TEAM))


async def test_renewing_keeps_the_row_and_takes_the_new_token(world: World) -> None:
    seller = await world.seller()
    first = await world.authorization(seller, token="Atzr|old")
    world.clock.advance(timedelta(days=300))
    renewed = world.new_authorization(seller)
    async with world.database.begin() as work:
        stored = await work.authorizations.put(renewed, refresh_token="Atzr|new")
        assert stored == replace(renewed, id=first.id)
        assert await work.authorizations.refresh_token(stored) == "Atzr|new"


async def test_without_a_token_the_old_one_stays(world: World) -> None:
    first = await world.authorization(await world.seller(), token="Atzr|kept")
    checked = replace(first, checked_at=world.clock(), state=AuthorizationState.REVOKED)
    async with world.database.begin() as work:
        assert await work.authorizations.update(checked) == checked
        assert await work.authorizations.refresh_token(checked) == "Atzr|kept"


async def test_what_was_learnt_of_an_older_consent_says_nothing_about_a_newer_one(world: World) -> None:
    seller = await world.seller()
    old = await world.authorization(seller)
    world.minutes_later(5)
    new = await world.authorization(seller, token="Atzr|new")
    async with world.database.begin() as work:
        assert await work.authorizations.update(replace(old, state=AuthorizationState.REVOKED)) == new
    async with world.database.read() as work:
        assert await work.authorizations.find(old.key) == new


async def test_what_was_learnt_of_one_whose_stores_are_gone_brings_nothing_back(world: World) -> None:
    seller = await world.seller()
    store = await world.bound_store(seller)
    gone = await world.authorization(seller)
    async with world.database.begin() as work:
        await work.stores.delete(store)
    for token in (None, "Atzr|rotated"):
        with pytest.raises(ConcurrentChange):
            async with world.database.begin() as work:
                await work.authorizations.update(gone, refresh_token=token)
    async with world.database.read() as work:
        assert await work.authorizations.find(gone.key) is None
        assert await work.stores.holder(ACME) is None


async def test_what_was_learnt_of_one_that_was_let_go_says_nothing_about_one_held_since(world: World) -> None:
    mei, lin = await world.seller(MEI), await world.seller(LIN)
    store = await world.bound_store(mei)
    gone = await world.authorization(mei)
    async with world.database.begin() as work:
        await work.stores.delete(store)
    held = await world.authorization(lin)
    with pytest.raises(ConcurrentChange):
        async with world.database.begin() as work:
            await work.authorizations.update(replace(gone, state=AuthorizationState.REVOKED))
    async with world.database.read() as work:
        assert await work.authorizations.find(held.key) == held


async def test_whichever_comes_first_a_deletion_or_what_was_learnt_nothing_is_left(world: World) -> None:
    seller = await world.seller()
    for _ in range(10):
        store = await world.bound_store(seller)
        held = await world.authorization(seller)

        async def delete(store: Store = store) -> None:
            async with world.database.begin() as work:
                await work.stores.delete(store)

        async def learn(held: Authorization = held) -> None:
            with suppress(ConcurrentChange):
                async with world.database.begin() as work:
                    await work.authorizations.update(held, refresh_token="Atzr|rotated")

        await asyncio.gather(learn(), delete(), learn())
        async with world.database.read() as work:
            assert await work.authorizations.find(held.key) is None
            assert await work.stores.holder(ACME) is None


async def test_a_key_that_another_seller_holds_is_refused(world: World) -> None:
    mei, lin = await world.seller(MEI), await world.seller(LIN)
    await world.authorization(mei)
    with pytest.raises(ConcurrentChange):
        await world.authorization(lin)
    # Nor another region of the same Amazon account.
    with pytest.raises(ConcurrentChange):
        await world.authorization(lin, region="EU")


async def test_live_ones_of_an_application_and_region_stand_newest_consent_first(world: World) -> None:
    mei, lin = await world.seller(MEI), await world.seller(LIN)
    older = await world.authorization(mei, account="A2ONE")
    world.minutes_later(1)
    newer = await world.authorization(mei, account="A2TWO")
    await world.authorization(mei, account="A2GONE", state=AuthorizationState.REVOKED)
    await world.authorization(mei, account="A2ONE", region="EU")
    await world.authorization(lin, account="A2LIN")
    async with world.database.read() as work:
        held = await work.authorizations.held(mei, application_id=APPLICATION, consent_region="NA")
    assert held == [newer, older]


async def test_of_many_consents_of_one_key_at_once_one_row_remains(world: World) -> None:
    seller = await world.seller()
    stored = await asyncio.gather(*(world.authorization(seller, token=f"Atzr|{number}") for number in range(15)))
    assert len({authorization.id for authorization in stored}) == 1
    async with world.database.read() as work:
        assert (await work.authorizations.refresh_token(stored[0])).startswith("Atzr|")


async def test_of_two_sellers_at_once_one_holds_the_account(world: World) -> None:
    sellers = [await world.seller(MEI), await world.seller(LIN)]

    async def put(number: int) -> bool:
        try:
            await world.authorization(sellers[number % 2], region=f"region {number}")
        except ConcurrentChange:
            return False
        return True

    won = await asyncio.gather(*map(put, range(10)))
    assert sum(won) == 5
    assert len({number % 2 for number, yes in enumerate(won) if yes}) == 1
