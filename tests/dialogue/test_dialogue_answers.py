"""Amazon's redirect as it should not come: late, twice, cut short, forged; told on the page and in Slack, spent once."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from bot.domain.status import PLATFORM_LABELS, StatusKind
from sandbox.amazon.browser import Page
from tests.dialogue.conversation import Seller, System
from tests.dialogue.test_dialogue_outcomes import granted, refusal, status, told

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _answers(seller: Seller, path: str = "/amazon/listing/callback", **query: str) -> Page:
    """Amazon's redirect, as a browser that has never seen us brings it."""
    async with seller.browser() as browser:
        return await browser.opens(f"{seller.system.running.bot_url}{path}?{urlencode(query)}")


async def _leaves(seller: Seller, account: str) -> str:
    """Presses the page's button for the second feature and goes no further; the state that Amazon was sent."""
    page = await seller.goes_to_amazon(await seller.card("listing", "Acme US"), account)
    (state,) = parse_qs(urlsplit(page.url).query)["state"]
    return state


def _code(system: System, account: str) -> str:
    """A code as Amazon would give one now."""
    sandbox, now = system.running.sandbox.amazon, system.running.sandbox.clock.now()
    consented = sandbox.ledger.consent("listing", account, "NA", at=now)
    return sandbox.ledger.mint_code(consented, f"{system.running.bot_url}/amazon/listing/callback", at=now)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("late", "too_late"),
        ("late code", "code_rejected"),
        ("used code", "code_rejected"),
        ("made-up code", "code_rejected"),
        ("cancelled", "cancelled"),
        ("no code", "incomplete_answer"),
    ],
)
async def test_each_bad_answer_has_its_own_words_on_the_page_and_in_slack_and_the_older_grant_stays(
    seller: Seller, system: System, how: str, reason: str
) -> None:
    account = await granted(seller, system)
    state, code = await _leaves(seller, account), _code(system, account)
    answer = {"state": state, "selling_partner_id": account, "spapi_oauth_code": code}
    match how:
        case "late":
            await system.passes(minutes=10, seconds=1)
        case "late code":
            await system.passes(minutes=5, seconds=1)
        case "used code":
            redirect = f"{system.running.bot_url}/amazon/listing/callback"
            ledger, now = system.running.sandbox.amazon.ledger, system.running.sandbox.clock.now()
            assert ledger.spend_code(code, app_key="listing", redirect_uri=redirect, at=now)
        case "made-up code":
            answer["spapi_oauth_code"] = "ANmadeup"
        case "cancelled":
            answer = {"state": state, "error": "access_denied"}
        case "no code":
            del answer["spapi_oauth_code"]
    pages: list[Page] = []

    async def comes_back() -> None:
        pages.append(await _answers(seller, **answer))

    news = await seller.notices(comes_back)
    told(seller, news, reason, "listing")
    assert refusal(seller, reason, "listing")[0] in pages[0].text
    assert state not in pages[0].html
    assert code not in pages[0].html
    assert PLATFORM_LABELS[StatusKind.ORDERS_ONLY] in await status(seller)


async def test_a_second_answer_to_a_used_state_is_refused_on_the_page_and_told_in_slack(
    seller: Seller, system: System
) -> None:
    account = await granted(seller, system)
    state = await _leaves(seller, account)
    first = _code(system, account)
    done = await _answers(seller, state=state, selling_partner_id=account, spapi_oauth_code=first)
    assert seller.say("page.granted.title") in done.text
    pages: list[Page] = []

    async def again() -> None:
        other = _code(system, account)
        pages.append(await _answers(seller, state=state, selling_partner_id=account, spapi_oauth_code=other))

    told(seller, await seller.notices(again), "state_used", "listing")
    assert pages[0].status == 400
    assert refusal(seller, "state_used", "listing")[0] in pages[0].text
    assert PLATFORM_LABELS[StatusKind.AUTHORIZED] in await status(seller)


async def test_reloading_the_result_exchanges_nothing_twice_and_tells_nobody_again(
    seller: Seller, system: System
) -> None:
    account = await system.amazon_account("US")
    await seller.has_store("Acme US")
    page, _ = await seller.consents(await seller.card("orders", "Acme US"), account)
    callback = next(url for url in page.chain if "spapi_oauth_code" in url)
    exchanges = len((await system.client.get("/control/amazon/calls", endpoint="lwa.authorization_code"))["calls"])

    async def reload() -> None:
        async with seller.browser() as browser:
            assert (await browser.opens(callback)).status == 200

    assert (await seller.notices(reload)).messages == ()
    after = len((await system.client.get("/control/amazon/calls", endpoint="lwa.authorization_code"))["calls"])
    assert after == exchanges


async def test_a_forged_state_is_refused_and_nobody_is_told(mei: Seller, system: System) -> None:
    await mei.has_store("Acme US")
    await mei.card("orders", "Acme US")

    async def forge() -> None:
        async with mei.browser() as browser:
            url = (
                f"{system.running.bot_url}/amazon/orders/callback?state=forged&selling_partner_id=A1&spapi_oauth_code=x"
            )
            page = await browser.opens(url)
            assert mei.say("reason.unknown_state.title") in page.text

    assert (await mei.notices(forge)).messages == ()
