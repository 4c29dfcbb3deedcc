"""The desk's clock, incidents, roles, the queue and the numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.desk_notices import (
    HandOver,
    IncidentCard,
    IncidentTold,
    ShiftEnds,
    TicketAlert,
    TicketCard,
    WeekInNumbers,
)
from bot.domain.incidents import Watch
from bot.domain.roles import Role
from bot.domain.stores import Store
from bot.domain.tickets import Alert, CloseReason, TicketState
from bot.domain.verification import Reason, Refused
from bot.errors import IncidentOver, NoStoresThere, NotAnAdmin, NotAnAgent
from bot.ports.desk import Queue
from bot.services.desk_replies import Answer
from tests.services.at_the_desk import BOSS, KIM, SAM, TEAM, AtTheDesk, speak
from tests.services.desk import ACME, LIN, MEI, ORDERS, Desk


@pytest.fixture
def at(desk: Desk) -> AtTheDesk:
    return AtTheDesk(desk)


@pytest.fixture
def three(desk: Desk) -> AtTheDesk:
    return AtTheDesk(desk, watch=Watch(stores=3))


# --- time: the clock stands at Monday 16:00 in Shanghai; the desk closes at 18:00 --------------------------------------


async def test_a_target_is_warned_of_missed_repeated_and_acknowledged(at: AtTheDesk) -> None:
    ticket = await at.opened()
    await at.work.claim(SAM, ticket.id)
    await at.lines()
    at.clock.advance(timedelta(minutes=44))
    assert await at.time.deadlines() == 0
    at.clock.advance(timedelta(minutes=1))
    assert (await at.time.deadlines(), await at.time.deadlines()) == (1, 0)
    [warning] = await at.told(SAM)
    assert isinstance(warning, TicketAlert)
    assert (warning.missed, warning.answer, warning.number) == (False, True, 1)
    at.clock.advance(timedelta(minutes=15))
    assert await at.time.deadlines() == 1
    at.clock.advance(timedelta(hours=1) - timedelta(minutes=1))
    assert await at.time.deadlines() == 0
    at.clock.advance(timedelta(hours=15, minutes=1))  # the next morning
    assert await at.time.deadlines() == 1
    assert [one.missed for one in await at.told(SAM) if isinstance(one, TicketAlert)] == [True, True]
    await at.work.acknowledge(SAM, ticket.id)
    at.clock.advance(timedelta(hours=3))
    assert await at.time.deadlines() == 0
    found = await at.ticket(ticket.id)
    assert (found.alert, found.late) == (Alert.ACKNOWLEDGED, True)
    assert [one.action for one in await at.audit() if one.actor == "grantdesk"] == [
        "ticket.warned",
        "ticket.late",
        "ticket.late",
    ]


async def test_an_unclaimed_ticket_is_warned_of_in_the_channel(at: AtTheDesk) -> None:
    await at.opened()
    at.clock.advance(timedelta(minutes=50))
    await at.time.deadlines()
    assert [type(one) for one in await at.house.support_told()] == [TicketCard, TicketAlert]


async def test_nothing_is_said_at_night_and_on_the_weekend(at: AtTheDesk) -> None:
    at.clock.set(datetime(2026, 2, 6, 9, 30, tzinfo=UTC))  # Friday 17:30 in Shanghai
    await at.opened()
    for hours in (1, 12, 24, 48):
        at.clock.set(datetime(2026, 2, 6, 10, 0, tzinfo=UTC) + timedelta(hours=hours))
        assert (await at.time.deadlines(), await at.time.hand_over(), await at.numbers.tell_week()) == (0, 0, 0)
    at.clock.set(datetime(2026, 2, 9, 1, 20, tzinfo=UTC))  # Monday 9:20: fifty minutes of the hour are over
    assert await at.time.deadlines() == 1


async def test_before_the_desk_closes_each_agent_hears_what_they_hold_once(at: AtTheDesk) -> None:
    mine = await at.opened(MEI, "one")
    await at.work.claim(SAM, mine.id)
    await at.opened(LIN, "two")
    await at.house.support_told()
    at.clock.set(datetime(2026, 2, 2, 9, 44, tzinfo=UTC))
    assert await at.time.hand_over() == 0
    at.clock.set(datetime(2026, 2, 2, 9, 45, tzinfo=UTC))  # 17:45 in Shanghai
    assert (await at.time.hand_over(), await at.time.hand_over()) == (1, 0)
    [shift] = await at.told(SAM)
    assert isinstance(shift, ShiftEnds)
    assert list(shift.tickets) == [(mine.id, 1, "claimed", MEI.user_id)]
    [summary] = await at.house.support_told()
    assert isinstance(summary, HandOver)
    assert (summary.unclaimed, list(summary.held)) == ((2,), [(SAM.user_id, 1, "claimed")])
    assert summary.opens == "2026-02-03T01:00:00+00:00"
    assert await at.work.release_all(SAM) == 1
    assert (await at.ticket(mine.id)).state is TicketState.OPEN


# --- is it me or Amazon? ---------------------------------------------------------------------------------------------


async def stores(at: AtTheDesk, count: int) -> list[Store]:
    """So many stores of Mei's, connected."""
    codes = ("US", "CA", "UK", "JP", "AU", "DE")
    return [await at.house.granted(f"Acme {code}", code) for code in codes[:count]]


