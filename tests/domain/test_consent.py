"""Consent attempts: what can be done with a link, and when; and verdicts, which are values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.consent import FINAL, LINK_LIFETIME, STATE_LIFETIME, ConsentAttempt, Outcome, fingerprint, receipt_of
from bot.domain.features import FEATURES, FeatureKey, other_feature
from bot.domain.verification import TURNS, Reason, Refused, Turn, Verified

NOON = datetime(2026, 2, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FRESH = ConsentAttempt(
    "a1", "T0", "U0MEI", "d1", "s1", FeatureKey.ORDERS, fingerprint("secret"), NOON, NOON + LINK_LIFETIME
)
PRESSED = replace(FRESH, pressed_at=NOON)


@pytest.mark.parametrize("outcome", [None, *Outcome])
def test_a_link_is_usable_until_it_expires_unless_its_work_is_done(outcome: Outcome | None) -> None:
    attempt = replace(FRESH, outcome=outcome)
    assert attempt.is_usable(NOON + LINK_LIFETIME - SECOND) is (outcome not in (Outcome.GRANTED, Outcome.REPLACED))
    assert not attempt.is_usable(NOON + LINK_LIFETIME)


def test_only_what_was_granted_or_replaced_is_final() -> None:
    assert set(FINAL) == {Outcome.GRANTED, Outcome.REPLACED}


@pytest.mark.parametrize("outcome", [None, *Outcome])
def test_what_was_kept_can_be_completed_whatever_became_of_its_link(outcome: Outcome | None) -> None:
    kept = replace(PRESSED, outcome=outcome, authorization_id="x1")
    assert kept.is_kept is (outcome in (Outcome.REFUSED, Outcome.REPLACED))
    assert not replace(kept, pressed_at=None).is_kept, "a held authorization that was only offered"
    assert not replace(kept, authorization_id=None).is_kept


@pytest.mark.parametrize("later", [timedelta(0), STATE_LIFETIME - SECOND, STATE_LIFETIME, timedelta(days=1)])
def test_a_pressed_link_waits_for_ten_minutes_and_then_is_silent(later: timedelta) -> None:
    in_time = later < STATE_LIFETIME
    assert (PRESSED.awaits_answer(NOON + later), PRESSED.is_silent(NOON + later)) == (in_time, not in_time)


@pytest.mark.parametrize("attempt", [FRESH, *(replace(PRESSED, outcome=outcome) for outcome in Outcome)])
def test_what_was_not_pressed_or_has_ended_neither_waits_nor_is_silent(attempt: ConsentAttempt) -> None:
    for later in (timedelta(0), STATE_LIFETIME):
        assert not attempt.awaits_answer(NOON + later)
        assert not attempt.is_silent(NOON + later)


def test_a_fingerprint_and_a_receipt_tell_nothing_of_each_other() -> None:
    assert len({"state", fingerprint("state"), receipt_of("state"), fingerprint(receipt_of("state"))}) == 4
    assert receipt_of("state") == receipt_of("state") != receipt_of("another")


def test_every_reason_says_whose_turn_it_is() -> None:
    assert set(TURNS) == set(Reason)
    assert {reason for reason, turn in TURNS.items() if turn is Turn.US} == {Reason.OUR_CREDENTIALS}
    assert {reason for reason, turn in TURNS.items() if turn is Turn.NOBODY} == {
        Reason.AMAZON_UNAVAILABLE,
        Reason.THROTTLED,
    }


@pytest.mark.parametrize("reason", Reason)
def test_a_refusal_is_false_and_a_verification_true(reason: Reason) -> None:
    assert not Refused(reason)
    assert Verified(NOON, NOON)


def test_each_feature_offers_the_other() -> None:
    assert [other_feature(key) for key in FEATURES] == list(FEATURES)[::-1]
