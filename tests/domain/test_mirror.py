"""What is told to the sister system and what is read of it: the contract of docs/mirror.md."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.domain.features import FeatureKey
from bot.domain.grants import Move, first_grant
from bot.domain.mirror import (
    Happening,
    MalformedEvent,
    MirrorEvent,
    SisterNews,
    SisterState,
    SisterWord,
    read_event,
    what_happened,
)
from bot.domain.notices import StoreRef, notice_from
from bot.domain.stores import Store

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
STORE = Store(
    "s1",
    "T0SALEYEE",
    "d1",
    "Acme 美国",
    "US",
    date(2026, 1, 31),
    NOON,
    "U0MEI",
    contact_email="mei@example.com",
    website="https://acme.example.com",
    selling_partner_id="A2ACME",
)
FRESH = first_grant("s1", FeatureKey.ORDERS, at=NOON)
GRANTED = FRESH.after(Move.ACCEPT, at=NOON, authorization_id="a1", ends_at=NOON + YEAR)
LATER = NOON + timedelta(days=30)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (FRESH, FRESH.after(Move.OPEN, at=NOON), None),
        (FRESH.after(Move.OPEN, at=NOON), FRESH, None),
        (FRESH.after(Move.OPEN, at=NOON), GRANTED, Happening.GRANT_ACCEPTED),
        (
            GRANTED,
            GRANTED.after(Move.ACCEPT, at=LATER, authorization_id="a1", ends_at=LATER + YEAR),
            Happening.GRANT_RENEWED,
        ),
        (GRANTED, GRANTED.after(Move.OPEN, at=LATER), None),
        (GRANTED, GRANTED.after(Move.EXPIRE, at=LATER), Happening.GRANT_EXPIRED),
        (GRANTED, GRANTED.after(Move.REVOKE, at=LATER), Happening.GRANT_REVOKED),
        (GRANTED, GRANTED.after(Move.LOSE_PERMISSION, at=LATER), Happening.GRANT_PERMISSION_PROBLEM),
        (GRANTED.after(Move.LOSE_PERMISSION, at=LATER), GRANTED, Happening.GRANT_RESTORED),
        (GRANTED.after(Move.REVOKE, at=LATER), GRANTED.after(Move.REVOKE, at=LATER).after(Move.REVOKE, at=LATER), None),
    ],
)
def test_a_move_is_told_by_what_it_means_elsewhere(before: Any, after: Any, told: Happening | None) -> None:
    assert what_happened(before, after) is told


def test_an_event_holds_facts_and_nothing_else() -> None:
    assert MirrorEvent(Happening.GRANT_ACCEPTED, NOON, STORE, GRANTED).facts() == {
        "type": "grant.accepted",
        "timestamp": "2026-03-02T12:00:00+00:00",
        "data": {
            "workspace": "T0SALEYEE",
            "distributor": "d1",
            "store": {
                "id": "s1",
                "label": "Acme 美国",
                "marketplace": "US",
                "selling_partner_id": "A2ACME",
                "disabled": False,
            },
            "grant": {
                "feature": "orders",
                "state": "granted",
                "consented_at": "2026-03-02T12:00:00+00:00",
                "expires_at": "2027-03-02T12:00:00+00:00",
            },
        },
    }
    assert "grant" not in MirrorEvent(Happening.STORE_DELETED, NOON, STORE).facts()["data"]


def event(kind: str = "store.disabled", **changes: Any) -> dict[str, Any]:
    whole = {**MirrorEvent(Happening.STORE_DISABLED, NOON, STORE).facts(), "type": kind}
    whole["data"] |= changes
    return whole


def read(given: object) -> Any:
    return read_event(json.dumps(given).encode())


def test_what_we_send_can_be_read_as_it_comes_back() -> None:
    heard = read(event())
    assert (heard.happening, heard.at) == (Happening.STORE_DISABLED, NOON)
    assert (heard.workspace, heard.distributor, heard.store_id, heard.feature) == ("T0SALEYEE", "d1", "s1", None)
    granted = read(MirrorEvent(Happening.GRANT_ACCEPTED, NOON, STORE, GRANTED).facts())
    assert (granted.feature, granted.expires_at) == (FeatureKey.ORDERS, NOON + YEAR)
    assert read({**event(), "timestamp": "2026-03-02T20:00:00+08:00"}).at == NOON
    assert read({**event(), "timestamp": "2026-03-02T12:00:00Z"}).at == NOON


@pytest.mark.parametrize(
    "given",
    [
        event("store.painted"),
        event("store.added"),
        {"type": "mirror.greeting", "data": {}},
        event("grant.revoked", grant={"feature": "advertising"}),
    ],
)
def test_what_nothing_follows_from_is_ignored(given: object) -> None:
    assert read(given) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"[" * 100_000,
        b"\xff\xfe",
        *(
            json.dumps(one).encode()
            for one in (
                {},
                {"type": 1},
                {"type": "store.disabled"},
                {**event(), "data": []},
                {**event(), "timestamp": None},
                {**event(), "timestamp": 1},
                {**event(), "timestamp": "yesterday"},
                {**event(), "timestamp": "2026-03-02T12:00:00"},
                {**event(), "timestamp": "0001-01-01T00:00:00Z"},
                event(workspace=""),
                event(workspace="T0\u0000"),
                event(distributor=None),
                event(store={}),
                event(store={"id": "s" * 65}),
                event("grant.revoked"),
                event("grant.revoked", grant={"feature": 1}),
                event("grant.renewed", grant={"feature": "orders", "expires_at": "9999-12-31T23:59:59Z"}),
            )
        ),
    ],
)
def test_what_is_no_event_is_refused_without_being_quoted(body: bytes) -> None:
    with pytest.raises(MalformedEvent) as caught:
        read_event(body)
    assert len(str(caught.value)) < 80


def test_a_word_that_says_the_same_or_is_older_than_the_consent_adds_nothing() -> None:
    def word(state: SisterState, **changes: Any) -> SisterWord:
        return replace(SisterWord("s1", FeatureKey.ORDERS, state, LATER), **changes)

    assert not word(SisterState.GRANTED).adds_to(GRANTED, now=LATER)
    assert word(SisterState.GRANTED).adds_to(FRESH, now=LATER)
    assert word(SisterState.REVOKED).adds_to(GRANTED, now=LATER)
    before = NOON - timedelta(days=1)
    assert not word(SisterState.REVOKED, at=before).adds_to(GRANTED, now=LATER)
    assert word(SisterState.DISABLED, at=before).adds_to(GRANTED, now=LATER), "a consent here switches nothing on there"


def test_what_was_granted_there_runs_out_by_itself() -> None:
    word = SisterWord("s1", FeatureKey.ORDERS, SisterState.GRANTED, NOON, expires_at=LATER)
    assert word.standing(LATER - timedelta(seconds=1)) is SisterState.GRANTED
    assert word.standing(LATER) is SisterState.EXPIRED


@pytest.mark.parametrize("feature", [None, FeatureKey.LISTING])
def test_the_notice_comes_back_as_it_went(feature: FeatureKey | None) -> None:
    news = SisterNews(store=StoreRef.of(STORE), state="granted", feature=feature, ends_at=NOON.isoformat(), stands=True)
    assert notice_from(news.kind, json.loads(json.dumps(news.facts()))) == news