async def fails(at: AtTheDesk, store: Store, reason: Reason = Reason.AMAZON_UNAVAILABLE) -> None:
    at.house.amazon.will("refresh", Refused(reason))
    await at.house.checking.tell(MEI, ORDERS, store.id)


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
    assert (card.number, card.cause, card.stores, card.told, card.line) == (1, "amazon_unavailable", 3, 1, "opened")
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
    found = [await three.house.store(MEI, f"Store {number}", code) for number, code in enumerate(("US", "CA", "UK"))]
    for store in found:
        await three.house.support.saw_error(MEI, "MD5101", store_id=store.id, feature=ORDERS)
    incidents = [one for one in await three.house.support_told() if isinstance(one, IncidentCard)]
    assert [(one.cause, one.feature) for one in incidents] == [("MD5101", ORDERS)]
    three.clock.advance(timedelta(minutes=11))
    assert await three.incidents.look() == 0
    assert (await three.house.consent(found[0])).verdict
    assert await three.incidents.look() == 1


async def test_our_secret_mended_ends_an_incident_whose_stores_have_nothing_to_ask_about(three: AtTheDesk) -> None:
    found = [await three.house.store(MEI, f"Store {number}", code) for number, code in enumerate(("US", "CA", "MX"))]
    three.house.amazon.will("exchange", *[Refused(Reason.OUR_CREDENTIALS)] * 3)
    for store in found:
        assert not (await three.house.consent(store)).verdict
    assert [one.cause for one in await three.house.support_told() if isinstance(one, IncidentCard)] == [
        "our_credentials"
    ]
    three.clock.advance(timedelta(minutes=11))
    assert await three.incidents.look() == 0
    three.clock.advance(timedelta(minutes=1))
    assert (await three.house.consent(await three.house.store(MEI, "Acme UK", "UK"))).verdict
    three.clock.advance(timedelta(minutes=11))
    assert await three.incidents.look() == 1


# --- roles -----------------------------------------------------------------------------------------------------------


async def test_a_workspace_admin_fills_the_empty_table_and_admins_go_on(at: AtTheDesk) -> None:
    assert await at.roles.works_at_desk(SAM)
    assert not await at.roles.works_at_desk(BOSS)
    with pytest.raises(NotAnAdmin):
        await at.roles.give(SAM, LIN.user_id, Role.AGENT)
    await at.roles.give(BOSS, LIN.user_id, Role.ADMIN)
    await at.roles.give(LIN, KIM.user_id, Role.SELLER)
    assert await at.roles.works_at_desk(LIN)
    assert not await at.roles.works_at_desk(KIM)
    assert [(one.user_id, one.role) for one in await at.roles.everybody(TEAM)] == [
        (LIN.user_id, Role.ADMIN),
        (SAM.user_id, Role.AGENT),
    ]
    events = await at.audit("role")
    assert [(one.actor, one.subject, dict(one.details)) for one in events] == [
        (BOSS.user_id, LIN.user_id, {"role": "admin", "before": "seller"}),
        (LIN.user_id, KIM.user_id, {"role": "seller", "before": "agent"}),
    ]


