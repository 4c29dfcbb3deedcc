"""Grants: only the moves of the table happen, and dates decide the rest."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.features import FEATURES, FeatureKey
from bot.domain.grants import (
    EXPIRING_WITHIN,
    GRANT_LIFETIME,
    MOVES,
    AuthorizationKey,
    Grant,
    GrantState,
    Move,
    first_grant,
)
from bot.domain.marketplaces import MARKETPLACES
from bot.domain.status import PLATFORM_LABELS, StatusKind, StoreStatus, status_of
from bot.domain.stores import Store
from bot.errors import ImpossibleMove

NOON = datetime(2026, 2, 2, 12, tzinfo=UTC)
EVERY_PAIR = list(itertools.product(GrantState, Move))
SECOND = timedelta(seconds=1)


def standing(state: GrantState, *, ends_in: timedelta | None = None, feature: FeatureKey = FeatureKey.ORDERS) -> Grant:
    return Grant("s1", feature, state, NOON, ends_at=None if ends_in is None else NOON + ends_in)


def moved(grant: Grant, move: Move, at: datetime = NOON) -> Grant:
    if move is Move.ACCEPT:
        return grant.after(move, at=at, authorization_id="a1", ends_at=at + GRANT_LIFETIME)
    return grant.after(move, at=at)


@pytest.mark.parametrize(("state", "move"), EVERY_PAIR)
def test_every_pair_either_moves_or_is_impossible(state: GrantState, move: Move) -> None:
    if (state, move) in MOVES:
        assert moved(standing(state), move).state is MOVES[state, move]
    else:
        with pytest.raises(ImpossibleMove):
            moved(standing(state), move)


def test_what_is_impossible_is_what_would_make_no_sense() -> None:
    impossible = {pair for pair in EVERY_PAIR if pair not in MOVES}
    not_held = (GrantState.NOT_GRANTED, GrantState.AUTHORIZING)
    news_of_a_token = (Move.EXPIRE, Move.REVOKE, Move.LOSE_PERMISSION, Move.RESTORE)
    assert impossible == set(itertools.product(not_held, news_of_a_token)) | {
        (GrantState.EXPIRED, Move.LOSE_PERMISSION),
        (GrantState.EXPIRED, Move.RESTORE),
        (GrantState.REVOKED, Move.EXPIRE),
        (GrantState.REVOKED, Move.LOSE_PERMISSION),
        (GrantState.REVOKED, Move.RESTORE),
    }


@pytest.mark.parametrize("state", GrantState)
def test_every_state_can_be_reached_from_the_first_and_left_by_consent(state: GrantState) -> None:
    reached = {GrantState.NOT_GRANTED}
    for _ in GrantState:
        reached |= {target for (source, _), target in MOVES.items() if source in reached}
    assert state in reached
    assert MOVES[state, Move.ACCEPT] is GrantState.GRANTED


@pytest.mark.parametrize(
    "state", [state for state in GrantState if state not in (GrantState.NOT_GRANTED, GrantState.AUTHORIZING)]
)
@pytest.mark.parametrize("move", [Move.OPEN, Move.REFUSE])
def test_an_older_grant_outlives_every_failed_attempt(state: GrantState, move: Move) -> None:
    before = standing(state, ends_in=timedelta(days=9))
    assert before.after(move, at=NOON + timedelta(hours=1)) == before


@given(st.lists(st.sampled_from(Move), max_size=30))
def test_whatever_happens_a_held_grant_knows_what_it_rests_on_and_when_it_ends(moves: list[Move]) -> None:
    grant = first_grant("s1", FeatureKey.ORDERS, at=NOON)
    now = NOON
    for move in moves:
        now += timedelta(days=1)
        if (grant.state, move) not in MOVES:
            continue
        after = moved(grant, move, now)
        assert after.version == grant.version
        assert after.since == (now if after.state is not grant.state or move is Move.ACCEPT else grant.since)
        grant = after
        held = grant.state not in (GrantState.NOT_GRANTED, GrantState.AUTHORIZING)
        assert held == (grant.authorization_id is not None) == (grant.ends_at is not None)


@pytest.mark.parametrize("missing", ["authorization_id", "ends_at"])
def test_nothing_is_accepted_without_an_authorization_and_its_end(missing: str) -> None:
    facts = {"authorization_id": "a1", "ends_at": NOON + GRANT_LIFETIME}
    facts.pop(missing)
    with pytest.raises(ImpossibleMove):
        standing(GrantState.AUTHORIZING).after(Move.ACCEPT, at=NOON, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ends_in", "state", "expiring"),
    [
        (GRANT_LIFETIME, GrantState.GRANTED, False),
        (EXPIRING_WITHIN + SECOND, GrantState.GRANTED, False),
        (EXPIRING_WITHIN, GrantState.GRANTED, True),
        (SECOND, GrantState.GRANTED, True),
        (timedelta(0), GrantState.EXPIRED, False),
        (-SECOND, GrantState.EXPIRED, False),
    ],
)
def test_a_grant_expires_by_the_second(ends_in: timedelta, state: GrantState, *, expiring: bool) -> None:
    grant = standing(GrantState.GRANTED, ends_in=ends_in)
    assert (grant.standing(NOON), grant.is_expiring(NOON)) == (state, expiring)


def test_a_grant_lasts_exactly_365_days_leap_year_or_not() -> None:
    for begun in (datetime(2027, 2, 28, tzinfo=UTC), datetime(2028, 2, 28, tzinfo=UTC)):
        grant = moved(first_grant("s1", FeatureKey.ORDERS, at=begun), Move.ACCEPT, begun)
        assert grant.standing(begun + timedelta(days=365) - SECOND) is GrantState.GRANTED
        assert grant.standing(begun + timedelta(days=365)) is GrantState.EXPIRED


@pytest.mark.parametrize("state", [GrantState.REVOKED, GrantState.NOT_GRANTED, GrantState.AUTHORIZING])
def test_what_is_not_held_does_not_run_out(state: GrantState) -> None:
    assert standing(state, ends_in=-timedelta(days=1)).standing(NOON) is state


def test_a_permission_problem_runs_out_too_but_is_never_expiring() -> None:
    assert standing(GrantState.PERMISSION_PROBLEM, ends_in=timedelta(0)).standing(NOON) is GrantState.EXPIRED
    assert not standing(GrantState.PERMISSION_PROBLEM, ends_in=timedelta(days=3)).is_expiring(NOON)


def test_an_authorization_is_for_a_region_but_in_the_far_east_for_a_country() -> None:
    regions = {code: AuthorizationKey.of("app", "A2", row).consent_region for code, row in MARKETPLACES.items()}
    assert {code for code, region in regions.items() if region == "NA"} == {"US", "CA", "MX", "BR"}
    assert {code: region for code, region in regions.items() if region.startswith("FE")} == {
        "JP": "FE-JP",
        "AU": "FE-AU",
        "SG": "FE-SG",
    }


# --- the status of a store -------------------------------------------------------------------------------------------

STANDINGS = {
    "nothing": (GrantState.NOT_GRANTED, None),
    "opened": (GrantState.AUTHORIZING, None),
    "granted": (GrantState.GRANTED, timedelta(days=200)),
    "ending": (GrantState.GRANTED, timedelta(days=20)),
    "over": (GrantState.GRANTED, timedelta(0)),
    "expired": (GrantState.EXPIRED, timedelta(0)),
    "revoked": (GrantState.REVOKED, timedelta(days=200)),
    "problem": (GrantState.PERMISSION_PROBLEM, timedelta(days=200)),
}


def derived(orders: str, listing: str, *, disabled: bool = False) -> StoreStatus:
    store = Store("s1", "T0", "d1", "Acme US", "US", NOON.date(), NOON, "U0MEI", disabled_at=NOON if disabled else None)
    grants = {}
    for feature, name in zip(FEATURES, (orders, listing), strict=True):
        state, ends_in = STANDINGS[name]
        grants[feature] = standing(state, ends_in=ends_in, feature=feature)
    return status_of(store, grants, now=NOON)


def expected(orders: str, listing: str) -> tuple[str, StatusKind | None]:
    """The table of DOMAIN §3, written out once more and otherwise."""
    works = [name in ("granted", "ending") for name in (orders, listing)]
    label = {
        (True, True): "【已授权】",
        (True, False): "【载单功能已授权，刊登/库存同步功能未授权】",
        (False, True): "【刊登/库存同步功能已授权，载单功能未授权】",
        (False, False): "【授权中】" if "opened" in (orders, listing) else "【未授权】",
    }[works[0], works[1]]
    worst_first = {
        "revoked": StatusKind.REVOKED,
        "over": StatusKind.EXPIRED,
        "expired": StatusKind.EXPIRED,
        "problem": StatusKind.PERMISSION_PROBLEM,
        "ending": StatusKind.EXPIRING,
    }
    return label, next((kind for name, kind in worst_first.items() if name in (orders, listing)), None)


@pytest.mark.parametrize(("orders", "listing"), list(itertools.product(STANDINGS, repeat=2)))
def test_a_stores_status_follows_from_its_two_grants(orders: str, listing: str) -> None:
    status = derived(orders, listing)
    assert (status.platform_label, status.attention) == expected(orders, listing)
    assert status.kind is (status.attention or status.base)


@pytest.mark.parametrize(("orders", "listing"), list(itertools.product(STANDINGS, repeat=2)))
def test_a_disabled_store_keeps_its_platform_label_and_is_called_disabled(orders: str, listing: str) -> None:
    status = derived(orders, listing, disabled=True)
    assert (status.kind, status.platform_label) == (StatusKind.DISABLED, expected(orders, listing)[0])


def test_the_platform_shows_five_statuses() -> None:
    assert len(set(PLATFORM_LABELS.values())) == 5
