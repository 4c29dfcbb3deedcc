"""Grants: a write that did not see the last one is refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.features import FeatureKey
from bot.domain.grants import Grant, GrantState, Move, first_grant
from bot.errors import ConcurrentChange
from tests.storage.examples import LIN, MEI, OTHER_TEAM, World

ORDERS, LISTING = FeatureKey.ORDERS, FeatureKey.LISTING


async def test_what_was_never_written_is_not_granted(world: World) -> None:
    seller = await world.seller()
    store = await world.store(seller)
    expected = {key: first_grant(store.id, key, at=store.created_at) for key in (ORDERS, LISTING)}
    async with world.database.read() as work:
        assert await work.grants.of_store(store) == expected
        assert await work.grants.of_seller(seller) == {store.id: expected}


async def test_a_grant_comes_back_as_it_was_put_with_one_more_version(world: World) -> None:
    seller = await world.seller()
    store = await world.bound_store(seller)
    authorization = await world.authorization(seller)
    grant = first_grant(store.id, ORDERS, at=world.clock()).after(
        Move.ACCEPT, at=world.clock(), authorization_id=authorization.id, ends_at=authorization.ends_at
    )
    async with world.database.begin() as work:
        await work.grants.put(grant)
    async with world.database.read() as work:
        grants = await work.grants.of_store(store)
        assert grants[ORDERS] == replace(grant, version=1)
        assert grants[LISTING].state is GrantState.NOT_GRANTED
        assert await work.grants.of_seller(seller) == {store.id: grants}


async def test_a_write_that_did_not_see_the_last_one_is_refused_and_the_transaction_goes_on(world: World) -> None:
    seller = await world.seller()
    store = await world.store(seller)
    grant = first_grant(store.id, ORDERS, at=world.clock())
    async with world.database.begin() as work:
        await work.grants.put(grant)
        with pytest.raises(ConcurrentChange):
            await work.grants.put(grant)
        with pytest.raises(ConcurrentChange):
            await work.grants.put(replace(grant, version=7))
        await work.grants.put(replace(grant, version=1, state=GrantState.AUTHORIZING))
    async with world.database.read() as work:
        assert (await work.grants.of_store(store))[ORDERS].version == 2


async def test_a_grant_of_a_store_that_has_gone_is_refused_and_the_transaction_goes_on(world: World) -> None:
    seller = await world.seller()
    store = await world.store(seller)
    async with world.database.begin() as work:
        await work.stores.delete(store)
        with pytest.raises(ConcurrentChange):
            await work.grants.put(first_grant(store.id, ORDERS, at=world.clock()))
        assert await work.stores.of_seller(seller) == []


@pytest.mark.parametrize("version", [0, 1])
async def test_of_twenty_writes_at_once_one_is_kept(world: World, version: int) -> None:
    store = await world.store(await world.seller())
    grant = first_grant(store.id, ORDERS, at=world.clock())
    if version:
        async with world.database.begin() as work:
            await work.grants.put(grant)

    async def put(number: int) -> bool:
        try:
            async with world.database.begin() as work:
                mine = replace(grant, version=version, ends_at=world.clock() + timedelta(days=number))
                await work.grants.put(mine)
        except ConcurrentChange:
            return False
        return True

    assert sum(await asyncio.gather(*map(put, range(20)))) == 1


async def test_anothers_grants_are_not_seen(world: World) -> None:
    mei, lin = await world.seller(MEI), await world.seller(LIN)
    store = await world.store(mei)
    granted = Grant(store.id, ORDERS, GrantState.AUTHORIZING, world.clock())
    async with world.database.begin() as work:
        await work.grants.put(granted)
        assert await work.grants.of_seller(lin) == {}
        assert await work.grants.of_seller(replace(mei, team_id=OTHER_TEAM)) == {}
        for forged in (replace(store, seller_id=lin.id), replace(store, team_id=OTHER_TEAM)):
            assert (await work.grants.of_store(forged))[ORDERS].state is GrantState.NOT_GRANTED


async def test_what_rests_on_one_authorization_stands_in_the_order_the_stores_were_added(world: World) -> None:
    seller = await world.seller()
    stores = [await world.store(seller, name, code) for name, code in (("Z", "US"), ("A", "CA"), ("M", "MX"))]
    authorization = await world.authorization(seller)
    async with world.database.begin() as work:
        for store in reversed(stores[:2]):
            await work.grants.put(
                first_grant(store.id, ORDERS, at=world.clock()).after(
                    Move.ACCEPT, at=world.clock(), authorization_id=authorization.id, ends_at=authorization.ends_at
                )
            )
        resting = await work.grants.resting_on(authorization.id)
    assert [store for store, _ in resting] == stores[:2]
    assert {grant.authorization_id for _, grant in resting} == {authorization.id}
    assert [grant.store_id for _, grant in resting] == [store.id for store in stores[:2]]
