"""When a reader is told of an end, by their own calendar: milestones, weeks, silence, clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.digests import (
    Ending,
    Quiet,
    Quieting,
    Reader,
    is_morning,
    lines_of,
    next_morning,
    plan,
    quiet_until,
)
from bot.domain.features import FeatureKey
from bot.domain.notices import StoreRef

ORDERS, LISTING = FeatureKey.ORDERS, FeatureKey.LISTING
SHANGHAI = ZoneInfo("Asia/Shanghai")
#: a Monday, nine in the morning in Shanghai
MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LONG_AGO = MONDAY - timedelta(days=340)


def ending(days: float, feature: FeatureKey = ORDERS, label: str = "Acme US", **more: Any) -> Ending:
    """A grant that ends so many days after Monday's morning."""
    facts: dict[str, Any] = {"ends_at": MONDAY + timedelta(days=days, hours=5), "since": LONG_AGO}
    return Ending("s1", StoreRef(label, label, "US"), feature, **(facts | more))


def reader(last: date | None = date(2026, 1, 5), **more: Any) -> Reader:
    return Reader("T1", "U1", "s1", tz="Asia/Shanghai", last_day=last, **more)


def days_told(days: int, *, asleep: frozenset[int] = frozenset(), **more: Any) -> list[int]:
    """How many days before the end a reader who is looked at every morning is told, from 40 days before on."""
    told, mei = [], reader()
    one = ending(days, **more)
    for day in range(days + 5):
        if day in asleep:
            continue
        now = MONDAY + timedelta(days=day)
        if plan([one], mei, now=now):
            today = now.astimezone(SHANGHAI).date()
            told.append(one.days_left(today, SHANGHAI))
            mei = reader(last=today)
    return told


def test_weekly_from_thirty_days_then_fourteen_seven_three_one_and_the_day() -> None:
    # 40 days after a Monday is a Saturday: Mondays are 26, 19, … days before it
    assert days_told(40) == [26, 19, 14, 7, 3, 1, 0]


def test_an_end_on_the_weekday_itself() -> None:
    assert days_told(42) == [28, 21, 14, 7, 3, 1, 0]


def test_whoever_slept_through_some_days_is_told_once_with_the_present_number() -> None:
    assert days_told(40, asleep=frozenset(range(20, 36))) == [26, 4, 3, 1, 0], "14 and 7 were slept through: told at 4"
    assert days_told(40, asleep=frozenset(range(12, 43))) == [-3], "and once when it has ended"


def test_what_ended_longer_ago_than_a_week_is_not_dug_up() -> None:
    assert plan([ending(-3)], reader(last=date(2026, 3, 1)), now=MONDAY) == ()


def test_a_store_that_came_later_than_the_last_digest_is_told_at_once_when_it_is_near() -> None:
    near = ending(5, since=MONDAY - timedelta(hours=2))
    assert plan([near], reader(last=date(2026, 3, 1)), now=MONDAY) == (near,)
    far = ending(20, since=MONDAY - timedelta(hours=2))
    assert plan([far], reader(last=date(2026, 3, 1), weekday=4), now=MONDAY) == (), "far ones wait for the weekday"


def test_one_reason_is_enough_and_then_everything_that_ends_soon_is_told() -> None:
    urgent, calm, past = ending(7), ending(12, LISTING), ending(-3, label="Old")
    assert plan([calm, past], reader(last=date(2026, 3, 1), weekday=4), now=MONDAY) == ()
    assert plan([calm, urgent, past], reader(last=date(2026, 3, 1), weekday=4), now=MONDAY) == (urgent, calm)


@pytest.mark.parametrize("end", [31, 45, 364])
def test_nothing_is_said_before_thirty_days(end: int) -> None:
    assert plan([ending(end)], reader(), now=MONDAY) == ()


def test_i_know_is_silence_until_the_day() -> None:
    one = ending(40)
    quiet = Quiet("U1", one.ends_at, None, MONDAY)
    assert days_told(40, quiets=(quiet,)) == [0]
    somebody_else = Quiet("U2", one.ends_at, None, MONDAY)
    assert days_told(40, quiets=(somebody_else,)) == [26, 19, 14, 7, 3, 1, 0]
    about_the_old_year = Quiet("U1", one.ends_at - timedelta(days=365), None, MONDAY)
    assert days_told(40, quiets=(about_the_old_year,)) == [26, 19, 14, 7, 3, 1, 0]


def test_a_snooze_ends_by_telling_again() -> None:
    one = ending(40)
    pressed = MONDAY + timedelta(days=26, hours=3)  # 14 days before
    until = quiet_until(Quieting.SNOOZE, [one], now=pressed, zone=SHANGHAI)
    assert until is not None
    assert until.astimezone(SHANGHAI).isoformat() == "2026-04-04T00:00:00+08:00", "its morning speaks again"
    snoozed = Quiet("U1", one.ends_at, until, pressed)
    mei = reader(last=(MONDAY + timedelta(days=26)).date())
    quiet_days = [
        day for day in range(27, 33) if plan([ending(40, quiets=(snoozed,))], mei, now=MONDAY + timedelta(days=day))
    ]
    assert quiet_days == []
    assert plan([ending(40, quiets=(snoozed,))], mei, now=MONDAY + timedelta(days=33))


