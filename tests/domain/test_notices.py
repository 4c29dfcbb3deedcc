"""Notices wait as JSON and come back as they went, every kind of them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, get_type_hints

import pytest

from bot.domain import desk_notices, notices
from bot.domain.features import FeatureKey
from bot.domain.notices import ConsentCard, Notice, StoreRef, notice_from, subject_of

#: (a dataclass with slots is made twice: what the module names is the one that counts)
KINDS: list[type[Notice]] = [
    kind
    for kind in (vars(notices) | vars(desk_notices)).values()
    if isinstance(kind, type) and issubclass(kind, Notice) and kind is not Notice
]
STORE = StoreRef("s1", '梅的店 "<&>"', "US")
#: a value for each type of field, other than its default
VALUES: dict[Any, Any] = {
    str: "2026-02-02T08:00:00+00:00",
    bool: True,
    StoreRef: STORE,
    StoreRef | None: STORE,
    FeatureKey: FeatureKey.LISTING,
    FeatureKey | None: FeatureKey.LISTING,
    str | None: "U0SAM",
    tuple[str, ...]: ("Acme CA", "Acme MX"),
    tuple[tuple[str, str], ...]: (("s1", "orders"), ("s2", "listing")),
    int: 12,
    int | None: 12,
    tuple[int, ...]: (1, 2),
    tuple[tuple[str, int], ...]: (("zh-CN", 1), ("en", 2)),
    tuple[tuple[str, int, int], ...]: (("2026-02-02", 1, 2),),
    tuple[tuple[str, int, str], ...]: (("U0SAM", 1, "claimed"),),
    tuple[tuple[str, int, str, str], ...]: (("t1", 1, "claimed", "U0MEI"),),
    tuple[tuple[str, str, str], ...]: (("orders", "granted", "2026-02-02T08:00:00+00:00"),),
    Mapping[str, str]: {"who": "U0SAM"},
}


def full(kind: type[Notice]) -> Notice:
    """One with every field set."""
    return kind(**{name: VALUES[hint] for name, hint in _hints(kind).items()})


def bare(kind: type[Notice]) -> Notice:
    """One with nothing but what it must have, and None where that is allowed."""
    needed = [
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    hints = _hints(kind)
    return kind(
        **{name: None if None in getattr(hints[name], "__args__", ()) else VALUES[hints[name]] for name in needed}
    )


def _hints(kind: type[Notice]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
@pytest.mark.parametrize("make", [full, bare])
def test_a_notice_comes_back_from_json_as_it_went(kind: type[Notice], make: Any) -> None:
    notice = make(kind)
    back = notice_from(notice.kind, json.loads(json.dumps(notice.facts(), ensure_ascii=False)))
    assert back == notice
    assert {type(value) for value in vars_of(back)} == {type(value) for value in vars_of(notice)}


def vars_of(notice: Notice) -> list[Any]:
    return [getattr(notice, field.name) for field in dataclasses.fields(notice)]


def test_every_kind_has_its_own_name() -> None:
    assert len(KINDS) >= 15
    assert len({kind.kind for kind in KINDS}) == len(KINDS)


def test_a_kind_nobody_knows_any_more_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        notice_from("carrier_pigeon", {})


def test_a_cards_secret_is_not_in_its_repr() -> None:
    card = full(ConsentCard)
    assert isinstance(card, ConsentCard)
    assert "hush" not in repr(dataclasses.replace(card, secret="hush"))


def test_a_card_has_one_subject_for_each_store_and_feature() -> None:
    subjects = {subject_of(store, feature) for store in ("s1", "s2") for feature in FeatureKey}
    assert len(subjects) == 4
