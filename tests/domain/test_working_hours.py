"""The desk's calendar, across nights, weekends, holidays and changes of clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.working_hours import WorkingHours, read_holidays, read_hours, usual_hours

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = WorkingHours(BERLIN, read_hours("Mon-Fri 09:00-17:00"))
NIGHT_SHIFT = WorkingHours(BERLIN, read_hours("Mon-Sun 22:00-24:00; Mon-Sun 00:00-06:00"))
HOUR = timedelta(hours=1)


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def test_an_hour_asked_for_on_friday_evening_is_over_on_monday_morning() -> None:
    assert OFFICE.after(at("2026-02-06 16:30"), HOUR) == at("2026-02-09 09:30")
    assert OFFICE.after(at("2026-02-07 12:00"), HOUR) == at("2026-02-09 10:00")
    assert OFFICE.before(at("2026-02-09 09:30"), HOUR) == at("2026-02-06 16:30")
    assert OFFICE.between(at("2026-02-06 16:30"), at("2026-02-09 09:30")) == HOUR


def test_the_weekend_in_which_the_clocks_go_forward_takes_no_working_hour() -> None:
    """March 29, 2026: two o'clock does not exist. From Friday 16:00 to Monday 10:00 are two working hours, and 65 on the wall."""
    friday, monday = at("2026-03-27 16:00"), at("2026-03-30 10:00")
    assert monday - friday == timedelta(hours=65)
    assert OFFICE.between(friday, monday) == 2 * HOUR
    assert OFFICE.after(friday, 2 * HOUR) == monday
    assert OFFICE.before(monday, 2 * HOUR) == friday
    assert OFFICE.opens(at("2026-03-29 02:30")) == at("2026-03-30 09:00")


def test_the_weekend_in_which_the_clocks_go_back_gives_none() -> None:
    """October 25, 2026: two o'clock comes twice."""
    friday, monday = at("2026-10-23 16:00"), at("2026-10-26 10:00")
    assert monday - friday == timedelta(hours=67)
    assert OFFICE.between(friday, monday) == 2 * HOUR
    assert OFFICE.after(friday, 2 * HOUR) == monday


def test_a_night_shift_is_as_long_as_its_night() -> None:
    """Whoever works through the change of clocks works seven hours, or nine."""
    short = NIGHT_SHIFT.between(at("2026-03-28 22:00"), at("2026-03-29 06:00"))
    long = NIGHT_SHIFT.between(at("2026-10-24 22:00"), at("2026-10-25 06:00"))
    assert (short, long) == (7 * HOUR, 9 * HOUR)
    assert NIGHT_SHIFT.is_open(at("2026-03-29 00:00"))
    assert not NIGHT_SHIFT.is_open(at("2026-03-29 06:00"))


def test_holidays_are_as_if_the_day_were_not_there() -> None:
    hours = WorkingHours(BERLIN, OFFICE.week, read_holidays("2026-12-24..2026-12-27, 2027-01-01"))
    assert hours.after(at("2026-12-23 16:30"), HOUR) == at("2026-12-28 09:30")
    assert not hours.is_open(at("2027-01-01 12:00"))
    assert hours.holidays >= {date(2026, 12, 26), date(2027, 1, 1)}


def test_a_break_at_noon_stops_the_clock_and_ends_no_shift() -> None:
    hours = WorkingHours(BERLIN, read_hours("Mon-Fri 09:00-12:00 13:00-18:00; Sat 10:00-14:00"))
    assert hours.after(at("2026-02-06 11:30"), HOUR) == at("2026-02-06 13:30")
    assert hours.shift_end(at("2026-02-06 11:59")) == at("2026-02-06 18:00")
    assert hours.shift_end(at("2026-02-06 12:30")) is None
    assert hours.shift_end(at("2026-02-07 13:00")) == at("2026-02-07 14:00")
    assert hours.shift_end(at("2026-02-07 14:00")) is None


def test_opening_is_now_while_it_is_open_and_closing_time_is_outside() -> None:
    assert OFFICE.opens(at("2026-02-06 10:00")) == at("2026-02-06 10:00")
    assert OFFICE.opens(at("2026-02-06 17:00")) == at("2026-02-09 09:00")
    assert OFFICE.is_open(at("2026-02-06 09:00"))
    assert not OFFICE.is_open(at("2026-02-06 17:00"))


def test_the_zone_decides_whatever_zone_the_moment_is_written_in() -> None:
    shanghai = usual_hours()
    assert shanghai.is_open(datetime(2026, 2, 2, 1, 0, tzinfo=UTC))
    assert shanghai.is_open(datetime(2026, 2, 1, 21, 0, tzinfo=ZoneInfo("America/New_York")))
    assert not shanghai.is_open(datetime(2026, 2, 2, 10, 0, tzinfo=UTC))


def test_a_calendar_that_never_opens_counts_time_as_it_passes() -> None:
    never = WorkingHours(BERLIN, {})
    moment = at("2026-02-06 10:00")
    assert never.after(moment, HOUR) == moment + HOUR
    assert never.before(moment, HOUR) == moment - HOUR
    assert never.opens(moment) == moment
    assert never.shift_end(moment) is None


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda naive: naive.replace(tzinfo=UTC))  # noqa: DTZ001
WORKING = st.timedeltas(timedelta(), timedelta(hours=60)).map(lambda one: timedelta(seconds=int(one.total_seconds())))


@given(MOMENTS, WORKING)
def test_after_and_between_agree_and_the_end_lies_in_working_hours(moment: datetime, working: timedelta) -> None:
    end = OFFICE.after(moment, working)
    assert OFFICE.between(moment, end) == working
    assert end == moment or OFFICE.is_open(end) or OFFICE.is_open(end - timedelta(seconds=1))


@given(MOMENTS, WORKING)
def test_before_and_between_agree(moment: datetime, working: timedelta) -> None:
    assert OFFICE.between(OFFICE.before(moment, working), moment) == working


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Mon",
        "Mon 9-17",
        "Mon 09:00-09:00",
        "Mon 22:00-06:00",
        "Mon 25:00-26:00",
        "Mo 09:00-17:00",
        "Mon 09:00-24:30",
    ],
)
def test_hours_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_hours(text)


def test_spans_that_overlap_are_refused_and_days_may_wrap_around_the_week() -> None:
    with pytest.raises(ValueError, match="overlap"):
        read_hours("Mon 09:00-12:00 11:00-13:00")
    with pytest.raises(ValueError, match="overlap"):
        read_hours("Mon-Fri 09:00-24:00; Wed 10:00-11:00")
    assert set(read_hours("Sat-Mon 10:00-12:00")) == {5, 6, 0}


@pytest.mark.parametrize("text", ["tomorrow", "2026-10-07..2026-10-01", "2026-02-30", "2026-01-01..2029-01-01"])
def test_holidays_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_holidays(text)
