"""The control API and the control page: how tests and people bend the sandbox's Amazon."""

import pytest

from sandbox.amazon.switches import SWITCHES
from tests.sandbox.amazon_case import AMAZON, LIN, MEI, SELLER_CENTRAL, Case, params

HOME = f"{AMAZON}/amazon/"


@pytest.fixture
def case() -> Case:
    return Case()


async def test_state_tells_everything_but_secrets(case: Case) -> None:
    tokens = await case.tokens()
    answer = await case.control("/state")
    state = answer.json()
    assert state["now"] == case.clock()
    assert [app["key"] for app in state["apps"]] == ["orders", "listing"]
    assert state["authorizations"][0]["selling_partner_id"] == MEI
    assert set(state["switches"]) == {switch.name for switch in SWITCHES}
    for secret in ("sandbox-orders-secret", tokens["access_token"], tokens["refresh_token"]):
        assert secret not in answer.text


async def test_switches_are_set_together_or_not_at_all(case: Case) -> None:
    answer = await case.control("/switches", {"silent": True, "lwa_status": "html_503"})
    assert answer.json()["switches"]["silent"] is True
    answer = await case.control("/switches", {"silent": False, "lwa_status": "on fire"})
    assert answer.status_code == 400
    assert "html_503" in answer.json()["error"]
    assert (await case.control("/state")).json()["switches"]["silent"] is True


@pytest.mark.parametrize(
    "wrong",
    [
        {"no_such": 1},
        {"silent": "maybe"},
        {"silent": 1},
        {"lwa_next_n": -1},
        {"lwa_next_n": "some"},
        {"slow_seconds": True},
        {"md_code": "MD0000"},
        {"wrong_partner": 7},
    ],
)
async def test_a_switch_that_cannot_be_is_refused_with_a_reason(case: Case, wrong: dict[str, object]) -> None:
    answer = await case.control("/switches", wrong)
    assert answer.status_code == 400
    assert next(iter(wrong)) in answer.json()["error"]


async def test_revoking_and_expiring_end_the_refresh(case: Case) -> None:
    orders, listing = await case.tokens(), await case.tokens(app="listing")
    which = {"partner": MEI, "region": "NA"}
    await case.control("/revoke", which | {"application": "orders"})
    answer = await case.control("/expire", which | {"application": "amzn1.sp.solution.sandbox-listing"})
    assert [row["status"] for row in answer.json()["authorizations"]] == ["disabled", "ended"]
    assert (await case.refresh(orders["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await case.refresh(listing["refresh_token"], "listing")).json()["error"] == "invalid_grant"
    assert (await case.control("/revoke", which | {"application": "nothing"})).status_code == 400


async def test_the_log_shows_that_a_code_was_exchanged_once(case: Case) -> None:
    await case.tokens()
    calls = (await case.control("/calls?endpoint=lwa.authorization_code")).json()["calls"]
    assert [call["status"] for call in calls] == [200]
    assert (await case.control("/calls/clear", {})).json() == {"calls": []}
    assert (await case.control("/calls")).json() == {"calls": []}


async def test_an_account_can_be_added_and_sign_in(case: Case) -> None:
    body = {"person": "Noa", "selling_partner_id": "A9NOA", "marketplaces": ["AU"], "professional": True}
    assert (await case.control("/accounts", body)).status_code == 200
    browser, _ = await case.consent_page("A9NOA")
    assert params((await browser.consents()).url)["selling_partner_id"] == "A9NOA"
    assert (await case.control("/accounts", body)).status_code == 400
    assert (await case.control("/accounts", body | {"key": "b", "marketplaces": ["XX"]})).status_code == 400
    assert (await case.control("/accounts", body | {"key": "c", "professional": "yes"})).status_code == 400


async def test_an_app_can_be_changed(case: Case) -> None:
    changes = {"draft": True, "redirect_uris": ["http://bot.test/other"], "client_secret": "renewed"}
    assert (await case.control("/apps/orders", changes)).status_code == 200
    assert case.world.apps["orders"].client_secret == "renewed"
    for app, wrong in (("orders", {"draft": "yes"}), ("orders", {"colour": "red"}), ("none", {"draft": True})):
        assert (await case.control(f"/apps/{app}", wrong)).status_code == 400


async def test_filling_brings_an_unlisted_app_to_its_limit(case: Case) -> None:
    await case.control("/apps/orders", {"listed": False})
    await case.control("/fill", {"application": "orders", "count": 25})
    _, page = await case.consent_page()
    assert "CONSENT_LIMIT_REACHED" in page.text


async def test_resetting_goes_back_to_the_first_day(case: Case) -> None:
    await case.tokens()
    await case.control("/switches", {"silent": True})
    await case.control("/apps/orders", {"draft": True})
    state = (await case.control("/reset", {})).json()
    assert state["authorizations"] == []
    assert state["switches"]["silent"] is False
    assert state["apps"][0]["draft"] is False


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"{}", "text/plain"), (b"{", "application/json"), (b"[]", "application/json")],
)
async def test_control_takes_json_objects_only(case: Case, content: bytes, kind: str) -> None:
    answer = await case.http.post("/control/amazon/reset", content=content, headers={"content-type": kind})
    assert answer.status_code == 400


