"""Mirroring, inward: what is done in the sister system shows here, is told once, is audited, and never echoes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.features import FeatureKey
from bot.domain.grants import GrantState
from bot.domain.mirror import Happening, SisterEvent, SisterNews, SisterState
from bot.domain.stores import Store
from bot.domain.verification import Reason, Refused
from bot.domain.year_notices import GrantBroke
from bot.ports import AuditEvent, AuditFilter, Person
from bot.services.mirroring import Heard, Mirroring
from tests.services.desk import ACME, ALEX, LIN, LISTING, MEI, ORDERS, Desk
from tests.services.mirror import sent

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
def desk(mirrored_desk: Desk) -> Desk:
    return mirrored_desk


@pytest.fixture
def mirroring(desk: Desk) -> Mirroring:
    return Mirroring(desk.database, clock=desk.clock)


async def of(desk: Desk, store: Store, happening: Happening, feature: FeatureKey | None = None) -> SisterEvent:
    """An event of the sister system's about a store, of this moment."""
    return SisterEvent(happening, desk.clock(), store.team_id, store.seller_id, store.id, feature)


async def audited(desk: Desk) -> list[AuditEvent]:
    return [one async for one in desk.database.audit_log.read(AuditFilter(person="mirror"))]


# --- inbound: stores


async def test_a_store_disabled_there_is_disabled_here_and_told_once_to_everybody(
    desk: Desk, mirroring: Mirroring
) -> None:
    store = await desk.store()
    await desk.stores.share(MEI, LIN.user_id, colleague_name="Lin")
    await desk.told(LIN.user_id)
    await sent(desk)
    event = await of(desk, store, Happening.STORE_DISABLED)
    assert await mirroring.hear(event, message_id="m1") is Heard.APPLIED
    assert (await desk.stores.get(MEI, store.id)).disabled_at == desk.clock()
    for person in (MEI, LIN):
        [news] = await desk.told(person.user_id)
        assert isinstance(news, SisterNews)
        assert (news.store.label, news.state, news.feature) == ("Acme US", "disabled", None)
    assert await sent(desk) == [], "what came from there is not sent back"
    [noted] = await audited(desk)
    assert (noted.actor, noted.action, noted.subject) == ("mirror", "store.disabled", store.id)
    assert noted.details["source"] == "mirror"
    assert noted.details["message"] == "m1"


async def test_the_same_message_again_does_nothing(desk: Desk, mirroring: Mirroring) -> None:
    store = await desk.store()
    event = await of(desk, store, Happening.STORE_DISABLED)
    await mirroring.hear(event, message_id="m1")
    desk.clock.advance(DAY)
    await desk.stores.enable(MEI, store.id)
    assert await mirroring.hear(replace(event, at=desk.clock()), message_id="m1") is Heard.REPEATED
    assert (await desk.stores.get(MEI, store.id)).disabled_at is None
    assert len(await desk.told()) == 1


async def test_what_is_so_already_is_told_to_nobody(desk: Desk, mirroring: Mirroring) -> None:
    store = await desk.store()
    await desk.stores.disable(MEI, store.id)
    desk.clock.advance(SECOND)
    event = await of(desk, store, Happening.STORE_DISABLED)
    assert await mirroring.hear(event, message_id="m1") is Heard.UNCHANGED
    assert await desk.told() == []
    assert await audited(desk) == []


async def test_enabled_there_is_enabled_here(desk: Desk, mirroring: Mirroring) -> None:
    store = await desk.store()
    await desk.stores.disable(MEI, store.id)
    desk.clock.advance(SECOND)
    event = await of(desk, store, Happening.STORE_ENABLED)
    assert await mirroring.hear(event, message_id="m1") is Heard.APPLIED
    assert (await desk.stores.get(MEI, store.id)).disabled_at is None


