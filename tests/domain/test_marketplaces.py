"""Marketplaces: the table is the facts' own, and people are understood however they write one."""

from __future__ import annotations

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.marketplaces import MARKETPLACES, Marketplace, find_marketplace, marketplace_by_id
from bot.errors import NoSuchMarketplace, UnknownMarketplace
from bot.i18n import LOCALES, Speaker

#: DOMAIN §5, as it stands there
FACTS = """
US ATVPDKIKX0DER sellercentral.amazon.com NA · CA A2EUQ1WTGCTBG2 sellercentral.amazon.ca NA ·
MX A1AM78C64UM0Y8 sellercentral.amazon.com.mx NA · BR A2Q3Y263D00KWC sellercentral.amazon.com.br NA ·
UK A1F83G8C2ARO7P sellercentral-europe.amazon.com EU · DE A1PA6795UKMFR9 sellercentral-europe.amazon.com EU ·
FR A13V1IB3VIYZZH sellercentral-europe.amazon.com EU · IT APJ6JRA9NG5V4 sellercentral-europe.amazon.com EU ·
ES A1RKKUPIHCS9HS sellercentral-europe.amazon.com EU · NL A1805IZSGTT6HS sellercentral.amazon.nl EU ·
SE A2NODRKZP88ZB9 sellercentral.amazon.se EU · PL A1C3SOZRARQ6R3 sellercentral.amazon.pl EU ·
BE AMEN7PMS3EDWL sellercentral.amazon.com.be EU · IE A28R8C7NBKEWEA sellercentral.amazon.ie EU ·
TR A33AVAJ2PDY3EV sellercentral.amazon.com.tr EU · AE A2VIGQ35RCS4UG sellercentral.amazon.ae EU ·
SA A17E79C6D8DWNP sellercentral.amazon.sa EU · EG ARBP9OOSHTCHU sellercentral.amazon.eg EU ·
IN A21TJRUUN4KGV sellercentral.amazon.in EU · ZA AE08WJ6YKNBMC sellercentral.amazon.co.za EU ·
JP A1VC38T7YXB528 sellercentral.amazon.co.jp FE · AU A39IBJ37TRP1C6 sellercentral.amazon.com.au FE ·
SG A19VAU5U5O7RUS sellercentral.amazon.sg FE
"""
EVERY = pytest.mark.parametrize("row", MARKETPLACES.values(), ids=MARKETPLACES)


def test_the_table_is_the_facts_own() -> None:
    rows = [f"{row.code} {row.id} {row.host} {row.region}" for row in MARKETPLACES.values()]
    assert rows == [" ".join(fact.split()) for fact in FACTS.split("·")]


@EVERY
def test_a_marketplace_is_found_by_code_id_domain_and_each_spelling(row: Marketplace) -> None:
    shop = row.host.removeprefix("sellercentral.")
    domains = [] if "europe" in row.host else [shop, f"www.{shop}", shop.upper()]
    for text in (row.code, row.code.lower(), f" {row.code} ", row.id, row.id.lower(), *domains, *row.spellings):
        assert find_marketplace(text) is row, text


@EVERY
@pytest.mark.parametrize("locale", LOCALES)
def test_a_marketplace_is_understood_as_the_bot_itself_writes_it(row: Marketplace, locale: str) -> None:
    country = Locale.parse(LOCALES[locale]).territories[row.territory]
    for text in (country, f"{country}站", Speaker(locale).marketplace(row)):
        assert find_marketplace(text) is row, text


@EVERY
def test_a_marketplace_is_found_by_amazons_id(row: Marketplace) -> None:
    assert marketplace_by_id(row.id) is row


def test_an_id_nobody_serves_is_none() -> None:
    assert marketplace_by_id("A0NOWHERE") is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("GB", "UK"),
        ("gb", "UK"),
        ("United Kingdom", "UK"),
        ("英国站", "UK"),
        ("美国站点", "US"),
        ("美國站點", "US"),
        ("amazon.co.uk", "UK"),
        ("www.amazon.de", "DE"),
        ("Amazon US", "US"),
        ("us marketplace", "US"),
        ("ＵＳ", "US"),
        ("日本站", "JP"),
        ("義大利", "IT"),
        ("意大利", "IT"),
        ("沙烏地阿拉伯", "SA"),
        ("澳洲", "AU"),
        ("澳大利亚", "AU"),
        ("DEUTSCHLAND", "DE"),
        ("méxico", "MX"),
    ],
)
def test_people_write_marketplaces_in_many_ways(text: str, code: str) -> None:
    assert find_marketplace(text).code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [("Germny", "DE"), ("Untied States", "US"), ("Frence", "FR"), ("amazon.coo.uk", "UK"), ("Singapur", "SG")],
)
def test_a_typo_gets_a_suggestion(text: str, code: str) -> None:
    with pytest.raises(UnknownMarketplace) as caught:
        find_marketplace(text)
    assert caught.value.facts == {"given": text, "suggestion": code}


@pytest.mark.parametrize("text", ["", "   ", "the moon and the stars above", "🛒"])
def test_what_resembles_nothing_gets_the_whole_list(text: str) -> None:
    with pytest.raises(NoSuchMarketplace) as caught:
        find_marketplace(text)
    assert caught.value.facts["known"] == ", ".join(MARKETPLACES)


@given(st.text(max_size=300))
def test_any_text_is_a_marketplace_or_a_question_back(text: str) -> None:
    try:
        found = find_marketplace(text)
    except UnknownMarketplace as problem:
        given = str(problem.facts["given"])
    else:
        given = ""
        assert MARKETPLACES[found.code] is found
    assert len(given) <= 40
