"""The consent page of the sandbox's Amazon: who may, what comes back, and what never does."""

import pytest

from sandbox.amazon.errors import ERROR_PAGES
from tests.sandbox.amazon_case import AMAZON, CALLBACK, LIN, MEI, SELLER_CENTRAL, Case, params


@pytest.fixture
def case() -> Case:
    return Case()


async def test_a_link_leads_through_sign_in_to_consent_and_back_with_a_code(case: Case) -> None:
    browser = case.browser()
    page = await browser.opens(case.link())
    assert "Sign in" in page.title
    page = await browser.signs_in(MEI)
    assert "SHENZHEN MINXING" in page.text
    assert "Mei Acme" in page.text
    page = await browser.consents()
    assert page.url.startswith(f"{CALLBACK}?")
    came = params(page.url)
    assert came["state"] == "state-1"
    assert came["selling_partner_id"] == MEI
    assert came["spapi_oauth_code"]
    assert came["mws_auth_token"]


async def test_cancelling_calls_nobody_back(case: Case) -> None:
    browser, _ = await case.consent_page()
    page = await browser.cancels()
    assert "cancelled" in page.text
    assert case.developer.visits == []
    assert list(case.world.authorizations()) == []


async def test_the_box_must_be_ticked(case: Case) -> None:
    browser, _ = await case.consent_page()
    page = await browser.presses("Confirm")
    assert page.status == 400
    assert "Tick the box" in page.text
    assert case.developer.visits == []
    assert (await browser.consents()).title == "Thanks"


async def test_the_signed_in_account_decides_and_not_the_link(case: Case) -> None:
    browser, _ = await case.consent_page(MEI)
    await browser.presses("switch account")
    page = await browser.signs_in(LIN)
    assert "Lin Taiwan" in page.text
    page = await browser.consents()
    assert params(page.url)["selling_partner_id"] == LIN


async def test_two_browsers_are_two_people(case: Case) -> None:
    mei, _ = await case.consent_page(MEI)
    lin, _ = await case.consent_page(LIN)
    assert params((await mei.consents()).url)["selling_partner_id"] == MEI
    assert params((await lin.consents()).url)["selling_partner_id"] == LIN


async def test_a_redirect_uri_keeps_its_own_query(case: Case) -> None:
    case.world.change_app("orders", redirect_uris=(f"{CALLBACK}?v=2",))
    browser, _ = await case.consent_page(redirect_uri=f"{CALLBACK}?v=2")
    came = params((await browser.consents()).url)
    assert came["v"] == "2"
    assert came["state"] == "state-1"


WRONG_LINKS = {
    "no application": ("MD9999", {"application_id": ""}),
    "no state": ("MD9999", {"state": ""}),
    "no redirect uri": ("MD9999", {"redirect_uri": ""}),
    "a client id instead of an application id": (
        "MD1000",
        {"application_id": "amzn1.application-oa2-client.sandbox-orders"},
    ),
    "our own key instead of an application id": ("MD1000", {"application_id": "orders"}),
    "another redirect uri": ("MD5101", {"redirect_uri": "https://evil.test/"}),
    "a redirect uri that only begins alike": ("MD5101", {"redirect_uri": f"{CALLBACK}/more"}),
    "a fragment in the redirect uri": ("MD5110", {"redirect_uri": f"{CALLBACK}#top"}),
}


@pytest.mark.parametrize(("code", "changes"), WRONG_LINKS.values(), ids=WRONG_LINKS)
async def test_a_wrong_link_ends_on_an_error_page(case: Case, code: str, changes: dict[str, str]) -> None:
    _, page = await case.consent_page(**changes)
    assert f"Error code: {code}" in page.text
    assert not any("Confirm" in button.label for form in page.forms for button in form.buttons)
    assert case.developer.visits == []


async def test_a_draft_opens_only_with_version_beta(case: Case) -> None:
    case.world.change_app("orders", draft=True)
    browser, page = await case.consent_page()
    assert "MD1000" in page.text
    page = await browser.opens(case.link(version="beta"))
    assert "draft" in page.text
    assert (await browser.consents()).title == "Thanks"


@pytest.mark.parametrize(
    ("code", "registration"),
    [("MD5100", {"login_uri": ""}), ("MD9100", {"redirect_uris": ()}), ("SPSA0404", {"enabled": False})],
)
async def test_a_half_registered_app_cannot_be_authorized(
    case: Case, code: str, registration: dict[str, object]
) -> None:
    case.world.change_app("orders", **registration)
    _, page = await case.consent_page()
    assert code in page.text


async def test_an_individual_plan_is_told_so_without_a_code(case: Case) -> None:
    _, page = await case.consent_page("A5INDIVIDUAL5")
    assert "must be the primary user of a Professional selling account" in page.text
    assert "Error code" not in page.text


