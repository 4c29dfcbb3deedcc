"""Manage Your Apps, the Appstore, and the way through the developer's login URI."""

import pytest

from sandbox.amazon.browser import SellerBrowser
from tests.sandbox.amazon_case import BOT, CALLBACK, DAY, LIN, MEI, SELLER_CENTRAL, Case, params

MANAGE = f"{SELLER_CENTRAL}/apps/manage"
CONFIRM = f"{SELLER_CENTRAL}/apps/authorize/confirm/amzn1.sp.solution.sandbox-orders"


@pytest.fixture
def case() -> Case:
    return Case()


async def granted(case: Case, account: str = MEI, place: str = "") -> SellerBrowser:
    browser, _ = await case.consent_page(account, place)
    await browser.consents()
    await browser.opens(MANAGE)
    return browser


async def test_manage_your_apps_asks_for_a_sign_in_and_comes_back(case: Case) -> None:
    browser = case.browser()
    await browser.opens(MANAGE)
    page = await browser.signs_in(MEI)
    assert page.url == MANAGE
    assert "No applications have been authorized" in page.text


async def test_a_grant_is_listed_with_its_developer_and_both_dates(case: Case) -> None:
    page = (await granted(case)).page
    assert "SHENZHEN MINXING TECHNOLOGY CO.,LTD" in page.text
    assert "Application: Ushops" in page.text
    assert "Date granted September 21, 2026" in page.text
    assert "Ends September 21, 2027" in page.text
    assert "Active" in page.text


async def test_each_region_lists_its_own(case: Case) -> None:
    browser = await granted(case, MEI, "DE")
    assert "Ushops" in browser.page.text
    page = await browser.presses("Change marketplace", {"marketplace": "JP"})
    assert "Ushops" not in page.text


async def test_renewing_goes_through_the_login_uri_and_moves_the_year(case: Case) -> None:
    browser = await granted(case)
    case.clock.passes(300 * DAY)
    page = await browser.presses("Re-authorize")
    login, callback = case.developer.visits[-2:]
    assert str(login).startswith(f"{BOT}/amazon/orders/login?")
    sent = dict(login.params)
    assert sent["amazon_callback_uri"] == CONFIRM
    assert sent["selling_partner_id"] == MEI
    assert sent["amazon_state"]
    assert "version" not in sent
    assert str(callback).startswith(f"{CALLBACK}?")
    came = params(page.url)
    assert (came["state"], came["selling_partner_id"]) == ("our-own-state", MEI)
    assert (await case.exchange(came["spapi_oauth_code"])).status_code == 200
    (row,) = case.world.authorizations()
    assert row["ends_at"] == case.clock() + 365 * DAY


async def test_renewing_keeps_the_old_refresh_token_alive(case: Case) -> None:
    browser, _ = await case.consent_page()
    code = params((await browser.consents()).url)["spapi_oauth_code"]
    refresh_token = (await case.exchange(code)).json()["refresh_token"]
    case.clock.passes(364 * DAY)
    await browser.opens(MANAGE)
    await browser.presses("Re-authorize Ushops")
    case.clock.passes(30 * DAY)
    assert (await case.refresh(refresh_token)).status_code == 200


async def test_the_callback_uri_may_come_without_a_host(case: Case) -> None:
    case.world.switches.set({"relative_callback_uri": True})
    browser = await granted(case)
    page = await browser.presses("Re-authorize")
    assert case.developer.visits[-2].params["amazon_callback_uri"].startswith("/apps/authorize/confirm/")
    assert page.title == "Thanks"


async def test_disabling_is_revoking(case: Case) -> None:
    browser, _ = await case.consent_page()
    code = params((await browser.consents()).url)["spapi_oauth_code"]
    tokens = (await case.exchange(code)).json()
    await browser.opens(MANAGE)
    page = await browser.presses("Disable")
    assert "no longer has access" in page.text
    assert "Disabled" in page.text
    answer = await case.refresh(tokens["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    again = await case.probe("/sellers/v1/marketplaceParticipations", tokens["access_token"])
    assert again.status_code == 200


async def test_authorizing_after_disabling_leaves_the_old_token_dead(case: Case) -> None:
    tokens = await case.tokens()
    case.world.ledger.revoke(("orders", MEI, "NA"), at=case.clock())
    fresh = await case.tokens()
    assert (await case.refresh(tokens["refresh_token"])).status_code == 400
    assert (await case.refresh(fresh["refresh_token"])).status_code == 200


async def test_the_appstore_authorizes_through_the_login_uri(case: Case) -> None:
    browser = case.browser()
    await browser.opens(f"{SELLER_CENTRAL}/apps/store")
    await browser.presses("Feikan")
    page = await browser.presses("Authorize")
    assert "Sign in" in page.title
    page = await browser.signs_in(LIN, "JP")
    assert "Feikan" in page.text
    assert (await browser.presses("Authorize")).status == 400
    page = await browser.presses("Authorize", {"agree": True})
    assert page.url.startswith(f"{BOT}/amazon/listing/callback?")
    assert params(page.url)["selling_partner_id"] == LIN
    (row,) = case.world.authorizations()
    assert (row["application"], row["region"]) == ("listing", "JP")


async def test_a_draft_tells_its_login_uri_and_wants_to_hear_it_back(case: Case) -> None:
    browser = await granted(case)
    case.world.change_app("orders", draft=True)
    page = await browser.presses("Re-authorize")
    assert case.developer.visits[-1].params["version"] == "beta"
    assert "MD1000" in page.text
    case.developer.version = "beta"
    await browser.opens(MANAGE)
    assert (await browser.presses("Re-authorize")).title == "Thanks"


async def test_an_unlisted_app_has_no_page_in_the_appstore(case: Case) -> None:
    case.world.change_app("orders", listed=False)
    page = await case.browser().opens(f"{SELLER_CENTRAL}/apps/store/orders")
    assert "SPSA0404" in page.text


async def test_confirm_believes_only_a_state_of_its_own_for_this_browser(case: Case) -> None:
    browser = await granted(case)
    await browser.presses("Re-authorize")
    used = str(case.developer.visits[-2].params["amazon_state"])
    query = f"state=s&redirect_uri={CALLBACK}&amazon_state="
    assert "MD9999" in (await browser.opens(f"{CONFIRM}?{query}{used}")).text
    assert "MD9999" in (await browser.opens(f"{CONFIRM}?{query}made-up")).text
    assert "MD9999" in (await browser.opens(f"{CONFIRM}?{query}")).text


@pytest.mark.parametrize(
    ("code", "query"),
    [
        ("MD5101", "state=s&redirect_uri=https://evil.test/"),
        ("MD9999", f"redirect_uri={CALLBACK}"),
        ("MD9999", "state=s"),
    ],
)
async def test_confirm_checks_the_developers_answer(case: Case, code: str, query: str) -> None:
    browser = await granted(case)
    assert code in (await browser.opens(f"{CONFIRM}?{query}")).text


async def test_the_login_must_be_done_within_ten_minutes(case: Case) -> None:
    browser = await granted(case)
    case.developer.takes = lambda: case.clock.passes(601)
    page = await browser.presses("Re-authorize")
    assert page.url.startswith(CONFIRM)
    assert "MD9999" in page.text


async def test_a_secondary_user_manages_nothing(case: Case) -> None:
    browser = case.browser()
    await browser.opens(MANAGE)
    assert "SPDC8143" in (await browser.signs_in("mei-assistant")).text


async def test_signing_out_forgets_who_it_was(case: Case) -> None:
    browser = await granted(case)
    await browser.presses("Sign out")
    assert "Sign in" in (await browser.opens(MANAGE)).title
