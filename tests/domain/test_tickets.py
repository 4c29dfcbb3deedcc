"""Tickets: the table of moves, what the clock does with each, and what agents may read of what sellers write."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.deadlines import Targets
from bot.domain.features import FeatureKey
from bot.domain.incidents import concerns, counts
from bot.domain.tickets import (
    MOVES,
    QUESTION_LIMIT,
    Alert,
    CloseReason,
    Source,
    Ticket,
    TicketMove,
    TicketState,
    safe_words,
    ticket_of,
    ticket_subject,
)
from bot.domain.working_hours import WorkingHours, read_hours
from bot.errors import ImpossibleMove

S, M = TicketState, TicketMove
HOURS = WorkingHours(ZoneInfo("UTC"), read_hours("Mon-Fri 09:00-17:00"))
TARGETS = Targets(hours=HOURS, answer=timedelta(hours=1), resolve=timedelta(hours=8))
MONDAY = datetime(2026, 2, 2, 10, 0, tzinfo=UTC)


def ticket(state: TicketState = S.OPEN) -> Ticket:
    fresh = TARGETS.opened(Ticket("t1", "T", "U0MEI", "zh-CN", Source.ANSWER, MONDAY), MONDAY)
    if state is S.OPEN:
        return fresh
    claimed = move(fresh, M.CLAIM, to="U0SAM")
    if state is S.CLAIMED:
        return claimed
    return move(claimed, M.ASK) if state is S.WAITING else move(claimed, M.CLOSE, because=CloseReason.ANSWERED)


def move(before: Ticket, what: TicketMove, at: datetime = MONDAY, **more: object) -> Ticket:
    moved = before.after(what, at=at, **more)  # type: ignore[arg-type]
    return TARGETS.after(before, moved, what, at)


@pytest.mark.parametrize("state", TicketState)
@pytest.mark.parametrize("what", TicketMove)
def test_a_ticket_moves_by_the_table_and_by_nothing_else(state: TicketState, what: TicketMove) -> None:
    standing = ticket(state)
    if (state, what) in MOVES:
        assert move(standing, what, to="U0KIM", because=CloseReason.SILENT).state is MOVES[state, what]
    else:
        with pytest.raises(ImpossibleMove):
            standing.after(what, at=MONDAY, to="U0KIM", because=CloseReason.SILENT)


def test_nobody_claims_for_nobody_and_nothing_closes_without_a_reason() -> None:
    with pytest.raises(ImpossibleMove):
        ticket().after(M.CLAIM, at=MONDAY)
    with pytest.raises(ImpossibleMove):
        ticket().after(M.CLOSE, at=MONDAY)


def test_the_first_answer_meets_the_first_target_and_the_second_goes_on() -> None:
    fresh = ticket()
    assert (fresh.answer_due_at, fresh.due_at) == (MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=1))
    answered = move(ticket(S.CLAIMED), M.REPLY, MONDAY + timedelta(minutes=30))
    assert (answered.answer_due_at, answered.due_at) == (None, datetime(2026, 2, 3, 10, 0, tzinfo=UTC))
    assert answered.answered_at == MONDAY + timedelta(minutes=30)
    assert not answered.late


def test_while_the_seller_is_asked_the_clock_stands_still() -> None:
    waiting = move(ticket(S.CLAIMED), M.ASK, MONDAY + timedelta(hours=1))
    assert waiting.alert_at is None
    back = move(waiting, M.WRITE, datetime(2026, 2, 5, 9, 0, tzinfo=UTC))
    # seven of the eight hours were left on Monday at eleven
    assert back.resolve_due_at == datetime(2026, 2, 5, 16, 0, tzinfo=UTC)
    assert (back.state, back.waiting_since, back.late) == (S.CLAIMED, None, False)


def test_a_ticket_that_is_put_back_while_its_seller_is_asked_goes_on_waiting_with_its_clock_still() -> None:
    waiting = move(ticket(S.CLAIMED), M.ASK, MONDAY + timedelta(hours=1))
    back = move(waiting, M.RELEASE, MONDAY + timedelta(hours=2))
    assert back == replace(waiting, assignee=None, claimed_at=None)
    taken = move(back, M.CLAIM, MONDAY + timedelta(hours=3), to="U0KIM")
    assert (taken.state, taken.assignee, taken.waiting_since) == (S.WAITING, "U0KIM", MONDAY + timedelta(hours=1))
    for standing, then in ((back, S.OPEN), (taken, S.CLAIMED)):
        heard = move(standing, M.WRITE, datetime(2026, 2, 5, 9, 0, tzinfo=UTC))
        assert (heard.state, heard.assignee, heard.waiting_since) == (then, standing.assignee, None)
        assert heard.resolve_due_at == datetime(2026, 2, 5, 16, 0, tzinfo=UTC)
        assert heard.alert_at is not None


def test_a_closed_ticket_that_opens_again_starts_its_clock_anew_and_belongs_to_nobody() -> None:
    closed = ticket(S.CLOSED)
    assert (closed.due_at, closed.alert_at, closed.because) == (None, None, CloseReason.ANSWERED)
    again = move(closed, M.WRITE, datetime(2026, 2, 6, 16, 30, tzinfo=UTC))
    assert (again.state, again.assignee, again.closed_at, again.because, again.reopened) == (
        S.OPEN,
        None,
        None,
        None,
        1,
    )
    assert again.answer_due_at == datetime(2026, 2, 9, 9, 30, tzinfo=UTC)


def test_a_deadline_is_spoken_of_before_after_and_until_somebody_has_seen_it() -> None:
    fresh = ticket()
    assert TARGETS.spoken(fresh, MONDAY + timedelta(minutes=44)) is None
    warned = TARGETS.spoken(fresh, MONDAY + timedelta(minutes=45))
    assert warned is not None
    assert (warned.alert, warned.alert_at) == (Alert.WARNED, fresh.due_at)
    late = TARGETS.spoken(warned, MONDAY + timedelta(hours=1))
    assert late is not None
    assert (late.alert, late.late, late.alert_at) == (Alert.BREACHED, True, MONDAY + timedelta(hours=2))
    assert TARGETS.spoken(late, MONDAY + timedelta(hours=2)) is not None


def test_whoever_has_seen_that_the_answer_is_late_hears_of_the_resolution_all_the_same() -> None:
    """With nine hours for a resolution, and the desk open for nine: the target is the evening's."""
    fresh = ticket()
    resolve = fresh.resolve_due_at
    assert resolve is not None
    late = replace(fresh, alert=Alert.BREACHED, alert_at=MONDAY + timedelta(hours=2), late=True)
    seen = TARGETS.acknowledged(late, MONDAY + timedelta(hours=1, minutes=5))
    assert (seen.alert, seen.alert_at) == (Alert.ACKNOWLEDGED, resolve - timedelta(minutes=15))
    assert TARGETS.spoken(seen, MONDAY + timedelta(hours=2)) is None
    assert TARGETS.due(seen, MONDAY + timedelta(hours=2)) == fresh.answer_due_at
    near = TARGETS.spoken(seen, resolve - timedelta(minutes=15))
    assert near is not None
    assert (near.alert, near.alert_at) == (Alert.WARNED, resolve)
    assert TARGETS.due(seen, resolve - timedelta(minutes=15)) == resolve
    missed = TARGETS.spoken(near, TARGETS.hours.after(resolve, timedelta(minutes=1)))
    assert missed is not None
    assert missed.alert is Alert.BREACHED
    done = TARGETS.acknowledged(missed, TARGETS.hours.after(resolve, timedelta(minutes=2)))
    assert (done.alert, done.alert_at) == (Alert.ACKNOWLEDGED, None)


