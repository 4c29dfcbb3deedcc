"""Mirroring, outward: what moves here is told to the sister system, in the same transaction and without a secret."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.grants import GrantState
from bot.domain.verification import Reason, Refused
from bot.errors import StoreGone
from bot.services.importing import Importing, Outcome
from bot.services.retelling import Retelling
from bot.services.stores import StoreDraft
from tests.services.desk import ACME, ALEX, LIN, LISTING, MEI, Desk
from tests.services.mirror import sent

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
def desk(mirrored_desk: Desk) -> Desk:
    return mirrored_desk


async def told_there(desk: Desk) -> list[str]:
    return [event["type"] for event in await sent(desk)]


async def test_a_stores_life_is_told_in_order(desk: Desk) -> None:
    store = await desk.store()
    await desk.stores.edit(MEI, store.id, StoreDraft("Acme Main", "US", "2026-01-31"))
    await desk.stores.disable(MEI, store.id)
    await desk.stores.disable(MEI, store.id)
    desk.clock.advance(SECOND)
    await desk.stores.enable(MEI, store.id)
    await desk.stores.share(MEI, LIN.user_id, colleague_name="Lin")
    await desk.stores.delete(MEI, store.id)
    events = await sent(desk)
    assert [event["type"] for event in events] == [
        "store.added",
        "store.edited",
        "store.disabled",
        "store.enabled",
        "store.deleted",
    ]
    assert [event["data"]["store"]["label"] for event in events] == ["Acme US", *["Acme Main"] * 4]
    assert [event["data"]["store"]["disabled"] for event in events] == [False, False, True, False, False]


async def test_what_is_refused_is_not_told(desk: Desk) -> None:
    store = await desk.store()
    await sent(desk)
    with pytest.raises(StoreGone):
        await desk.stores.delete(LIN, store.id)
    desk.amazon.will("exchange", Refused(Reason.AMAZON_UNAVAILABLE))
    arrival = await desk.consent(store)
    assert not arrival.verdict
    assert await sent(desk) == []


async def test_a_grant_is_told_with_its_dates_and_without_its_token(desk: Desk) -> None:
    store = await desk.store()
    await sent(desk)
    state = await desk.leave(store)
    assert await sent(desk) == [], "a link opened is nobody else's business"
    await desk.come_back(state)
    [event] = await sent(desk)
    assert event["type"] == "grant.accepted"
    assert event["data"]["store"]["selling_partner_id"] == ACME
    assert event["data"]["grant"] == {
        "feature": "orders",
        "state": "granted",
        "consented_at": desk.clock().isoformat(),
        "expires_at": (desk.clock() + 365 * DAY).isoformat(),
    }
    assert [secret for secret in (*desk.amazon.secrets, *desk.entropy.given) if secret in str(event)] == []


async def test_a_renewal_is_told_for_every_store_that_gains_by_it(desk: Desk) -> None:
    us = await desk.granted()
    canada = await desk.store(MEI, "Acme CA", "CA")
    await desk.consent(canada)
    await sent(desk)
    desk.clock.advance(30 * DAY)
    await desk.consent(us)
    events = await sent(desk)
    assert [(event["type"], event["data"]["store"]["label"]) for event in events] == [
        ("grant.renewed", "Acme US"),
        ("grant.renewed", "Acme CA"),
    ]


async def test_the_sweeps_findings_are_told(desk: Desk) -> None:
    store = await desk.granted(feature=LISTING)
    await sent(desk)
    desk.amazon.without_role.add((LISTING, ACME))
    for _ in range(3):
        desk.clock.advance(DAY)
        await desk.sweeping.sweep()
    assert await told_there(desk) == ["grant.permission_problem"]
    desk.amazon.without_role.clear()
    desk.clock.advance(DAY)
    await desk.sweeping.sweep()
    assert await told_there(desk) == ["grant.restored"]
    desk.amazon.withdraw(ACME, LISTING)
    desk.clock.advance(2 * DAY)
    await desk.sweeping.sweep()
    assert await told_there(desk) == ["grant.revoked"]
    assert (await desk.grant(store, LISTING)).state is GrantState.REVOKED


async def test_a_year_that_is_over_is_told(desk: Desk) -> None:
    await desk.granted()
    await sent(desk)
    desk.clock.advance(366 * DAY)
    await desk.sweeping.sweep()
    assert await told_there(desk) == ["grant.expired"]


async def test_a_store_that_comes_in_by_import_is_told(desk: Desk) -> None:
    row = {
        "workspace": MEI.team_id,
        "owner": MEI.user_id,
        "label": "Old US",
        "marketplace": "US",
        "selling_partner_id": ACME,
        "refresh_token": "Atzr|" + "b" * 40,
        "consent_date": "2025-12-01",
    }
    importing = Importing(desk.database, desk.amazon, clock=desk.clock, entropy=desk.entropy)
    assert await importing.take(row, dry=True) is Outcome.IMPORTED
    assert await sent(desk) == [], "a dry run tells nobody"
    assert await importing.take(row) is Outcome.IMPORTED
    added, accepted = await sent(desk)
    assert (added["type"], accepted["type"]) == ("store.added", "grant.accepted")
    assert accepted["data"]["grant"]["consented_at"].startswith("2025-12-01")
    assert accepted["data"]["store"]["selling_partner_id"] == ACME


async def test_all_that_is_here_can_be_told_again_as_it_is_now(desk: Desk) -> None:
    """For a sister system that begins to listen: each event has the moment since which it is so."""
    store, began = await desk.granted(), desk.clock()
    desk.clock.advance(DAY)
    await desk.stores.disable(MEI, store.id)
    gone = await desk.store(MEI, "Gone by now", "DE")
    fresh = await desk.store(LIN, "Lin US", "US")
    before = await sent(desk)
    retelling = Retelling(desk.database)
    assert await retelling.count() == 3
    telling = retelling.tell()
    async for _ in telling:
        if any(one.id == gone.id for one in await desk.stores.all(MEI)):
            await desk.stores.delete(MEI, gone.id)
    events = [event for event in await sent(desk) if event["type"] != "store.deleted"]
    about = {event["data"]["store"]["label"] for event in events}
    assert {"Acme US", "Lin US"} <= about
    ours = [event for event in events if event["data"]["store"]["id"] == store.id]
    assert [(event["type"], event["timestamp"]) for event in ours] == [
        ("store.added", store.created_at.isoformat()),
        ("store.disabled", desk.clock().isoformat()),
        ("grant.accepted", began.isoformat()),
    ]
    accepted = next(event for event in before if event["type"] == "grant.accepted")
    assert (ours[-1]["data"]["grant"], ours[-1]["timestamp"]) == (accepted["data"]["grant"], accepted["timestamp"])
    assert [one["type"] for one in events if one["data"]["store"]["id"] == fresh.id] == ["store.added"]


async def test_one_workspaces_stores_are_told_of_alone(desk: Desk) -> None:
    await desk.granted()
    elsewhere = await desk.store(ALEX, "Alex US", "US")
    await sent(desk)
    assert [told async for told in Retelling(desk.database).tell(elsewhere.team_id)] == [1]
    assert [event["data"]["workspace"] for event in await sent(desk)] == [elsewhere.team_id]


async def test_a_grant_that_was_lost_is_told_as_lost(desk: Desk) -> None:
    store = await desk.granted()
    desk.clock.advance(400 * DAY)
    await desk.sweeping.sweep()
    await sent(desk)
    assert [told async for told in Retelling(desk.database).tell()] == [2]
    [_, lost] = await sent(desk)
    grant = await desk.grant(store)
    assert (lost["type"], lost["timestamp"]) == ("grant.expired", grant.since.isoformat())
