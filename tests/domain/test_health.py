"""When Amazon is asked about a grant, and how trouble is counted."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from bot.domain.clocks import SecretClock, unlisted_period
from bot.domain.features import FeatureKey
from bot.domain.grants import GRANT_LIFETIME
from bot.domain.health import Trouble, minute_of, next_check, renewed_unseen, retry_at
from bot.domain.verification import Reason

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_authorizations_are_spread_over_the_day() -> None:
    hours = Counter(minute_of(f"authorization {number}") // 60 for number in range(24_000))
    assert len(hours) == 24
    assert max(hours.values()) < 1200


def test_each_is_asked_about_once_a_day_at_its_own_minute_however_late_the_last_time_was() -> None:
    at, seen = NOON, []
    for late in (0, 0, 700, 0, 3, 0):
        at = next_check("some id", after=at)
        seen.append(at)
        at += timedelta(minutes=late)
    assert {moment.hour * 60 + moment.minute for moment in seen} == {minute_of("some id")}
    assert all(timedelta(hours=12) <= b - a <= timedelta(days=2) for a, b in pairwise(seen))


def test_a_year_that_ends_sooner_is_looked_at_when_it_has_ended() -> None:
    ends_at = NOON + timedelta(hours=1)
    assert next_check("some id", after=NOON, ends_at=ends_at) == ends_at + timedelta(minutes=1)
    assert next_check("some id", after=NOON, ends_at=NOON - timedelta(days=1)) == next_check("some id", after=NOON)


def test_a_day_counts_once_however_often_it_fails() -> None:
    trouble = Trouble(Reason.AMAZON_UNAVAILABLE, 1, date(2026, 3, 2))
    for _ in range(5):
        trouble = trouble.again(Reason.THROTTLED, on=date(2026, 3, 2))
    assert (trouble.days, trouble.reason) == (1, Reason.THROTTLED)
    assert trouble.again(Reason.THROTTLED, on=date(2026, 3, 4)).days == 2


def test_a_refused_access_and_silence_are_counted_apart() -> None:
    refused = Trouble(Reason.MARKETPLACE_NOT_COVERED, 9, date(2026, 3, 2))
    assert refused.again(Reason.PERMISSION_PROBLEM, on=date(2026, 3, 3)).days == 10
    silent = refused.again(Reason.AMAZON_UNAVAILABLE, on=date(2026, 3, 3))
    assert silent.days == 1
    assert silent.again(Reason.THROTTLED, on=date(2026, 3, 4)).days == 2
    assert silent.again(Reason.PERMISSION_PROBLEM, on=date(2026, 3, 4)).days == 1


@pytest.mark.parametrize("reason", Reason)
def test_whatever_is_not_final_is_asked_again_within_the_day(reason: Reason) -> None:
    for days in (1, 2, 100):
        at = retry_at(Trouble(reason, days, NOON.date()), now=NOON)
        assert NOON < at <= NOON + timedelta(hours=4)


def test_a_renewal_we_were_not_told_of_is_dated_early_rather_than_late() -> None:
    ends_at = NOON
    assert renewed_unseen(ends_at, lifetime=GRANT_LIFETIME, now=ends_at + timedelta(hours=23)) is None
    renewed = renewed_unseen(ends_at, lifetime=GRANT_LIFETIME, now=ends_at + timedelta(days=1))
    assert renewed == ends_at + timedelta(days=335)


# --- our own clocks --------------------------------------------------------------------------------------------------


def test_a_secret_is_told_weekly_from_ninety_days_then_for_its_last_days() -> None:
    clock = SecretClock.of(FeatureKey.ORDERS, date(2026, 1, 1))
    assert clock.ends_on == date(2026, 6, 30)
    told: dict[str, int] = {}
    for day in range(200):
        today = date(2026, 1, 1) + timedelta(days=day)
        if period := clock.period(today):
            told.setdefault(period, (clock.ends_on - today).days)
    assert list(told.values())[:12] == [90, 83, 76, 69, 62, 55, 48, 41, 34, 27, 20, 14]
    assert list(told.values())[12:] == [7, 3, 2, 1, 0, -1, -8, -15]


def test_an_unlisted_application_is_told_of_from_twenty_sellers_on() -> None:
    assert unlisted_period(FeatureKey.ORDERS, 19) is None
    assert unlisted_period(FeatureKey.ORDERS, 20) != unlisted_period(FeatureKey.ORDERS, 21)
    assert unlisted_period(FeatureKey.ORDERS, 25) == unlisted_period(FeatureKey.ORDERS, 40)
