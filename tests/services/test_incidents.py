"""Is it me or Amazon? The same failure on many stores within minutes is one incident, told once and ended once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.desk_notices import (
    IncidentCard,
    IncidentTold,
    SellerTicket,
    TicketCard,
)
from bot.domain.incidents import Watch
from bot.domain.stores import Store
from bot.domain.tickets import CloseReason, Source
from bot.domain.verification import Reason, Refused
from bot.domain.year_notices import GrantBroke
from bot.errors import IncidentOver, NotAnAgent
from bot.ports import Person
from bot.services.desk_replies import Answer
from bot.services.support import Ask
from tests.services.at_the_desk import KIM, SAM, AtTheDesk, speak
from tests.services.desk import ACME, BOLT, LIN, MEI, ORDERS, Desk

NINA, NINAS = Person(MEI.team_id, "U0NINA", "en", "Europe/London"), "A4NINAPARTNER"


@pytest.fixture
def three(desk: Desk) -> AtTheDesk:
    return AtTheDesk(desk, watch=Watch(stores=3))


async def stores(at: AtTheDesk, count: int) -> list[Store]:
    """So many stores, connected: the third is Lin's, the others are Mei's."""
    found = []
    for number, code in enumerate(("US", "CA", "", "UK", "JP", "AU")[:count]):
        found.append(await lins(at) if number == 2 else await at.house.granted(f"Acme {code}", code))
    return found


async def lins(at: AtTheDesk) -> Store:
    store = await at.house.store(LIN, "Lin Shop", "US")
    assert (await at.house.consent(store, person=LIN, account=BOLT)).verdict
    await at.told(LIN)
    return store


def owner(store: Store) -> Person:
    return LIN if store.label == "Lin Shop" else MEI


async def fails(at: AtTheDesk, store: Store, reason: Reason = Reason.AMAZON_UNAVAILABLE) -> None:
    at.house.amazon.will("refresh", Refused(reason))
    await at.house.checking.tell(owner(store), ORDERS, store.id)


async def test_what_amazon_answers_to_us_is_one_whoever_owns_the_stores(three: AtTheDesk) -> None:
    for store in [await three.house.granted(f"Acme {code}", code) for code in ("US", "CA", "UK")]:
        await fails(three, store)
    [card] = await three.house.support_told()
    assert isinstance(card, IncidentCard)
    assert (card.stores, card.told) == (3, 1)


async def test_what_people_tell_us_is_none_until_two_sellers_do(three: AtTheDesk) -> None:
    for code in ("US", "CA", "UK", "JP"):
        store = await three.house.store(MEI, f"Acme {code}", code)
        await three.house.support.saw_error(MEI, "MD5101", store_id=store.id, feature=ORDERS)
    assert not any(isinstance(one, IncidentCard) for one in await three.house.support_told())
    store = await three.house.store(LIN, "Lin Shop", "US")
    await three.house.support.saw_error(LIN, "MD5101", store_id=store.id, feature=ORDERS)
    assert any(isinstance(one, IncidentCard) for one in await three.house.support_told())


async def test_the_same_failure_on_many_stores_within_minutes_is_one_incident_told_once_and_ended_once(
    three: AtTheDesk,
) -> None:
    first, second, third, fourth = await stores(three, 4)
    await fails(three, first)
    await fails(three, first)
    await fails(three, second)
    assert await three.house.support_told() == []
    await fails(three, third)
    [card] = await three.house.support_told()
    assert isinstance(card, IncidentCard)
    assert (card.number, card.cause, card.stores, card.told, card.line) == (1, "amazon_unavailable", 3, 2, "opened")
    assert sum(isinstance(one, IncidentTold) for one in await three.told(MEI)) == 1
    await fails(three, fourth)
    assert not any(isinstance(one, IncidentTold) for one in await three.told(MEI))

    asked = await three.ask(MEI, "why does it fail?", store_id=first.id)
    assert asked.ticket.incident_id == card.incident_id
    await three.house.support_told()
    three.clock.advance(timedelta(minutes=11))
    assert (await three.incidents.look(), await three.incidents.look()) == (1, 0)
    over = [one for one in await three.told(MEI) if isinstance(one, IncidentTold)]
    assert [one.over for one in over] == [True]
    assert (await three.ticket(asked.ticket.id)).because is CloseReason.INCIDENT
    assert ("incident", "over") in three.observed.seen


async def test_a_question_that_an_incident_answers_is_closed_for_its_seller_too(three: AtTheDesk) -> None:
    for store in await stores(three, 3):
        await fails(three, store)
    asked = await three.ask(LIN, "why does it fail?", store_id=store.id)
    three.clock.advance(timedelta(minutes=11))
    await three.told(LIN)
    assert await three.incidents.look() == 1
    [told] = [one for one in await three.told(LIN) if isinstance(one, SellerTicket)]
    assert (told.number, told.state, told.because) == (asked.ticket.number, "closed", "incident")


async def test_whoever_meets_it_later_is_told_once_and_once_more_when_it_is_over(three: AtTheDesk) -> None:
    for store in await stores(three, 3):
        await fails(three, store)
    three.house.amazon.opens(NINAS, "US")
    hers = await three.house.store(NINA, "Nina Shop", "US")
    arrival = await three.house.consent(hers, person=NINA, account=NINAS)
    assert arrival.verdict
    await three.told(NINA)
    for _ in range(2):
        three.house.amazon.will("refresh", Refused(Reason.AMAZON_UNAVAILABLE))
        await three.house.checking.tell(NINA, ORDERS, hers.id)
    assert [one.over for one in await three.told(NINA) if isinstance(one, IncidentTold)] == [False]
    three.clock.advance(timedelta(minutes=11))
    assert await three.incidents.look() == 1
    assert [one.over for one in await three.told(NINA) if isinstance(one, IncidentTold)] == [True]


async def test_failures_far_apart_or_of_different_kinds_are_no_incident(three: AtTheDesk) -> None:
    first, second, third = await stores(three, 3)
    await fails(three, first)
    three.clock.advance(timedelta(minutes=11))
    await fails(three, second)
    await fails(three, third, Reason.THROTTLED)
    await fails(three, first, Reason.OUR_CREDENTIALS)
    assert [type(one) for one in await three.house.support_told()] == [TicketCard]


async def test_tickets_that_were_there_before_are_tied_to_it_and_no_more_open_by_themselves(three: AtTheDesk) -> None:
    found = await stores(three, 5)
    for store in found[:3]:
        await fails(three, store, Reason.OUR_CREDENTIALS)
    news = await three.house.support_told()
    assert [getattr(one, "line", "") for one in news] == ["", "", "opened", "attached", "attached"]
    for store in found[3:]:
        await fails(three, store, Reason.OUR_CREDENTIALS)
    assert not any(isinstance(one, TicketCard) for one in await three.house.support_told())


async def test_it_is_not_over_while_amazon_still_fails_or_before_it_was_quiet(three: AtTheDesk) -> None:
    for store in await stores(three, 3):
        await fails(three, store)
    assert await three.incidents.look() == 0
    three.clock.advance(timedelta(minutes=11))
    three.house.amazon.will("refresh", *[Refused(Reason.AMAZON_UNAVAILABLE)] * 3)
    assert await three.incidents.look() == 0
    three.clock.advance(timedelta(minutes=5))
    assert await three.incidents.look() == 0
    three.clock.advance(timedelta(minutes=6))
    assert await three.incidents.look() == 1


async def test_asking_whether_it_is_over_tells_the_sellers_nothing(three: AtTheDesk) -> None:
    """Consents that Amazon gave and could not be asked about are tried again by every such question."""
    for code in ("US", "CA", "UK"):
        store = await three.house.store(MEI, f"Acme {code}", code)
        three.house.amazon.will("probe", Refused(Reason.AMAZON_UNAVAILABLE))
        assert not (await three.house.consent(store)).verdict
    await three.told(MEI)
    await three.house.support_told()
    before = await three.audit("")
    three.house.amazon.will("refresh", *[Refused(Reason.AMAZON_UNAVAILABLE)] * 18)
    for _ in range(6):
        three.clock.advance(timedelta(minutes=11))
        assert await three.incidents.look() == 0
    assert (await three.told(MEI), await three.audit("")) == ([], before)
    three.clock.advance(timedelta(minutes=11))
    assert await three.incidents.look() == 1


async def test_a_withdrawal_found_while_asking_whether_it_is_over_is_told(three: AtTheDesk) -> None:
    for store in [await three.house.granted(f"Acme {code}", code) for code in ("US", "CA", "UK")]:
        await fails(three, store)
    await three.told(MEI)
    three.house.amazon.withdraw(ACME, ORDERS)
    three.clock.advance(timedelta(minutes=11))
    assert await three.incidents.look() == 0
    assert [type(one) for one in await three.told(MEI)] == [GrantBroke, GrantBroke]


async def test_an_agent_says_that_it_is_over_and_the_second_is_told_so(three: AtTheDesk) -> None:
    for store in await stores(three, 3):
        await fails(three, store)
    card = (await three.house.support_told())[-1]
    assert isinstance(card, IncidentCard)
    with pytest.raises(NotAnAgent):
        await three.incidents.end(MEI, card.incident_id)
    await three.incidents.end(SAM, card.incident_id)
    with pytest.raises(IncidentOver):
        await three.incidents.end(KIM, card.incident_id)
    assert [(one.actor, one.action) for one in await three.audit("incident")] == [
        ("grantdesk", "incident.opened"),
        (SAM.user_id, "incident.over"),
    ]


async def test_an_error_of_amazons_pages_is_an_incident_that_people_end_or_a_consent_does(three: AtTheDesk) -> None:
    found = [await three.house.store(MEI, f"Store {code}", code) for code in ("US", "CA")]
    found.append(await three.house.store(LIN, "Lin Shop", "US"))
    for store in found:
        await three.house.support.saw_error(owner(store), "MD5101", store_id=store.id, feature=ORDERS)
    incidents = [one for one in await three.house.support_told() if isinstance(one, IncidentCard)]
    assert [(one.cause, one.feature) for one in incidents] == [("MD5101", ORDERS)]
    three.clock.advance(timedelta(minutes=11))
    assert await three.incidents.look() == 0
    assert (await three.house.consent(found[0])).verdict
    assert await three.incidents.look() == 1


async def test_codes_that_are_lost_because_amazon_is_away_count_as_amazons_outage(three: AtTheDesk) -> None:
    three.house.amazon.will("exchange", *[Refused(Reason.AMAZON_UNAVAILABLE)] * 3)
    for code in ("US", "UK", "JP"):
        store = await three.house.store(MEI, f"Store {code}", code)
        assert (await three.house.consent(store)).verdict == Refused(Reason.CODE_LOST)
    [card] = [one for one in await three.house.support_told() if isinstance(one, IncidentCard)]
    assert card.cause == "amazon_unavailable"


async def test_our_secret_mended_ends_an_incident_whose_stores_have_nothing_to_ask_about(three: AtTheDesk) -> None:
    found = [await three.house.store(MEI, f"Store {code}", code) for code in ("US", "CA")]
    three.house.amazon.will("exchange", *[Refused(Reason.OUR_CREDENTIALS)] * 3)
    for store in found:
        assert not (await three.house.consent(store)).verdict
    lins_store = await three.house.store(LIN, "Lin Shop", "US")
    assert not (await three.house.consent(lins_store, person=LIN, account=BOLT)).verdict
    assert [one.cause for one in await three.house.support_told() if isinstance(one, IncidentCard)] == [
        "our_credentials"
    ]
    three.clock.advance(timedelta(minutes=11))
    assert await three.incidents.look() == 0
    three.clock.advance(timedelta(minutes=1))
    assert (await three.house.consent(await three.house.store(MEI, "Acme UK", "UK"))).verdict
    three.clock.advance(timedelta(minutes=11))
    assert await three.incidents.look() == 1


async def test_a_ticket_that_somebody_took_stops_saying_so_when_it_is_over(three: AtTheDesk) -> None:
    found = await stores(three, 3)
    for store in found:
        await fails(three, store)
    asked = await three.house.support.ask_person(
        MEI, Ask(Source.COMMAND, question="nothing works", store_id=found[0].id)
    )
    ticket = asked.ticket
    assert ticket.incident_id is not None
    await three.work.claim(SAM, ticket.id)
    cards = [one for one in await three.told(MEI) if isinstance(one, SellerTicket)]
    assert cards[-1].incident
    await three.incidents.end(SAM, ticket.incident_id)
    [card] = [one for one in await three.told(MEI) if isinstance(one, SellerTicket)]
    assert (card.event, card.incident) == ("changed", False)
    await three.replies.reply(SAM, ticket.id, Answer(words="all well again?"), speak=speak)
    cards = [one for one in await three.told(MEI) if isinstance(one, SellerTicket)]
    assert not cards[-1].incident