async def test_the_page_shows_and_saves_every_switch(case: Case) -> None:
    browser = case.browser()
    page = await browser.opens(HOME)
    assert all(switch.name in page.text for switch in SWITCHES)
    page = await browser.presses("Save switches", {"silent": True, "lwa_status": "slow", "lwa_next_n": "3"})
    assert "Switches saved." in page.text
    assert "changed: silent lwa_status lwa_next_n" in page.text
    assert case.world.switches.all()["lwa_next_n"] == 3
    await browser.presses("Save switches", {"silent": False})
    assert case.world.switches.is_on("silent") is False


async def test_the_page_says_what_is_wrong_and_keeps_everything(case: Case) -> None:
    browser = case.browser()
    await browser.opens(HOME)
    page = await browser.presses("Save switches", {"silent": True, "timeout_seconds": "long"})
    assert page.status == 400
    assert "timeout_seconds takes a number" in page.text
    assert case.world.switches.is_on("silent") is False


async def test_the_page_unregisters_and_registers_an_app(case: Case) -> None:
    browser = case.browser()
    await browser.opens(HOME)
    await browser.presses("Save Ushops", {"login_uri": False, "sellers_role": False})
    assert case.world.apps["orders"].login_uri == ""
    assert case.world.apps["orders"].roles == {"orders"}
    await browser.presses("Save Ushops", {"login_uri": True, "sellers_role": True})
    assert case.world.apps["orders"] == case.world.first_app("orders")


async def test_the_page_ends_authorizations(case: Case) -> None:
    await case.tokens()
    await case.tokens(LIN, "JP", "listing")
    browser = case.browser()
    await browser.opens(HOME)
    await browser.presses(f"Revoke Ushops {MEI} NA")
    await browser.presses(f"Expire Feikan {LIN} JP")
    assert [row["status"] for row in case.world.authorizations()] == ["disabled", "ended"]


async def test_the_page_adds_an_account_and_resets(case: Case) -> None:
    browser = case.browser()
    await browser.opens(HOME)
    await browser.presses("Add account", {"person": "Noa", "selling_partner_id": "A9NOA", "individual": True})
    assert case.world.accounts["A9NOA"].professional is False
    page = await browser.presses("Add account", {"person": "Noa", "selling_partner_id": "A9NOA"})
    assert "already an account" in page.text
    assert "needs a name" in (await browser.presses("Add account")).text
    await browser.presses("Reset everything")
    assert "A9NOA" not in case.world.accounts


async def test_the_page_shows_who_is_signed_in(case: Case) -> None:
    browser = case.browser()
    await browser.opens(f"{SELLER_CENTRAL}/sign-in")
    await browser.signs_in(LIN, "DE")
    assert "Lin, Lin Taiwan, Germany" in (await browser.opens(HOME)).text


async def test_the_page_takes_no_form_from_elsewhere(case: Case) -> None:
    answer = await case.http.post("/amazon/", data={"what": "switches", "csrf": "guessed", "silent": "on"})
    assert answer.status_code == 403
    assert case.world.switches.is_on("silent") is False
