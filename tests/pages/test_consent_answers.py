"""`/amazon/{feature}/…`: what Amazon's redirects bring, and what a browser is shown of it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from bot.domain.consent import Outcome
from bot.domain.features import FeatureKey
from bot.domain.grants import GrantState
from sandbox.amazon.browser import Page
from tests.pages.site import ALEX, BOT, MEI, SELLER_CENTRAL, Site, press

MANAGE = f"{SELLER_CENTRAL}/apps/manage"
ORDERS_CONFIRM = f"{SELLER_CENTRAL}/apps/authorize/confirm/amzn1.sp.solution.sandbox-orders"


def callback_in(page: Page) -> str:
    return next(url for url in page.chain if "/callback?" in url)


# --- the callback


async def test_reloading_the_callback_exchanges_nothing_twice(site: Site) -> None:
    browser, page = await site.consent(await site.store())
    await site.told()
    again = await browser.opens(callback_in(page))
    assert again.url == page.url
    assert "Authorization complete" in again.text
    assert len(site.amazon.calls_of("lwa.authorization_code")) == 1
    assert await site.told() == []


async def test_another_answer_to_the_same_state_is_refused(site: Site) -> None:
    browser, page = await site.consent(await site.store())
    url = httpx.URL(callback_in(page)).copy_set_param("spapi_oauth_code", "another-code")
    again = await browser.opens(str(url))
    assert again.status == 400
    assert "already used" in again.text
    assert "another-code" not in again.html
    assert len(site.amazon.calls_of("lwa.authorization_code")) == 1


async def test_head_spends_nothing(site: Site) -> None:
    store = await site.store()
    browser = site.browser()
    await browser.opens(await site.link(store))
    page = await press(browser)
    state = httpx.URL(page.chain[1]).params["state"]
    query = urlencode({"state": state, "selling_partner_id": "A4ALEXUS00004", "spapi_oauth_code": "c"})
    async with site.http() as http:
        answer = await http.head(f"/amazon/orders/callback?{query}")
    assert answer.status_code == 200
    await browser.signs_in("alex")
    assert "Authorization complete" in (await browser.consents()).text


@pytest.mark.parametrize("query", ["", "state=", "state=made-up&selling_partner_id=A1&spapi_oauth_code=c"])
async def test_an_answer_to_no_question_of_ours_is_refused_without_details(site: Site, query: str) -> None:
    async with site.http() as http:
        answer = await http.get(f"/amazon/orders/callback?{query}")
    assert answer.status_code == 400
    assert "does not belong to any link of ours" in answer.text
    assert "made-up" not in answer.text
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_a_state_of_one_feature_does_not_count_for_the_other(site: Site) -> None:
    store = await site.store()
    browser = site.browser()
    await browser.opens(await site.link(store))
    state = httpx.URL((await press(browser)).chain[1]).params["state"]
    query = urlencode({"state": state, "selling_partner_id": "A4ALEXUS00004", "spapi_oauth_code": "c"})
    async with site.http() as http:
        assert (await http.get(f"/amazon/listing/callback?{query}")).status_code == 400
        assert (await http.get(f"/amazon/nonsense/callback?{query}")).status_code == 404
    assert (await site.grant(store)).state is GrantState.AUTHORIZING


async def test_a_browser_that_has_never_seen_us_may_answer(site: Site) -> None:
    store = await site.store()
    here, elsewhere = site.browser(), site.browser()
    await here.opens(await site.link(store))
    page = await press(here)
    await elsewhere.opens(page.chain[1])
    await elsewhere.signs_in("alex")
    page = await elsewhere.consents()
    assert "Authorization complete" in page.text
    assert "Connect Listing" not in page.text
    assert (await site.grant(store)).state is GrantState.GRANTED


async def test_a_browser_of_somebody_else_stops_the_answer(site: Site) -> None:
    mine, theirs = await site.store(ALEX), await site.store(MEI, "美羽")
    my_browser, their_browser = site.browser(), site.browser()
    await my_browser.opens(await site.link(mine, ALEX))
    lure = (await press(my_browser)).chain[1]
    await their_browser.opens(await site.link(theirs, MEI))
    await their_browser.presses("是的，跳转 Amazon 授权")
    await their_browser.opens(lure)
    await their_browser.signs_in("mei", "US")
    page = await their_browser.consents()
    assert "used by another person" in page.text
    assert (await site.grant(mine)).state is GrantState.NOT_GRANTED
    assert len(site.amazon.calls_of("lwa.authorization_code")) == 0


async def test_the_wrong_account_is_told_and_the_older_grant_stands(site: Site) -> None:
    store = await site.store()
    await site.consent(store)
    with site.switched(wrong_partner="A3LINTAIWAN03"):
        _, page = await site.consent(store)
    assert "Another Amazon store was signed in" in page.text
    assert "Your earlier authorization still stands until February 2, 2027" in page.text
    assert "Go back to the page you came from" in page.text
    assert (await site.grant(store)).state is GrantState.GRANTED


async def test_a_late_answer_is_told(site: Site) -> None:
    store = await site.store()
    browser = site.browser()
    await browser.opens(await site.link(store))
    await press(browser)
    await browser.signs_in("alex")
    site.passes(timedelta(minutes=10))
    page = await browser.consents()
    assert "The ten minutes were over" in page.text


@pytest.mark.parametrize(
    ("switches", "words"),
    [
        ({"lwa_status": "invalid_client"}, ("Something is wrong on our side", "Our turn")),
        # the code is lost: to check again a little later would be to wait for ever
        (
            {"lwa_status": "html_503"},
            ("Amazon did not answer properly at the last step", "start again with a new link"),
        ),
        (
            {"lwa_status": "throttled"},
            ("Amazon did not answer properly at the last step", "start again with a new link"),
        ),
        (
            {"spapi_participations": "html_503"},
            ("Amazon did not answer properly", "Nobody has done anything wrong"),
        ),
        ({"spapi_participations": "429"}, ("Amazon asks us to slow down", "Nobody has done anything wrong")),
    ],
)
async def test_each_trouble_with_amazon_has_its_own_words(
    site: Site, switches: dict[str, str], words: tuple[str, str]
) -> None:
    store = await site.store()
    with site.switched(**switches):
        _, page = await site.consent(store)
    for word in words:
        assert word in page.text


# --- the result


async def test_a_result_is_gone_after_an_hour(site: Site) -> None:
    browser, page = await site.consent(await site.store())
    site.passes(timedelta(minutes=61))
    gone = await browser.opens(page.url)
    assert gone.status == 404
    assert "/authstatus" in gone.text
    assert "Acme" not in gone.text


async def test_a_result_that_is_not_there_yet_reloads_itself(site: Site) -> None:
    store = await site.store()
    _, page = await site.consent(store)
    receipt = page.url.rpartition("/")[2]
    found = await site.stories.granting.result(receipt)
    assert found is not None
    assert found[0].outcome is Outcome.GRANTED
    async with site.database.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE consent_states SET outcome = NULL")
    async with site.http() as http:
        waiting = await http.get(urlsplit(page.url).path)
        assert '<meta http-equiv="refresh" content="2">' in waiting.text
        assert "Asking Amazon" in waiting.text
        site.passes(timedelta(minutes=2))
        assert "Amazon did not answer properly" in (await http.get(urlsplit(page.url).path)).text


async def test_the_next_feature_is_offered_to_the_browser_that_pressed_only(site: Site) -> None:
    browser, page = await site.consent(await site.store())
    assert "Connect Listing" in page.text
    path = urlsplit(page.url).path
    async with site.http() as http:
        assert "Connect Listing" not in (await http.get(path)).text
        headers = {"sec-fetch-site": "same-origin"}
        assert (await http.post(f"{path}/next", data={"token": "x"}, headers=headers)).status_code == 403
    assert (await browser.presses("Connect Listing and stock sync too")).url.startswith(f"{BOT}/connect/")


# --- from Amazon's side


@pytest.mark.parametrize("relative", [False, True])
async def test_renewing_from_seller_central_end_to_end(site: Site, *, relative: bool) -> None:
    store = await site.store()
    browser, _ = await site.consent(store)
    before = await site.grant(store)
    await site.told()
    site.passes(timedelta(days=300))
    with site.switched(relative_callback_uri=relative):
        await browser.opens(MANAGE)
        page = await browser.presses("Re-authorize Ushops")
    assert "Authorization complete" in page.text
    after = await site.grant(store)
    assert before.ends_at is not None
    assert after.ends_at == before.ends_at + timedelta(days=300)
    assert [(told.kind, told.recipient) for told in await site.told()] == [("consent_result", ALEX.user_id)]
    (arrived,) = await site.audited("link.arrived")
    assert (arrived.actor, arrived.on_behalf_of) == ("seller_central", ALEX.user_id)
    accepted = await site.audited("grant.accepted")
    assert [(one.actor, one.on_behalf_of) for one in accepted] == [
        (ALEX.user_id, None),
        ("seller_central", ALEX.user_id),
    ]


async def test_a_browser_that_has_never_seen_us_renews_its_own_account(site: Site) -> None:
    store = await site.store()
    await site.consent(store)
    await site.told()
    site.passes(timedelta(days=300))
    elsewhere = site.browser()
    await elsewhere.signs_in("alex")
    await elsewhere.opens(MANAGE)
    assert "Authorization complete" in (await elsewhere.presses("Re-authorize Ushops")).text
    assert [told.kind for told in await site.told()] == ["consent_result"]


async def test_a_draft_is_confirmed_as_a_draft(site: Site) -> None:
    store = await site.store()
    await site.consent(store)
    answer = await _login(site, amazon_callback_uri=ORDERS_CONFIRM)
    sent = httpx.URL(answer.headers["location"])
    assert answer.status_code == 303
    assert str(sent).startswith(ORDERS_CONFIRM)
    assert sent.params["amazon_state"] == "from-amazon"
    assert sent.params["redirect_uri"] == f"{BOT}/amazon/orders/callback"
    assert sent.params["state"]


async def test_the_appstore_connects_the_other_feature_of_a_known_seller(site: Site) -> None:
    store = await site.store()
    browser, _ = await site.consent(store)
    await browser.opens(f"{SELLER_CENTRAL}/apps/store/listing")
    page = await browser.presses("Authorize", {"agree": True})
    assert "Authorization complete" in page.text
    assert (await site.grant(store, feature=FeatureKey.LISTING)).state is GrantState.GRANTED


async def test_of_several_stores_the_one_that_is_granted_is_meant(site: Site) -> None:
    canada = await site.store(label="Acme CA", marketplace="CA")
    japan = await site.store(MEI, "美羽 JP", "JP")
    united_states = await site.store(label="Acme US")
    await site.consent(united_states)
    browser = site.browser()
    await browser.opens(f"{await site.link(japan, MEI)}?lang=en")
    await press(browser)
    await browser.signs_in("mei", "JP")
    await browser.consents()
    await _login(site)
    assert (await site.grant(canada)).state is GrantState.NOT_GRANTED
    assert (await site.grant(japan, MEI)).state is GrantState.GRANTED
    (arrived,) = await site.audited("link.arrived")
    assert arrived.subject == united_states.id


async def test_a_visit_counts_for_the_link_that_is_waiting_already(site: Site) -> None:
    store = await site.store()
    await site.consent(store)
    secret = await site.secret(store)
    browser = site.browser()
    await browser.opens(f"{BOT}/connect/{secret}")
    await press(browser)
    for _ in range(2):
        assert (await _login(site)).status_code == 303
    async with site.http() as http:
        assert (await http.get(f"/connect/{secret}")).status_code == 200
    assert (await site.grant(store)).state is GrantState.GRANTED


async def test_a_seller_we_do_not_know_finishes_in_slack(site: Site) -> None:
    browser = site.browser(accept_language="zh-CN")
    await browser.signs_in("lin")
    await browser.opens(f"{SELLER_CENTRAL}/apps/store/orders")
    page = await browser.presses("Authorize", {"agree": True})
    assert page.status == 200
    assert "/store add" in page.text
    assert "/grant orders" in page.text
    assert "A3LINTAIWAN03" not in page.html
    assert await site.states_minted() == 0


async def test_a_disabled_store_is_not_recognised(site: Site) -> None:
    store = await site.store()
    await site.consent(store)
    await site.stories.stores.disable(ALEX, store.id)
    answer = await _login(site)
    assert answer.status_code == 200
    assert "Acme" not in answer.text


@pytest.mark.parametrize(
    "callback_uri",
    [
        "",
        "https://evil.test/apps/authorize/confirm/amzn1.sp.solution.sandbox-orders",
        f"{SELLER_CENTRAL}/apps/authorize/confirm/amzn1.sp.solution.sandbox-listing",
        f"{ORDERS_CONFIRM}/../../elsewhere",
        "//evil.test/apps/authorize/confirm/amzn1.sp.solution.sandbox-orders",
        "javascript:alert(1)",
    ],
)
async def test_no_address_but_amazons_own_is_gone_to(site: Site, callback_uri: str) -> None:
    await site.consent(await site.store())
    minted = await site.states_minted()
    answer = await _login(site, amazon_callback_uri=callback_uri)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "does not come from Amazon" in answer.text
    assert await site.states_minted() == minted


async def test_a_visit_without_amazons_state_or_by_head_does_nothing(site: Site) -> None:
    await site.consent(await site.store())
    minted = await site.states_minted()
    assert (await _login(site, amazon_state="")).status_code == 400
    async with site.http() as http:
        assert (await http.head(f"/amazon/orders/login?amazon_callback_uri={ORDERS_CONFIRM}")).status_code == 200
        assert (await http.get("/amazon/nonsense/login")).status_code == 404
    assert await site.states_minted() == minted


async def _login(site: Site, **changes: str) -> httpx.Response:
    query = {
        "amazon_callback_uri": ORDERS_CONFIRM,
        "amazon_state": "from-amazon",
        "selling_partner_id": "A4ALEXUS00004",
        **changes,
    }
    async with site.http() as http:
        return await http.get("/amazon/orders/login", params=query)