def test_at_night_nothing_is_said() -> None:
    evening = datetime(2026, 2, 2, 16, 50, tzinfo=UTC)
    fresh = TARGETS.opened(ticket(), evening)
    assert TARGETS.spoken(fresh, datetime(2026, 2, 2, 23, 0, tzinfo=UTC)) is None
    missed = replace(fresh, alert=Alert.WARNED, alert_at=datetime(2026, 2, 2, 17, 0, tzinfo=UTC))
    assert TARGETS.spoken(missed, datetime(2026, 2, 3, 3, 0, tzinfo=UTC)) is None
    assert TARGETS.spoken(missed, datetime(2026, 2, 3, 9, 50, tzinfo=UTC)) is not None


def test_closing_late_is_remembered() -> None:
    assert move(ticket(S.CLAIMED), M.CLOSE, MONDAY + timedelta(hours=2), because=CloseReason.ANSWERED).late
    assert not move(ticket(S.CLAIMED), M.CLOSE, MONDAY + timedelta(minutes=5), because=CloseReason.ANSWERED).late


@pytest.mark.parametrize(
    ("written", "secret"),
    [
        (
            "it went to https://bot.example.com/amazon/orders/callback?state=abc&spapi_oauth_code=XYZ123 and failed",
            "XYZ123",
        ),
        ("my link https://bot.example.com/connect/SECRETSECRET does nothing", "SECRETSECRET"),
        ("token Atzr|IwEBIabc-def_ghi", "IwEBIabc"),
        ("xoxb-123-abc", "123-abc"),
        ("spapi_oauth_code=ANabcdef", "ANabcdef"),
        ("amzn1.oa2-cs.v1.0a1b2c", "0a1b2c"),
        ("card 4111 1111 1111 1111 was charged", "4111"),
        ("Password: hunter2", "hunter2"),
        ("我的密码是 hunter2", "hunter2"),
    ],
)
def test_what_opens_something_is_not_shown_to_agents(written: str, secret: str) -> None:
    assert secret not in safe_words(written)


def test_ordinary_words_stay_as_they_are_and_long_ones_are_cut() -> None:
    said = "页面 https://sellercentral.amazon.com/apps 显示 MD5101, order 112-1234567-1234567"
    assert safe_words(f"  {said} ") == said
    assert len(safe_words("x" * 5000)) == QUESTION_LIMIT


def test_a_card_is_about_a_ticket_or_about_something_else() -> None:
    assert ticket_of(ticket_subject("t1")) == "t1"
    assert ticket_of("grant:s1:orders") is None


def test_only_what_a_seller_cannot_mend_can_be_an_incident() -> None:
    assert counts("our_credentials")
    assert counts("amazon_unavailable")
    assert counts("no_answer")
    assert counts("MD5101")
    assert not counts("wrong_account")
    assert not counts("SPDC8143")
    assert not counts("throttled")
    assert not counts("made_up")
    assert concerns("our_credentials", FeatureKey.LISTING) is FeatureKey.LISTING
    assert concerns("amazon_unavailable", FeatureKey.LISTING) is None
