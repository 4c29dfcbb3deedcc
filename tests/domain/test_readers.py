"""What people type into a store's fields: read, or refused with a sentence; never a crash, and nothing read twice differently."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.stores import (
    LABEL_LIMIT,
    PRODUCT_ID_TYPES,
    label_key,
    read_attribute_mapping,
    read_email,
    read_initial_order_date,
    read_label,
    read_website,
)
from bot.errors import (
    DateTooFar,
    DateTooOld,
    EmptyLabel,
    LabelTooLong,
    MalformedDate,
    MalformedEmail,
    MalformedMapping,
    MalformedWebsite,
    PersonMustAct,
)

TODAY = date(2026, 2, 2)


def read_day(text: str) -> date:
    return read_initial_order_date(text, today=TODAY)


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("Acme US", "Acme US"),
        ("  Acme \t US\n", "Acme US"),
        ("Ａｃｍｅ　美国店", "Ａｃｍｅ 美国店"),
        ("A\x00cme", "A cme"),
        ("x" * 60, "x" * 60),
    ],
)
def test_a_label_is_shown_as_it_was_typed_but_for_its_spaces(typed: str, label: str) -> None:
    assert read_label(typed) == label


@pytest.mark.parametrize("typed", ["", "   ", "\n\t", "\u200b", "\u3000"])
def test_a_label_of_nothing_is_no_label(typed: str) -> None:
    with pytest.raises(EmptyLabel):
        read_label(typed)


@pytest.mark.parametrize("length", [LABEL_LIMIT + 1, 300])
def test_a_label_that_is_too_long_is_told_its_length(length: int) -> None:
    with pytest.raises(LabelTooLong) as caught:
        read_label("x" * length)
    assert caught.value.facts == {"length": length, "limit": LABEL_LIMIT}


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2026-01-31", date(2026, 1, 31)),
        ("2026/1/31", date(2026, 1, 31)),
        ("2026.01.31", date(2026, 1, 31)),
        ("2026年1月31日", date(2026, 1, 31)),
        ("2026年1月31", date(2026, 1, 31)),
        ("２０２６－０１－３１", date(2026, 1, 31)),
        ("  2026 - 1 - 31 ", date(2026, 1, 31)),
        ("2024-02-29", date(2024, 2, 29)),
        ("2024-02-03", TODAY - timedelta(days=730)),
        ("2027-02-03", TODAY + timedelta(days=366)),
    ],
)
def test_a_day_is_read_in_the_forms_that_mean_one_day_only(typed: str, day: date) -> None:
    assert read_day(typed) == day


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "soon",
        "31-01-2026",
        "03/04/2026",
        "2026-13-01",
        "2026-02-29",
        "2025-02-29",
        "20260131",
        "2026-1",
        "26-01-31",
        "0000-01-01",
    ],
)
def test_a_day_in_the_wrong_form_is_answered_with_an_example(typed: str) -> None:
    with pytest.raises(MalformedDate) as caught:
        read_day(typed)
    assert caught.value.facts["example"] == "2026-02-02"


@pytest.mark.parametrize(
    ("typed", "problem", "nearest"),
    [
        ("2024-02-02", DateTooOld, date(2024, 2, 3)),
        ("2001-01-01", DateTooOld, date(2024, 2, 3)),
        ("0001-01-01", DateTooOld, date(2024, 2, 3)),
        ("2027-02-04", DateTooFar, date(2027, 2, 3)),
        ("9999-12-31", DateTooFar, date(2027, 2, 3)),
    ],
)
def test_a_day_out_of_reach_is_answered_with_the_nearest_one(
    typed: str, problem: type[PersonMustAct], nearest: date
) -> None:
    with pytest.raises(problem) as caught:
        read_day(typed)
    assert nearest in caught.value.facts.values()


@given(st.dates(min_value=TODAY - timedelta(days=730), max_value=TODAY + timedelta(days=366)))
def test_every_day_in_reach_is_read_back(day: date) -> None:
    assert read_day(day.isoformat()) == day


@pytest.mark.parametrize("typed", ["mei@example.com", "m.e+i@shop.example.co.uk", "梅@例子.公司", " mei@example.com "])
def test_addresses_are_read(typed: str) -> None:
    assert read_email(typed) == typed.strip()


@pytest.mark.parametrize(
    "typed",
    [
        "mei",
        "mei@",
        "@example.com",
        "mei@example",
        "a b@example.com",
        "mei@@example.com",
        "<mei@example.com>",
        "m\x00ei@example.com",
        "mei@example.com\u200b",
        f"{'x' * 250}@example.com",
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(MalformedEmail):
        read_email(typed)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://shop.example.com", "https://shop.example.com"),
        ("http://shop.example.com/a?b=c", "http://shop.example.com/a?b=c"),
        ("shop.example.com", "https://shop.example.com"),
        ("shop.example.com:8443/x", "https://shop.example.com:8443/x"),
        ("店铺.中国", "https://店铺.中国"),
    ],
)
def test_web_addresses_are_read(typed: str, address: str) -> None:
    assert read_website(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "shop",
        "ftp://example.com",
        "javascript://example.com/%0aalert(1)",
        "https://me:pass@example.com",
        "https://",
        "https://[::1",
        "a b.com",
        "https://exa\x00mple.com",
        "https://example.com/\u202egnp",
        f"https://example.com/{'x' * 500}",
    ],
)
def test_what_is_no_web_address_is_refused(typed: str) -> None:
    with pytest.raises(MalformedWebsite):
        read_website(typed)


@pytest.mark.parametrize(
    ("typed", "mapping"),
    [
        ("", {}),
        ("EAN=barcode", {"EAN": "barcode"}),
        ("ean = bar code\n ASIN=asin ", {"EAN": "bar code", "ASIN": "asin"}),
        ("EAN＝条码，UPC=upc；ISBN=isbn", {"EAN": "条码", "UPC": "upc", "ISBN": "isbn"}),
        ("EAN=a\nEAN=b", {"EAN": "b"}),
    ],
)
def test_mappings_are_read(typed: str, mapping: dict[str, str]) -> None:
    assert read_attribute_mapping(typed) == mapping


@pytest.mark.parametrize("typed", ["EAN", "EAN=", "=barcode", "COLOUR=red", "EAN=<b>", f"EAN={'x' * 61}", "EAN=a=b"])
def test_what_is_no_mapping_is_refused_with_amazons_types(typed: str) -> None:
    with pytest.raises(MalformedMapping) as caught:
        read_attribute_mapping(typed)
    assert caught.value.facts["types"] == ", ".join(PRODUCT_ID_TYPES)


@pytest.mark.parametrize("reader", [read_email, read_website])
@pytest.mark.parametrize("typed", [None, "", "   "])
def test_nothing_is_nothing(reader: Callable[[str | None], str | None], typed: str | None) -> None:
    assert reader(typed) is None


READERS: dict[str, Callable[[str], Any]] = {
    "label": read_label,
    "day": lambda text: read_day(text).isoformat(),
    "email": read_email,
    "website": read_website,
    "mapping": lambda text: "\n".join(f"{kind}={name}" for kind, name in read_attribute_mapping(text).items()),
}
#: near misses: pieces that the readers look for, in any order
PIECES = st.text() | st.lists(
    st.sampled_from(
        [
            "@",
            ".",
            "a",
            "https://",
            "EAN",
            "=",
            "，",
            "2026",
            "-",
            "年",
            "1",
            "０",
            " ",
            "\x00",
            "\u200b",
            "[",
            ":",
            "ß",
            "İ",
        ]
    ),
    max_size=12,
).map("".join)


@pytest.mark.parametrize("name", READERS)
@given(typed=PIECES)
def test_a_reader_never_crashes_keeps_nothing_invisible_and_reads_its_own_words_alike(name: str, typed: str) -> None:
    reader = READERS[name]
    once, problem = _read(reader, typed)
    if problem is not None:
        assert str(problem)
        assert all(len(str(fact)) <= 80 for fact in problem.facts.values())
        return
    assert once is None or reader(once) == once
    lines = (once or "").replace("\n", "")
    assert not any(unicodedata.category(char) == "Cc" for char in lines), (
        "PostgreSQL keeps no NUL, Slack shows no control"
    )


def _read(reader: Callable[[str], Any], typed: str) -> tuple[Any, PersonMustAct | None]:
    try:
        return reader(typed), None
    except PersonMustAct as problem:
        return None, problem


@given(st.text())
def test_labels_count_as_the_same_however_often_they_are_folded(text: str) -> None:
    assert label_key(label_key(text)) == label_key(text)