async def test_the_last_decision_counts_whichever_side_made_it(desk: Desk, mirroring: Mirroring) -> None:
    store = await desk.store()
    off = await of(desk, store, Happening.STORE_DISABLED)
    desk.clock.advance(SECOND)
    on = await of(desk, store, Happening.STORE_ENABLED)
    assert await mirroring.hear(on, message_id="m2") is Heard.UNCHANGED
    assert await mirroring.hear(off, message_id="m1") is Heard.OUTDATED, "it comes late"
    late = await of(desk, store, Happening.STORE_ENABLED)
    desk.clock.advance(SECOND)
    await desk.stores.disable(MEI, store.id)
    assert await mirroring.hear(replace(late, at=late.at + SECOND / 2), message_id="m3") is Heard.OUTDATED
    assert (await desk.stores.get(MEI, store.id)).disabled_at is not None
    assert await desk.told() == []


async def test_a_clock_that_is_ahead_does_not_have_the_last_word_for_long(desk: Desk, mirroring: Mirroring) -> None:
    store = await desk.store()
    ahead = replace(await of(desk, store, Happening.STORE_DISABLED), at=desk.clock() + 300 * DAY)
    assert await mirroring.hear(ahead, message_id="m1") is Heard.APPLIED
    desk.clock.advance(SECOND)
    event = await of(desk, store, Happening.STORE_ENABLED)
    assert await mirroring.hear(event, message_id="m2") is Heard.APPLIED


async def test_a_store_deleted_there_is_gone_here_with_its_token(desk: Desk, mirroring: Mirroring) -> None:
    store = await desk.granted()
    await sent(desk)
    event = await of(desk, store, Happening.STORE_DELETED)
    assert await mirroring.hear(event, message_id="m1") is Heard.APPLIED
    assert await desk.stores.all(MEI) == []
    assert "A2ACMEPARTNER" not in await desk.rows()
    [news] = await desk.told()
    assert isinstance(news, SisterNews)
    assert (news.state, news.store.label) == ("deleted", "Acme US")
    assert await mirroring.hear(event, message_id="m2") is Heard.UNKNOWN
    assert await sent(desk) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"workspace": "T0ELSEWHERE"},
        {"distributor": "somebody"},
        {"store_id": "nothing"},
    ],
)
async def test_only_the_named_distributors_own_store_is_meant(
    desk: Desk, mirroring: Mirroring, changes: dict[str, Any]
) -> None:
    store = await desk.store()
    event = replace(await of(desk, store, Happening.STORE_DELETED), **changes)
    before = await desk.rows()
    assert await mirroring.hear(event, message_id="m1") is Heard.UNKNOWN
    assert await desk.rows() == before


@pytest.mark.parametrize(("person", "marketplace"), [(LIN, "JP"), (ALEX, "US")])
async def test_somebody_elses_store_is_not_meant_either(
    desk: Desk, mirroring: Mirroring, person: Person, marketplace: str
) -> None:
    mine, yours = await desk.store(), await desk.store(person, "Theirs", marketplace)
    event = replace(await of(desk, mine, Happening.STORE_DISABLED), store_id=yours.id)
    assert await mirroring.hear(event, message_id="m1") is Heard.UNKNOWN
    assert (await desk.stores.get(person, yours.id)).disabled_at is None


# --- inbound: grants


async def word(desk: Desk, store: Store, feature: FeatureKey = LISTING) -> SisterState | None:
    report = await desk.reporting.store(MEI, store.id)
    found = report.sister.get(feature)
    return found.state if found else None


async def test_granted_there_is_shown_as_their_word_and_grants_nothing_here(desk: Desk, mirroring: Mirroring) -> None:
    store = await desk.store()
    ends = desk.clock() + 365 * DAY
    event = replace(await of(desk, store, Happening.GRANT_ACCEPTED, LISTING), expires_at=ends)
    assert await mirroring.hear(event, message_id="m1") is Heard.APPLIED
    assert await word(desk, store) is SisterState.GRANTED
    assert (await desk.grant(store, LISTING)).state is GrantState.NOT_GRANTED
    [news] = await desk.told()
    assert isinstance(news, SisterNews)
    assert (news.feature, news.state, news.ends_at) == (LISTING, "granted", ends.isoformat())
    [noted] = await audited(desk)
    assert (noted.action, noted.details["feature"]) == ("mirror.grant.accepted", "listing")


