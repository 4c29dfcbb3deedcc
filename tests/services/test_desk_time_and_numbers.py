"""The desk's clock, roles, the queue and the numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.deadlines import Targets
from bot.domain.desk_notices import (
    HandOver,
    ShiftEnds,
    TicketAlert,
    TicketCard,
    WeekInNumbers,
)
from bot.domain.roles import Role
from bot.domain.tickets import Alert, CloseReason, Ticket, TicketState
from bot.domain.working_hours import WorkingHours, read_hours
from bot.errors import NoStoresThere, NotAnAdmin, NotAnAgent
from bot.ports import Person
from bot.ports.desk import Queue
from bot.services.desk import Desk as Work
from bot.services.desk_acts import Act, Acts
from bot.services.desk_replies import Answer
from bot.services.desk_time import DeskTime
from tests.services.at_the_desk import BOSS, KIM, SAM, TEAM, AtTheDesk, speak
from tests.services.desk import ACME, LIN, MEI, ORDERS, Desk


@pytest.fixture
def at(desk: Desk) -> AtTheDesk:
    return AtTheDesk(desk)


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
    assert found.resolve_due_at is not None
    at.clock.set(found.resolve_due_at)
    assert await at.time.deadlines() == 1
    last = (await at.told(SAM))[-1]
    assert isinstance(last, TicketAlert)
    assert (last.missed, last.answer, last.due) == (True, False, found.resolve_due_at.isoformat())
    await at.work.acknowledge(SAM, ticket.id)
    at.clock.advance(timedelta(hours=20))
    assert await at.time.deadlines() == 0


async def test_a_reminder_acknowledged_after_the_answer_does_not_silence_the_next_target(at: AtTheDesk) -> None:
    ticket = await at.opened()
    await at.work.claim(SAM, ticket.id)
    at.clock.advance(timedelta(minutes=61))
    assert await at.time.deadlines() == 1
    await at.replies.reply(SAM, ticket.id, Answer("looking"), speak=speak)
    await at.work.acknowledge(SAM, ticket.id)
    found = await at.ticket(ticket.id)
    assert found.resolve_due_at is not None
    at.clock.set(found.resolve_due_at)
    assert await at.time.deadlines() == 1
    assert await at.audit("ticket.acknowledged") == []


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


@pytest.mark.parametrize(
    ("friday", "monday"),
    [
        # March 8, 2026: the clocks go forward in New York, and Monday begins an hour sooner on the world's clock
        (datetime(2026, 3, 6, 22, 30, tzinfo=UTC), datetime(2026, 3, 9, 13, 0, tzinfo=UTC)),
        # November 1, 2026: they go back
        (datetime(2026, 10, 30, 21, 30, tzinfo=UTC), datetime(2026, 11, 2, 14, 0, tzinfo=UTC)),
    ],
)
async def test_a_target_across_a_weekend_in_which_the_clocks_change_is_spoken_of_on_monday_at_its_time(
    at: AtTheDesk, friday: datetime, monday: datetime
) -> None:
    """Asked on Friday at 17:30, half an hour before the desk closes: due on Monday at 9:30, warned of at 9:15."""
    targets = Targets(WorkingHours(ZoneInfo("America/New_York"), read_hours("Mon-Fri 09:00-18:00")))
    at.intake._targets = targets
    desk_time = DeskTime(at.database, targets=targets, clock=at.clock)
    at.clock.set(friday)
    ticket = (await at.ask()).ticket
    assert ticket.answer_due_at == monday + timedelta(minutes=30)
    assert ticket.resolve_due_at == monday + timedelta(hours=8, minutes=30)
    spoken: list[datetime] = []
    handed_over: list[datetime] = []
    moment = friday
    while moment <= monday + timedelta(minutes=40):
        at.clock.set(moment)
        spoken += [moment] * await desk_time.deadlines()
        handed_over += [moment] * await desk_time.hand_over()
        moment += timedelta(minutes=5)
    assert spoken == [monday + timedelta(minutes=15), monday + timedelta(minutes=30)]
    assert handed_over == [friday + timedelta(minutes=15)]


async def test_before_the_desk_closes_each_agent_hears_what_they_hold_once(at: AtTheDesk) -> None:
    mine = await at.opened(MEI, "one")
    await at.work.claim(SAM, mine.id)
    asked = await at.opened(LIN, "two")
    await at.replies.reply(KIM, asked.id, Answer("which_store"), speak=speak)
    await at.work.release(KIM, asked.id)
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
    assert (summary.unclaimed, summary.waiting) == ((2,), (2,))
    assert list(summary.held) == [(SAM.user_id, 1, "claimed")]
    assert summary.opens == "2026-02-03T01:00:00+00:00"
    assert await at.work.release_all(SAM) == 1
    assert (await at.ticket(mine.id)).state is TicketState.OPEN


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


async def test_what_somebody_held_goes_back_when_they_no_longer_work_at_the_desk(at: AtTheDesk) -> None:
    ticket = await at.opened()
    await at.work.claim(KIM, ticket.id)
    with pytest.raises(NotAnAdmin):
        await at.work.gone(SAM, KIM.user_id)
    assert await at.work.gone(BOSS, KIM.user_id) == 1
    assert (await at.ticket(ticket.id)).assignee is None
    assert not await at.roles.works_at_desk(KIM)
    assert [one.actor for one in await at.audit("ticket.released")] == [BOSS.user_id]


async def test_an_admin_who_takes_their_own_role_leaves_no_ticket_behind(at: AtTheDesk) -> None:
    await at.roles.give(BOSS, KIM.user_id, Role.ADMIN)
    ticket = await at.opened()
    await at.work.claim(KIM, ticket.id)
    assert await at.work.gone(KIM, KIM.user_id) == 1
    assert (await at.ticket(ticket.id)).assignee is None
    assert not await at.roles.works_at_desk(KIM)


async def test_a_role_counts_in_its_own_workspace_only(at: AtTheDesk) -> None:
    await at.roles.give(BOSS, LIN.user_id, Role.AGENT)
    assert await at.roles.of("T0ELSEWHERE", LIN.user_id) is Role.SELLER


async def test_nobody_loses_what_was_handed_to_them_while_its_last_agent_put_everything_back(at: AtTheDesk) -> None:
    ticket, other = await at.opened(MEI, "one"), await at.opened(LIN, "two")
    for one in (ticket, other):
        await at.work.claim(SAM, one.id)
    handed = 0

    class HandsOver(Acts):
        """Kim is handed the first ticket between the look at what Sam holds and its being put back."""

        async def in_turn(self, agent: Person, ticket_id: str, act: Act) -> Ticket:
            nonlocal handed
            handed += 1
            if handed == 1:
                await at.work.hand_over(SAM, ticket.id, KIM.user_id)
            return await super().in_turn(agent, ticket_id, act)

    meanwhile = Work(HandsOver(at.database, roles=at.roles, targets=at.targets, people=at.people, clock=at.clock))
    assert await meanwhile.release_all(SAM) == 1
    assert [(await at.ticket(one.id)).assignee for one in (ticket, other)] == [KIM.user_id, None]
    assert [one.subject for one in await at.audit("ticket.released")] == [other.id]


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


async def test_a_week_without_work_is_not_told(at: AtTheDesk) -> None:
    await at.opened()
    assert await at.numbers.tell_week() == 0
    assert await at.house.support_told() == []


async def test_the_last_seven_days_are_seven(at: AtTheDesk) -> None:
    await at.opened()
    at.clock.advance(timedelta(minutes=1))
    week = await at.numbers.last_week(SAM)
    assert len(week.days) == 7
    assert week.days[-1][1] == 1


async def test_a_week_without_anything_has_no_medians(at: AtTheDesk) -> None:
    week = await at.numbers.last_week(SAM)
    assert (week.opened, week.first_answer, week.resolution, week.answers) == (0, None, None, 0)
    with pytest.raises(NotAnAgent):
        await at.numbers.last_week(MEI)
