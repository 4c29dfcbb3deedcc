"""Digests of a workspace go one after the other: a crash doubles no more than the one in flight. Nothing else waits for them."""

from __future__ import annotations

from bot.services.relay import Patience, Relay
from tests.services.test_relay import Clock, Courier, Queue


async def test_of_such_a_kind_a_workspace_has_one_in_flight() -> None:
    clock = Clock()
    queue, courier = Queue(clock), Courier()
    courier.seconds = 0.001
    for number in range(12):
        queue.put(f"a{number:02}", kind="digest", team="T1")
        queue.put(f"b{number:02}", kind="digest", team="T2")
    relay = Relay(queue, courier, clock=clock, one_by_one=["digest"])
    assert await relay.drain() == 24
    assert courier.most_at_once == 2, "one of each workspace"
    for team in "ab":
        mine = [errand for errand in courier.delivered if errand.startswith(team)]
        assert mine == sorted(mine)


async def test_whoever_waits_for_its_turn_holds_no_hand() -> None:
    clock = Clock()
    queue, courier = Queue(clock), Courier()
    courier.seconds = 0.002
    for number in range(10):
        queue.put(f"d{number}", kind="digest")
    queue.put("card")
    await Relay(queue, courier, clock=clock, patience=Patience(workers=2), one_by_one=["digest"]).drain()
    assert courier.delivered.index("card") <= 1, "it did not wait for the digests before it"
