"""Error codes from Amazon's pages: found in whatever people paste, in three languages, with the right one to act."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.error_codes import ERROR_CODES, recognise
from bot.domain.verification import Turn

#: DOMAIN §5: each code, whose turn it is, and whether trying again comes first
FACTS: dict[str, tuple[Turn, bool]] = {
    "MD1000": (Turn.US, False),
    "MD5101": (Turn.US, False),
    "MD5110": (Turn.US, False),
    "MD5100": (Turn.US, False),
    "MD9100": (Turn.US, False),
    "MD9010": (Turn.US, False),
    "MD9999": (Turn.US, True),
    "MD5200": (Turn.NOBODY, True),
    "SPDC8143": (Turn.SELLER, False),
    "PRIMARY_USER": (Turn.SELLER, False),
    "CONSENT_LIMIT_REACHED": (Turn.US, False),
    "SPSA0404": (Turn.US, False),
    "SPSA2043": (Turn.US, False),
}
PASTES = {
    "en": "We're sorry!\nAn error occurred when we tried to process your request.\n({code})\nReturn to Seller Central",
    "zh-CN": "抱歉，授权时出现错误{code}，请返回卖家平台后重试。错误时间：2026年2月2日",
    "zh-TW": "很抱歉，授權時發生錯誤「{code}」請返回賣家平台。",
    "bare": "{code}",
    "url": "https://sellercentral.amazon.com/error?code={code}&language=zh_CN",
}


def test_the_table_is_the_facts_own() -> None:
    assert {code: (row.turn, row.retry_first) for code, row in ERROR_CODES.items()} == FACTS


@pytest.mark.parametrize("paste", PASTES.values(), ids=PASTES)
@pytest.mark.parametrize("code", FACTS)
def test_a_code_is_found_in_a_pasted_page(code: str, paste: str) -> None:
    for written in (code, code.lower()):
        found = recognise(paste.format(code=written))
        assert found is not None
        assert found.known is ERROR_CODES[code]


@pytest.mark.parametrize(
    "written", ["MD 5101", "md-5101", "MD:5101", "MD_5101", "ＭＤ５１０１", "错误MD 5101请重试", "Error MD#5101."]
)
def test_a_code_is_found_however_it_is_spaced(written: str) -> None:
    found = recognise(written)
    assert found is not None
    assert found.known is ERROR_CODES["MD5101"]


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ("You must be the Primary User of a Professional selling account to authorize.", "PRIMARY_USER"),
        ("You must be the primary\n  user of a  Professional selling account", "PRIMARY_USER"),
        ("您必须是专业销售账户的主要用户才能授权。", "PRIMARY_USER"),
        ("您没有权限执行此操作，请联系主账户用户。", "SPDC8143"),
        ("您沒有權限執行此操作", "SPDC8143"),
        ("Sorry, you don't have permission to access this page", "SPDC8143"),
        ("This application has reached its consent limit.", "CONSENT_LIMIT_REACHED"),
    ],
)
def test_pages_without_a_code_are_known_by_their_words(page: str, code: str) -> None:
    found = recognise(page)
    assert found is not None
    assert found.known is ERROR_CODES[code]


@pytest.mark.parametrize("written", ["MD7777", "页面显示MD7777怎么办", "錯誤代碼：spdc 0001。", "SPSA-1234"])
def test_a_code_of_amazons_shape_that_nobody_knows_is_repeated(written: str) -> None:
    found = recognise(written)
    assert found is not None
    assert found.known is None
    assert found.written in ("MD7777", "SPDC0001", "SPSA1234")


@pytest.mark.parametrize(
    "text", ["", "   ", "it does not work", "AMD5101", "MD51012", "MD510", "我看到了错误", "order 5101"]
)
def test_nothing_is_read_into_other_words(text: str) -> None:
    assert recognise(text) is None


@given(st.text(max_size=500))
def test_any_text_can_be_looked_at(text: str) -> None:
    found = recognise(text)
    assert found is None or found.known is None or found.known is ERROR_CODES[found.known.code]
