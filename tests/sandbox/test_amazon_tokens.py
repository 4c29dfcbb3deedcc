"""Login with Amazon in the sandbox: codes, refresh tokens, and whose fault a refusal is."""

import pytest

from sandbox.amazon.switches import LWA_STATUSES
from tests.sandbox.amazon_case import BOT, DAY, MEI, Case


@pytest.fixture
def case() -> Case:
    return Case()


async def test_a_code_becomes_two_tokens(case: Case) -> None:
    answer = await case.exchange(await case.code())
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert body["access_token"].startswith("Atza|")
    assert body["refresh_token"].startswith("Atzr|")
    assert (body["token_type"], body["expires_in"]) == ("bearer", 3600)
    assert answer.headers["cache-control"] == "no-store"


async def test_a_code_works_once_and_the_first_grant_stays(case: Case) -> None:
    code = await case.code()
    first = (await case.exchange(code)).json()
    again = await case.exchange(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert (await case.refresh(first["refresh_token"])).status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(299, 200), (300, 400)])
async def test_a_code_lives_five_minutes(case: Case, seconds: int, status: int) -> None:
    code = await case.code()
    case.clock.passes(seconds)
    assert (await case.exchange(code)).status_code == status


async def test_a_code_belongs_to_its_client_and_its_redirect_uri(case: Case) -> None:
    code = await case.code()
    other = await case.exchange(code, app="listing", redirect_uri=f"{BOT}/amazon/orders/callback")
    elsewhere = await case.exchange(code, redirect_uri=f"{BOT}/elsewhere")
    for answer in (other, elsewhere):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert (await case.exchange(code)).status_code == 200


async def test_a_code_dies_with_its_authorization(case: Case) -> None:
    code = await case.code()
    case.world.ledger.revoke(("orders", MEI, "NA"), at=case.clock())
    assert (await case.exchange(code)).json()["error"] == "invalid_grant"


async def test_refreshing_keeps_the_refresh_token(case: Case) -> None:
    tokens = await case.tokens()
    fresh = (await case.refresh(tokens["refresh_token"])).json()
    assert fresh["refresh_token"] == tokens["refresh_token"]
    assert fresh["access_token"] != tokens["access_token"]


async def test_rotation_returns_a_new_one_and_ends_the_old(case: Case) -> None:
    tokens = await case.tokens()
    case.world.switches.set({"rotate_refresh_tokens": True})
    fresh = (await case.refresh(tokens["refresh_token"])).json()
    assert fresh["refresh_token"] != tokens["refresh_token"]
    assert (await case.refresh(tokens["refresh_token"])).status_code == 400
    assert (await case.refresh(fresh["refresh_token"])).status_code == 200


async def test_a_refresh_token_belongs_to_its_client(case: Case) -> None:
    tokens = await case.tokens()
    assert (await case.refresh(tokens["refresh_token"], app="listing")).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("days", "status"), [(364, 200), (365, 400)])
async def test_a_grant_lasts_a_year(case: Case, days: int, status: int) -> None:
    tokens = await case.tokens()
    case.clock.passes(days * DAY)
    assert (await case.refresh(tokens["refresh_token"])).status_code == status


async def test_a_revoked_authorization_refreshes_nothing(case: Case) -> None:
    tokens = await case.tokens()
    case.world.ledger.revoke(("orders", MEI, "NA"), at=case.clock())
    answer = await case.refresh(tokens["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("wrong", [{"client_secret": "stale"}, {"client_id": "unknown"}])
async def test_wrong_credentials_are_the_clients_fault_and_cost_no_code(case: Case, wrong: dict[str, str]) -> None:
    code = await case.code()
    answer = await case.exchange(code, **wrong)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert (await case.exchange(code)).status_code == 200


async def test_json_is_not_understood(case: Case) -> None:
    answer = await case.http.post("/amazon/lwa/auth/o2/token", json={"grant_type": "refresh_token"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_unknown_and_missing_grant_types_are_named(case: Case) -> None:
    assert (await case.token(grant_type="password")).json()["error"] == "unsupported_grant_type"
    assert (await case.token()).json()["error"] == "invalid_request"


FAULTS = {
    "invalid_client": (401, "invalid_client"),
    "unauthorized_client": (400, "unauthorized_client"),
    "html_503": (503, None),
    "json_500": (500, "server_error"),
    "throttled": (429, "slow_down"),
    "timeout": (504, None),
    "slow": (200, ""),
    "ok": (200, ""),
}


@pytest.mark.parametrize("fault", LWA_STATUSES)
async def test_the_endpoint_misbehaves_as_told(case: Case, fault: str) -> None:
    code = await case.code()
    case.world.switches.set({"lwa_status": fault, "timeout_seconds": 0, "slow_seconds": 0})
    answer = await case.exchange(code)
    status, error = FAULTS[fault]
    assert answer.status_code == status
    if error is None:
        assert answer.headers["content-type"].startswith("text/html")
    elif error:
        assert answer.json()["error"] == error


async def test_a_fault_can_be_over_after_a_number_of_requests(case: Case) -> None:
    code = await case.code()
    case.world.switches.set({"lwa_status": "html_503", "lwa_next_n": 2})
    assert [(await case.exchange(code)).status_code for _ in range(3)] == [503, 503, 200]


async def test_a_fault_can_be_one_apps_alone(case: Case) -> None:
    orders, listing = await case.code(), await case.code(app="listing")
    case.world.switches.set({"lwa_status": "unauthorized_client", "lwa_app": "listing"})
    assert (await case.exchange(orders)).status_code == 200
    assert (await case.exchange(listing, "listing")).status_code == 400


async def test_every_call_is_logged_without_its_secrets(case: Case) -> None:
    code = await case.code()
    tokens = (await case.exchange(code)).json()
    await case.exchange(code)
    calls = case.world.calls_of("lwa.authorization_code")
    assert [(call.status, call.app) for call in calls] == [(200, "orders"), (400, "orders")]
    assert calls[0].selling_partner_id == MEI
    log = repr(case.world.calls)
    for secret in (code, tokens["access_token"], tokens["refresh_token"], "sandbox-orders-secret"):
        assert secret not in log