async def test_a_role_counts_in_its_own_workspace_only(at: AtTheDesk) -> None:
    await at.roles.give(BOSS, LIN.user_id, Role.AGENT)
    assert await at.roles.of("T0ELSEWHERE", LIN.user_id) is Role.SELLER


# --- the queue -------------------------------------------------------------------------------------------------------


async def test_the_queue_shows_tickets_stores_and_incidents_to_agents_only(at: AtTheDesk) -> None:
    store = await at.house.granted()
    ticket = await at.opened(MEI, "help", store_id=store.id)
    await at.work.claim(SAM, ticket.id)
    await at.opened(LIN, "other")
    mine = await at.queue.page(SAM, Queue.MINE)
    assert ([one.id for one in mine.tickets], mine.total, mine.has_more) == ([ticket.id], 1, False)
    assert mine.counts == {
        Queue.MINE: 1,
        Queue.UNCLAIMED: 1,
        Queue.BREACHING: 0,
        Queue.STUCK: 0,
        Queue.EXPIRING: 0,
        Queue.INCIDENTS: 0,
    }
    at.house.amazon.withdraw(ACME, ORDERS)
    await at.house.checking.check(MEI, ORDERS, store.id)
    stuck = await at.queue.page(SAM, Queue.STUCK)
    assert [(line.store.id, line.members) for line in stuck.stores] == [(store.id, (MEI.user_id,))]
    for look in (at.queue.page(MEI, Queue.ALL), at.queue.of_seller(MEI, LIN.user_id), at.queue.everybody(MEI)):
        with pytest.raises(NotAnAgent):
            await look


async def test_looking_up_a_seller_is_noted_and_shows_state(at: AtTheDesk) -> None:
    await at.house.granted()
    [report] = await at.queue.of_seller(SAM, MEI.user_id)
    assert report.store.label == "Acme US"
    with pytest.raises(NoStoresThere):
        await at.queue.of_seller(SAM, LIN.user_id)
    everybody = await at.queue.everybody(SAM)
    assert ([line.store.label for line in everybody.stores], everybody.total) == (["Acme US"], 1)
    events = await at.audit("status.looked_up")
    assert [(one.actor, one.subject) for one in events] == [
        (SAM.user_id, MEI.user_id),
        (SAM.user_id, LIN.user_id),
        (SAM.user_id, "all"),
    ]


# --- numbers ---------------------------------------------------------------------------------------------------------


async def test_the_week_is_told_once_in_the_first_open_hour_of_the_next(at: AtTheDesk) -> None:
    await at.house.answering().shown(MEI, "sister-system")
    await at.house.answering().shown(LIN, "sister-system")
    first = await at.opened(MEI, "为什么还显示授权中")
    await at.opened(LIN, "為什麼還顯示授權中")
    at.clock.advance(timedelta(minutes=30))
    await at.replies.reply(SAM, first.id, Answer("looking"), speak=speak)
    at.clock.advance(timedelta(minutes=30))
    await at.work.close(SAM, first.id, CloseReason.ANSWERED)
    await at.house.support_told()
    at.clock.set(datetime(2026, 2, 9, 1, 5, tzinfo=UTC))  # Monday 9:05 in Shanghai
    assert (await at.numbers.tell_week(), await at.numbers.tell_week()) == (1, 0)
    [week] = await at.house.support_told()
    assert isinstance(week, WeekInNumbers)
    assert (week.opened, week.closed, week.on_time, week.measured) == (2, 1, 1, 1)
    assert (week.first_answer, week.resolution) == (30, 60)
    assert list(week.locales) == [("zh-CN", 1), ("zh-TW", 1)]
    assert list(week.topics) == [("still-authorizing", 2)]
    assert (week.answers, week.without_person) == (2, 0)
    assert len(week.days) == 7
    assert ("week", 2, 0) in at.observed.seen


async def test_a_week_without_anything_has_no_medians(at: AtTheDesk) -> None:
    week = await at.numbers.last_week(SAM)
    assert (week.opened, week.first_answer, week.resolution, week.answers) == (0, None, None, 0)
    with pytest.raises(NotAnAgent):
        await at.numbers.last_week(MEI)