async def test_what_is_granted_here_already_is_no_news(desk: Desk, mirroring: Mirroring) -> None:
    store = await desk.granted(feature=LISTING)
    desk.clock.advance(SECOND)
    event = await of(desk, store, Happening.GRANT_ACCEPTED, LISTING)
    assert await mirroring.hear(event, message_id="m1") is Heard.APPLIED
    assert await desk.told() == []


async def test_switched_off_there_says_whether_the_grant_here_stands(desk: Desk, mirroring: Mirroring) -> None:
    store = await desk.granted(feature=LISTING)
    desk.clock.advance(SECOND)
    for feature, stands in ((LISTING, True), (ORDERS, False)):
        event = await of(desk, store, Happening.GRANT_DISABLED, feature)
        await mirroring.hear(event, message_id=f"m-{feature}")
        [news] = await desk.told()
        assert isinstance(news, SisterNews)
        assert (news.state, news.stands, news.asking) == ("disabled", stands, False)
    assert (await desk.grant(store, LISTING)).state is GrantState.GRANTED


async def test_on_again_keeps_the_dates_that_are_known(desk: Desk, mirroring: Mirroring) -> None:
    store = await desk.store()
    ends = desk.clock() + 365 * DAY
    accepted = replace(await of(desk, store, Happening.GRANT_ACCEPTED, LISTING), expires_at=ends)
    await mirroring.hear(accepted, message_id="m1")
    for number, happening in enumerate((Happening.GRANT_DISABLED, Happening.GRANT_ENABLED), start=2):
        desk.clock.advance(SECOND)
        await mirroring.hear(await of(desk, store, happening, LISTING), message_id=f"m{number}")
    *_, news = await desk.told()
    assert isinstance(news, SisterNews)
    assert (news.state, news.ends_at) == ("granted", ends.isoformat())


async def test_saying_it_twice_in_other_messages_is_told_once(desk: Desk, mirroring: Mirroring) -> None:
    store = await desk.store()
    for number, heard in enumerate((Heard.APPLIED, Heard.UNCHANGED, Heard.UNCHANGED)):
        event = await of(desk, store, Happening.GRANT_DELETED, LISTING)
        assert await mirroring.hear(event, message_id=f"m{number}") is heard
        desk.clock.advance(SECOND)
    assert len(await desk.told()) == 1


async def last_check(desk: Desk) -> datetime:
    async with desk.database.read() as work:
        found = await work.health.next_due()
    assert found is not None
    return found


async def test_withdrawn_there_makes_us_ask_amazon_whose_word_counts(desk: Desk, mirroring: Mirroring) -> None:
    store = await desk.granted(feature=LISTING)
    desk.clock.advance(SECOND)
    assert await last_check(desk) > desk.clock()
    event = await of(desk, store, Happening.GRANT_REVOKED, LISTING)
    assert await mirroring.hear(event, message_id="m1") is Heard.APPLIED
    assert (await desk.grant(store, LISTING)).state is GrantState.GRANTED, "nobody but Amazon can say so"
    [news] = await desk.told()
    assert isinstance(news, SisterNews)
    assert news.asking
    await desk.sweeping.sweep()
    assert (await desk.grant(store, LISTING)).state is GrantState.GRANTED
    assert await desk.told() == [], "Amazon says that all is well here"

    desk.amazon.withdraw(ACME, LISTING)
    desk.clock.advance(SECOND)
    await mirroring.hear(await of(desk, store, Happening.GRANT_EXPIRED, LISTING), message_id="m2")
    await desk.sweeping.sweep()
    assert (await desk.grant(store, LISTING)).state is GrantState.REVOKED
    _, broke = await desk.told()
    assert isinstance(broke, GrantBroke)


async def test_withdrawn_there_asks_nothing_about_what_is_not_granted_here(desk: Desk, mirroring: Mirroring) -> None:
    store = await desk.store()
    desk.amazon.will("refresh", Refused(Reason.REVOKED))
    await mirroring.hear(await of(desk, store, Happening.GRANT_REVOKED, LISTING), message_id="m1")
    [news] = await desk.told()
    assert isinstance(news, SisterNews)
    assert not news.asking
    assert (await desk.sweeping.sweep()).asked == 0