@pytest.mark.parametrize(("end", "days"), [(3, 2), (2, 1), (1, 1), (0.1, 1), (8, 7), (30, 7)])
def test_a_snooze_lasts_until_a_morning_at_the_latest_the_day_before_the_end(end: float, days: int) -> None:
    until = quiet_until(Quieting.SNOOZE, [ending(end)], now=MONDAY, zone=SHANGHAI)
    assert until == datetime.combine(MONDAY.date() + timedelta(days=days), time(), SHANGHAI)


def test_i_know_has_no_day_of_its_own() -> None:
    assert quiet_until(Quieting.KNOW, [ending(3)], now=MONDAY, zone=SHANGHAI) is None


def test_lines_are_by_the_day_and_by_what_stops() -> None:
    told = [ending(9, label="B"), ending(9, LISTING), ending(9, label="A"), ending(2), ending(-1, label="Old")]
    lines = lines_of(told, today=MONDAY.date(), zone=SHANGHAI)
    assert [(line.days_left, line.feature.value, line.stores) for line in lines] == [
        (-1, "orders", 1),
        (2, "orders", 1),
        (9, "orders", 2),
        (9, "listing", 1),
    ]


# --- mornings --------------------------------------------------------------------------------------------------------


def mornings(zone: str, start: datetime, count: int, hour: int = 9) -> list[datetime]:
    found, at = [], start
    for _ in range(count):
        at = next_morning(at, zone=ZoneInfo(zone), hour=hour)
        found.append(at)
    return found


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("America/New_York", datetime(2026, 3, 6, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 10, 30, tzinfo=UTC)),
        ("Europe/London", datetime(2026, 3, 27, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 3, tzinfo=UTC)),
        ("Asia/Kolkata", datetime(2026, 3, 6, tzinfo=UTC)),
        ("Asia/Kathmandu", datetime(2026, 3, 6, tzinfo=UTC)),
        ("Pacific/Kiritimati", datetime(2026, 3, 6, tzinfo=UTC)),
    ],
)
def test_a_morning_a_day_at_the_clocks_hour_whatever_the_clocks_do(zone: str, around: datetime) -> None:
    local = [at.astimezone(ZoneInfo(zone)) for at in mornings(zone, around, 7)]
    assert {(at.hour, at.minute) for at in local} == {(9, 0)}
    days = [at.date() for at in local]
    assert days == [days[0] + timedelta(days=number) for number in range(7)]


def test_an_hour_that_the_clocks_leave_out_and_one_that_they_repeat() -> None:
    spring = mornings("America/New_York", datetime(2026, 3, 7, 12, tzinfo=UTC), 2, hour=2)
    assert [at.isoformat() for at in spring] == ["2026-03-08T07:00:00+00:00", "2026-03-09T06:00:00+00:00"]
    autumn = mornings("America/New_York", datetime(2026, 10, 31, 12, tzinfo=UTC), 2, hour=1)
    assert [at.isoformat() for at in autumn] == ["2026-11-01T05:00:00+00:00", "2026-11-02T06:00:00+00:00"]


def test_a_day_that_a_country_skipped() -> None:
    """Samoa went from Thursday to Saturday."""
    days = [
        at.astimezone(ZoneInfo("Pacific/Apia")).date()
        for at in mornings("Pacific/Apia", datetime(2011, 12, 28, tzinfo=UTC), 3)
    ]
    assert days == sorted(set(days))
    assert date(2011, 12, 31) in days


def test_a_late_morning_counts_on_the_same_day_only() -> None:
    assert is_morning(datetime(2026, 3, 2, 12, 0, tzinfo=UTC), zone=SHANGHAI, hour=9)  # 20:00
    assert not is_morning(datetime(2026, 3, 2, 13, 0, tzinfo=UTC), zone=SHANGHAI, hour=9)  # 21:00
    assert not is_morning(datetime(2026, 3, 2, 0, 59, tzinfo=UTC), zone=SHANGHAI, hour=9)  # 08:59
    assert not is_morning(datetime(2026, 3, 1, 20, 0, tzinfo=UTC), zone=SHANGHAI, hour=9)  # 04:00 the next day


_ZONES = st.sampled_from(
    ["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/St_Johns"]
)


@given(
    zone=_ZONES,
    hour=st.integers(0, 23),
    at=st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_the_next_morning_is_ahead_and_within_two_days(zone: str, hour: int, at: datetime) -> None:
    morning = next_morning(at, zone=ZoneInfo(zone), hour=hour)
    assert at < morning <= at + timedelta(hours=26)
    assert is_morning(morning, zone=ZoneInfo(zone), hour=hour)


@given(days=st.integers(31, 60), asleep=st.frozensets(st.integers(0, 60), max_size=40))
def test_however_much_is_slept_through_no_number_is_told_twice_and_they_go_down(
    days: int, asleep: frozenset[int]
) -> None:
    told = days_told(days, asleep=asleep)
    assert told == sorted(set(told), reverse=True)
