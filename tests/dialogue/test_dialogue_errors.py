"""*I saw an error*: codes, pasted pages and nonsense, each with what it means and whose turn it is."""

from __future__ import annotations

import pytest

from tests.dialogue.conversation import News, Seller, System
from tests.dialogue.test_dialogue_outcomes import SUPPORT

pytestmark = pytest.mark.asyncio(loop_scope="session")

_PAGE = """Sorry! We couldn't process your request.
Please try again, or contact Selling Partner Support.
Error code: {code}
Request id 7f3c1d2e-0000"""


async def _report(seller: Seller, pasted: str) -> News:
    await seller.has_store("Acme US")
    card = await seller.card("orders", "Acme US")
    form = (await seller.presses(seller.say("button.saw_error"), card)).modal
    assert form is not None
    assert form.title == seller.say("error_form.title")
    await seller.fills(error_text=pasted)
    news = await seller.submits()
    assert news.modal is not None
    assert news.modal.callback_id == "grant.error_explained"
    return news


def _meaning(seller: Seller, code: str) -> str:
    return seller.say(f"amazon_error.{code}", **seller.system.running.desk.stories.names.facts(seller.say))


async def _heard(system: System, seller: Seller) -> list[str]:
    return [one.plain() for one in await system.client.person("sam").messages(SUPPORT) if one.contains(seller.id)]


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("MD5101", "MD5101"),
        ("md 5101", "MD5101"),
        ("ＭＤ５１０１", "MD5101"),
        (_PAGE.format(code="MD9010"), "MD9010"),
        ("CONSENT_LIMIT_REACHED", "CONSENT_LIMIT_REACHED"),
    ],
)
async def test_what_is_ours_is_said_to_be_ours_and_the_desk_hears(
    seller: Seller, system: System, pasted: str, code: str
) -> None:
    read = (await _report(seller, pasted)).plain()
    assert _meaning(seller, code) in read
    assert seller.say("turn.us") in read
    assert seller.say("amazon_error.desk_told") in read
    (heard,) = await _heard(system, seller)
    assert code in heard
    assert "Acme US" in heard


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("SPDC8143", "SPDC8143"),
        ("You do not have permission to perform this action.", "SPDC8143"),
        ("抱歉，您没有权限执行此操作", "SPDC8143"),
        ("You must be the primary user of a Professional selling account.", "PRIMARY_USER"),
    ],
)
async def test_what_the_seller_can_mend_is_said_and_the_desk_is_left_alone(
    seller: Seller, system: System, pasted: str, code: str
) -> None:
    read = (await _report(seller, pasted)).plain()
    assert _meaning(seller, code) in read
    assert seller.say("turn.seller") in read
    assert await _heard(system, seller) == []


async def test_what_may_pass_by_itself_says_to_try_again(seller: Seller) -> None:
    read = (await _report(seller, "MD5200")).plain()
    assert seller.say("amazon_error.retry_first") in read


async def test_an_unknown_code_and_nonsense_are_told_apart(seller: Seller, system: System) -> None:
    read = (await _report(seller, "It said MD7777, what now?")).plain()
    assert seller.say("amazon_error.unknown", code="MD7777") in read
    await seller.person.closes(quiet=0)
    await seller.presses(seller.say("button.saw_error"))
    await seller.fills(error_text="不行 🤷 doesn't work <!channel> *x*")
    again = (await seller.submits()).plain()
    assert seller.say("amazon_error.none") in again
    assert await _heard(system, seller) == []


async def test_a_whole_page_of_three_thousand_characters_is_read_to_its_end(mei: Seller) -> None:
    read = (await _report(mei, "x " * 1490 + "MD5101")).plain()
    assert _meaning(mei, "MD5101") in read


@pytest.mark.parametrize("typed", ["MD5101", "md5101?", "MD-5101", "SPDC 8143"])
async def test_faq_explains_a_code(seller: Seller, system: System, typed: str) -> None:
    news = await seller.types(f"/faq {typed}")
    assert _meaning(seller, "SPDC8143" if "8143" in typed else "MD5101") in news.only.plain()
    assert await _heard(system, seller) == []
