"""Sellers and their members."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.errors import AlreadyAMember
from tests.storage.examples import ALEX, LIN, MEI, OTHER_TEAM, TEAM, World


async def test_a_seller_is_found_by_each_of_its_members(world: World) -> None:
    seller = await world.seller(MEI)
    async with world.database.begin() as work:
        await work.sellers.add_member(seller, LIN, at=world.clock())
    async with world.database.read() as work:
        assert await work.sellers.of_member(TEAM, MEI) == seller
        assert await work.sellers.of_member(TEAM, LIN) == seller
        assert await work.sellers.members(seller) == [MEI, LIN]


async def test_members_stand_in_the_order_they_joined_even_within_one_moment(world: World) -> None:
    seller = await world.seller("U0ZOE")
    async with world.database.begin() as work:
        for user_id in ("U0YAN", "U0ADA", "U0BEA"):
            await work.sellers.add_member(seller, user_id, at=world.clock())
        assert await work.sellers.members(seller) == ["U0ZOE", "U0YAN", "U0ADA", "U0BEA"]


async def test_a_stranger_and_another_workspace_find_nobody(world: World) -> None:
    seller = await world.seller(MEI)
    async with world.database.read() as work:
        assert await work.sellers.of_member(TEAM, ALEX) is None
        assert await work.sellers.of_member(OTHER_TEAM, MEI) is None
        assert await work.sellers.get(OTHER_TEAM, seller.id) is None
        assert await work.sellers.get(TEAM, seller.id) == seller


async def test_one_person_has_a_seller_in_each_workspace(world: World) -> None:
    here, there = await world.seller(MEI), await world.seller(MEI, team_id=OTHER_TEAM)
    assert here.id != there.id


async def test_whoever_already_is_a_member_gets_that_seller(world: World) -> None:
    first, second = await world.seller(MEI), await world.seller(MEI)
    assert second == first


async def test_adding_a_member_twice_changes_nothing(world: World) -> None:
    seller = await world.seller(MEI)
    async with world.database.begin() as work:
        await work.sellers.add_member(seller, MEI, at=world.clock())
        assert await work.sellers.members(seller) == [MEI]


async def test_a_member_of_another_seller_cannot_be_added_and_the_transaction_goes_on(world: World) -> None:
    mei, lin = await world.seller(MEI), await world.seller(LIN)
    await world.store(lin)
    async with world.database.begin() as work:
        with pytest.raises(AlreadyAMember):
            await work.sellers.add_member(mei, LIN, at=world.clock())
        await work.sellers.add_member(mei, ALEX, at=world.clock())
    async with world.database.read() as work:
        assert await work.sellers.members(mei) == [MEI, ALEX]
        assert await work.sellers.members(lin) == [LIN]


async def test_whoever_has_no_store_yet_can_join_another_seller(world: World) -> None:
    mei, lin = await world.seller(MEI), await world.seller(LIN)
    async with world.database.begin() as work:
        await work.sellers.add_member(mei, LIN, at=world.clock())
    async with world.database.read() as work:
        assert await work.sellers.of_member(TEAM, LIN) == mei
        assert await work.sellers.members(lin) == []


async def test_confirmed_preparations_are_kept(world: World) -> None:
    seller = await world.seller(MEI)
    async with world.database.begin() as work:
        await work.sellers.prepared(seller, at=world.clock())
    async with world.database.read() as work:
        assert await work.sellers.get(TEAM, seller.id) == replace(seller, prepared_at=world.clock())


async def test_twenty_first_commands_at_once_make_one_seller(world: World) -> None:
    found = await asyncio.gather(*(world.seller(MEI) for _ in range(20)))
    assert len({seller.id for seller in found}) == 1


async def test_two_sellers_who_add_the_same_person_at_once_do_not_both_succeed(world: World) -> None:
    sellers = [await world.seller(f"U0SELLER{number}") for number in range(8)]
    for seller in sellers:
        await world.store(seller)

    async def add(number: int) -> bool:
        try:
            async with world.database.begin() as work:
                await work.sellers.add_member(sellers[number], ALEX, at=world.clock())
        except AlreadyAMember:
            return False
        return True

    assert sum(await asyncio.gather(*map(add, range(8)))) == 1