async def test_a_secondary_user_without_permission_sees_spdc8143(case: Case) -> None:
    _, page = await case.consent_page("mei-assistant")
    assert "SPDC8143" in page.text


async def test_an_unlisted_app_holds_25_sellers_and_renews_those_it_has(case: Case) -> None:
    await case.tokens(LIN)
    case.world.change_app("orders", listed=False)
    case.world.fill(case.world.apps["orders"], 24)
    _, page = await case.consent_page(MEI)
    assert "CONSENT_LIMIT_REACHED" in page.text
    browser, _ = await case.consent_page(LIN)
    assert (await browser.consents()).title == "Thanks"


@pytest.mark.parametrize("code", ERROR_PAGES)
async def test_every_error_page_can_be_forced(case: Case, code: str) -> None:
    case.world.switches.set({"md_code": code})
    _, page = await case.consent_page()
    assert page.status >= 400
    assert ERROR_PAGES[code].text in page.text
    assert (f"Error code: {code}" in page.text) is ERROR_PAGES[code].shows_code


@pytest.mark.parametrize(
    ("switch", "words"),
    [
        ("individual_plan", "Professional selling account"),
        ("no_permission", "SPDC8143"),
        ("consent_limit", "CONSENT_LIMIT_REACHED"),
        ("draft", "MD1000"),
    ],
)
async def test_a_switch_refuses_anybody(case: Case, switch: str, words: str) -> None:
    case.world.switches.set({switch: True})
    _, page = await case.consent_page()
    assert words in page.text


async def test_a_refusal_that_begins_while_the_page_is_open_counts(case: Case) -> None:
    browser, _ = await case.consent_page()
    case.world.switches.set({"no_permission": True})
    assert "SPDC8143" in (await browser.consents()).text


async def test_silence_grants_and_never_comes_back(case: Case) -> None:
    case.world.switches.set({"silent": True})
    browser, _ = await case.consent_page()
    page = await browser.consents()
    assert "has access" in page.text
    assert case.developer.visits == []
    assert [row["status"] for row in case.world.authorizations()] == ["active"]


async def test_another_partner_can_be_made_to_answer(case: Case) -> None:
    case.world.switches.set({"wrong_partner": LIN})
    browser, _ = await case.consent_page(MEI)
    assert params((await browser.consents()).url)["selling_partner_id"] == LIN


async def test_changing_the_marketplace_breaks_the_consent(case: Case) -> None:
    browser, consent = await case.consent_page(MEI, "US")
    page = await browser.presses("Change marketplace", {"marketplace": "DE"})
    assert "Manage Your Apps" in page.title
    await browser.opens(case.link())
    assert "Europe" in browser.page.text
    # The tab that was open before still shows the first page.
    browser._page = consent
    assert "MD9999" in (await browser.consents()).text
    assert case.developer.visits == []


async def test_a_page_left_open_for_more_than_ten_minutes_is_no_good(case: Case) -> None:
    browser, _ = await case.consent_page()
    case.clock.passes(601)
    assert "MD9999" in (await browser.consents()).text


async def test_a_consent_page_is_answered_once(case: Case) -> None:
    browser, consent = await case.consent_page()
    await browser.consents()
    browser._page = consent
    assert (await browser.consents()).status == 403
    assert len(case.world.calls_of("sellercentral.consent")) == 1


async def test_a_form_from_elsewhere_does_nothing(case: Case) -> None:
    browser, consent = await case.consent_page()
    fields = dict(next(form for form in consent.forms if form.boxes).fields)
    answer = await case.http.post(
        "/amazon/sellercentral/apps/authorize/consent",
        data={"ticket": fields["ticket"], "csrf": "guessed", "agree": "yes", "answer": "confirm"},
    )
    assert answer.status_code == 403
    await browser.closes()
    assert list(case.world.authorizations()) == []


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.test/",
        "//evil.test/amazon/sellercentral/",
        "/amazon/sellercentral/../../x",
        "/x",
        "\\\\evil.test",
        "http://[",
    ],
)
async def test_sign_in_goes_on_only_inside_seller_central(case: Case, target: str) -> None:
    browser = case.browser()
    await browser.opens(f"{SELLER_CENTRAL}/sign-in?return_to={target}")
    page = await browser.signs_in(MEI)
    assert page.url == f"{SELLER_CENTRAL}/apps/manage"


async def test_pages_keep_addresses_and_frames_to_themselves(case: Case) -> None:
    _, page = await case.consent_page()
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "script" not in page.html
    assert "Sandbox – not Amazon" in page.text


async def test_the_style_sheet_is_served(case: Case) -> None:
    answer = await case.http.get(f"{AMAZON}/amazon/static/amazon.css")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")
