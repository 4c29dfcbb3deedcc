"""What is sent to Amazon, and each of its answers as DOMAIN §5 lists them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.amazon.requests import (
    AMAZON_HOSTS,
    Application,
    CodeGrant,
    RefreshGrant,
    confirm_url,
    consent_url,
    probe_request,
    read_participations,
    read_probe,
    read_token,
    spapi_base,
    token_form,
)
from bot.domain.features import Probe
from bot.domain.marketplaces import MARKETPLACES
from bot.domain.verification import Reason, Refused
from bot.ports import Participation, Tokens

APP_ID = "amzn1.sp.solution.1111-2222"
APP = Application(APP_ID, "client-1", "s3cret", "https://desk.example.com/amazon/orders/callback")
DRAFT = Application(APP_ID, "client-1", "s3cret", "https://desk.example.com/amazon/orders/callback", draft=True)
PATH = f"/apps/authorize/confirm/{APP_ID}"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CODE, REFRESH = CodeGrant("code-1"), RefreshGrant("Atzr|old")


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


# --- the consent link


@pytest.mark.parametrize("marketplace", MARKETPLACES.values(), ids=lambda row: row.code)
def test_the_consent_link_leads_to_the_marketplaces_own_seller_central(marketplace: Any) -> None:
    parts = urlsplit(consent_url(APP, marketplace, state="st&te="))
    assert (parts.scheme, parts.netloc, parts.path) == ("https", marketplace.host, "/apps/authorize/consent")
    assert parse_qs(parts.query) == {
        "application_id": [APP_ID],
        "state": ["st&te="],
        "redirect_uri": [APP.redirect_uri],
    }


def test_a_draft_says_so() -> None:
    query = parse_qs(urlsplit(consent_url(DRAFT, MARKETPLACES["US"], state="s")).query)
    assert query["version"] == ["beta"]


def test_the_sandbox_takes_the_place_of_every_seller_central() -> None:
    url = consent_url(APP, MARKETPLACES["JP"], state="s", base="http://127.0.0.1:8900/amazon/sellercentral")
    assert url.startswith("http://127.0.0.1:8900/amazon/sellercentral/apps/authorize/consent?")


# --- the login URI


def confirmed(uri: str, *, base: str = "") -> str | None:
    return confirm_url(APP, uri, amazon_state="as", state="ours", base=base)


@pytest.mark.parametrize("host", sorted(AMAZON_HOSTS))
def test_amazons_own_confirmation_page_is_answered_with_our_state(host: str) -> None:
    url = confirmed(f"https://{host}{PATH}")
    assert url is not None
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", host, PATH)
    assert parse_qs(parts.query) == {"redirect_uri": [APP.redirect_uri], "amazon_state": ["as"], "state": ["ours"]}


def test_a_relative_address_is_taken_to_seller_central() -> None:
    url = confirmed(PATH)
    assert url is not None
    assert url.startswith(f"https://sellercentral.amazon.com{PATH}?")


def test_a_draft_confirms_as_a_draft() -> None:
    url = confirm_url(DRAFT, PATH, amazon_state="as", state="ours")
    assert url is not None
    assert "version=beta" in url


def test_with_a_replaced_seller_central_only_that_one_counts() -> None:
    base = "http://127.0.0.1:8900/amazon/sellercentral"
    assert (confirmed(f"{base}{PATH}", base=base) or "").startswith(f"{base}{PATH}?")
    assert (confirmed(PATH, base=base) or "").startswith(f"{base}{PATH}?")
    assert confirmed(f"https://sellercentral.amazon.com{PATH}", base=base) is None
    assert confirmed(f"http://127.0.0.1:8900{PATH}", base=base) is None
    assert confirmed(f"http://127.0.0.1:89000{PATH}", base=base) is None


BAD = [
    f"http://sellercentral.amazon.com{PATH}",
    f"https://evil.example{PATH}",
    f"https://sellercentral.amazon.com.evil.example{PATH}",
    f"https://evilamazon.com{PATH}",
    f"https://www.amazon.com{PATH}",
    f"https://aws.amazon.com{PATH}",
    f"https://amazon.com:443{PATH}",
    f"https://amazon.com:8443{PATH}",
    f"https://amazon.com:{PATH}",
    f"https://amazon.com@evil.example{PATH}",
    f"https://evil.example@amazon.com{PATH}",
    f"https://:@amazon.com{PATH}",
    f"https://amazon.com\\@evil.example{PATH}",
    f"https://evil.example\\.amazon.com{PATH}",
    f"https:\\\\amazon.com{PATH}",
    f"https:/amazon.com{PATH}",
    f"https:amazon.com{PATH}",
    f"https:///amazon.com{PATH}",
    f"//amazon.com{PATH}",
    f"//evil.example{PATH}",
    f"/\\evil.example{PATH}",
    f"\\{PATH}",
    f"https://amazon.com.{PATH}",
    f"https://amazon.com%2eevil.example{PATH}",
    f"https://аmazon.com{PATH}",  # a Cyrillic а
    f"https://amazon.com{PATH}/",
    f"https://amazon.com/{PATH}",
    f"https://amazon.com{PATH}x",
    f"https://amazon.com{PATH}?x=1",
    f"https://amazon.com{PATH}#x",
    f"https://amazon.com{PATH};x",
    f"https://amazon.com/apps/../apps/authorize/confirm/{APP_ID}",
    f"https://amazon.com/apps/authorize/confirm/../confirm/{APP_ID}",
    f"https://amazon.com/apps/authorize/confirm%2f{APP_ID}",
    "https://amazon.com/apps/authorize/confirm/amzn1.sp.solution.other",
    "https://amazon.com/apps/authorize/confirm/",
    "https://amazon.com/",
    f" https://amazon.com{PATH}",
    f"https://amazon.com{PATH} ",
    f"https://amazon.com{PATH}\n",
    f"https://ama\tzon.com{PATH}",
    f"https://amazon.com\x00{PATH}",
    f"javascript:alert(1)//amazon.com{PATH}",
    f"data:text/html,{PATH}",
    "https://[amazon.com/apps",
    "",
    "https://amazon.com" + PATH + "a" * 5000,
]


@pytest.mark.parametrize("uri", BAD, ids=repr)
def test_anything_else_is_not_amazons(uri: str) -> None:
    assert confirmed(uri) is None


def test_an_application_that_is_not_configured_confirms_nothing() -> None:
    nobody = Application("", "", "", "https://desk.example.com/amazon/orders/callback")
    assert confirm_url(nobody, "https://amazon.com/apps/authorize/confirm/", amazon_state="a", state="b") is None


_PIECES = st.sampled_from(
    ["https", "http", ":", "/", "//", "\\", "@", ".", "amazon.com", "sellercentral.amazon.de", "evil.example", PATH,
     "?", "#", "%2f", "%5c", "\t", "\n", " ", ":443", "..", APP_ID, "/apps/authorize/confirm/"]
)  # fmt: skip


@given(st.one_of(st.lists(_PIECES, max_size=8).map("".join), st.text(max_size=80)))
def test_whatever_comes_in_only_amazon_goes_out(uri: str) -> None:
    url = confirmed(uri)
    if url is not None:
        parts = urlsplit(url)
        assert parts.scheme == "https"
        assert parts.netloc in AMAZON_HOSTS
        assert parts.path == PATH
        assert "\\" not in url


@given(amazon_state=st.text(max_size=50), state=st.text(max_size=50))
def test_states_cannot_break_out_of_the_query(amazon_state: str, state: str) -> None:
    try:
        url = confirm_url(APP, PATH, amazon_state=amazon_state, state=state)
    except UnicodeEncodeError:
        return  # lone surrogates never come out of a query string
    assert url is not None
    query = parse_qs(urlsplit(url).query, keep_blank_values=True)
    assert query["amazon_state"] == [amazon_state]
    assert query["state"] == [state]
    assert set(query) == {"amazon_state", "state", "redirect_uri"}


# --- Login with Amazon


def test_a_code_is_sent_with_the_redirect_uri_it_was_made_for() -> None:
    assert token_form(APP, CODE) == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": APP.redirect_uri,
        "client_id": "client-1",
        "client_secret": "s3cret",
    }


def test_a_refresh_sends_no_redirect_uri() -> None:
    assert token_form(APP, REFRESH) == {
        "grant_type": "refresh_token",
        "refresh_token": "Atzr|old",
        "client_id": "client-1",
        "client_secret": "s3cret",
    }


def test_no_secret_is_printed() -> None:
    assert "s3cret" not in repr(APP)
    assert "code-1" not in repr(CODE)
    assert "Atzr" not in repr(REFRESH)


GOOD = {"access_token": "Atza|a", "refresh_token": "Atzr|new", "token_type": "bearer", "expires_in": 3600}


def test_tokens_come_with_the_refresh_token_to_keep() -> None:
    assert read_token(200, as_json(GOOD), CODE) == Tokens("Atza|a", "Atzr|new", timedelta(hours=1))


def test_a_refresh_that_returns_no_refresh_token_keeps_the_old_one() -> None:
    answer = read_token(200, as_json({"access_token": "Atza|a", "expires_in": 60}), REFRESH)
    assert answer == Tokens("Atza|a", "Atzr|old", timedelta(minutes=1))


@pytest.mark.parametrize("expires_in", [None, "soon", -1, 0, True, 1e9, 10**12, []])
def test_an_odd_lifetime_is_an_hour(expires_in: object) -> None:
    answer = read_token(200, as_json(GOOD | {"expires_in": expires_in}), CODE)
    assert isinstance(answer, Tokens)
    assert answer.lifetime == timedelta(hours=1)


def error(word: str) -> bytes:
    return as_json({"error": word, "error_description": "…"})


HTML = b"<!doctype html><title>Service Unavailable</title>"


@pytest.mark.parametrize(
    ("status", "body", "on_code", "on_refresh"),
    [
        (400, error("invalid_grant"), Reason.CODE_REJECTED, Reason.REVOKED),
        (401, error("invalid_grant"), Reason.CODE_REJECTED, Reason.REVOKED),
        (401, error("invalid_client"), Reason.OUR_CREDENTIALS, Reason.OUR_CREDENTIALS),
        (400, error("invalid_client"), Reason.OUR_CREDENTIALS, Reason.OUR_CREDENTIALS),
        (400, error("unauthorized_client"), Reason.OUR_CREDENTIALS, Reason.OUR_CREDENTIALS),
        (400, error("invalid_request"), Reason.OUR_CREDENTIALS, Reason.OUR_CREDENTIALS),
        (400, error("unsupported_grant_type"), Reason.OUR_CREDENTIALS, Reason.OUR_CREDENTIALS),
        (429, error("slow_down"), Reason.THROTTLED, Reason.THROTTLED),
        (429, HTML, Reason.THROTTLED, Reason.THROTTLED),
        (500, error("server_error"), Reason.AMAZON_UNAVAILABLE, Reason.AMAZON_UNAVAILABLE),
        (503, error("invalid_grant"), Reason.AMAZON_UNAVAILABLE, Reason.AMAZON_UNAVAILABLE),
        (503, HTML, Reason.AMAZON_UNAVAILABLE, Reason.AMAZON_UNAVAILABLE),
        (200, HTML, Reason.AMAZON_UNAVAILABLE, Reason.AMAZON_UNAVAILABLE),
        (200, b"", Reason.AMAZON_UNAVAILABLE, Reason.AMAZON_UNAVAILABLE),
        (200, b"[]", Reason.AMAZON_UNAVAILABLE, Reason.AMAZON_UNAVAILABLE),
        (200, b"{}", Reason.AMAZON_UNAVAILABLE, Reason.AMAZON_UNAVAILABLE),
        (200, as_json({"access_token": 7, "refresh_token": "x"}), Reason.AMAZON_UNAVAILABLE, Reason.AMAZON_UNAVAILABLE),
        (400, HTML, Reason.AMAZON_UNAVAILABLE, Reason.AMAZON_UNAVAILABLE),
        (403, HTML, Reason.AMAZON_UNAVAILABLE, Reason.AMAZON_UNAVAILABLE),
        (400, error("something_new"), Reason.AMAZON_UNAVAILABLE, Reason.AMAZON_UNAVAILABLE),
        (400, as_json({"error": ["invalid_grant"]}), Reason.AMAZON_UNAVAILABLE, Reason.AMAZON_UNAVAILABLE),
        (302, b"", Reason.AMAZON_UNAVAILABLE, Reason.AMAZON_UNAVAILABLE),
        (400, b"[" * 100_000, Reason.AMAZON_UNAVAILABLE, Reason.AMAZON_UNAVAILABLE),
    ],
)
def test_each_refusal_of_a_token_has_its_reason(status: int, body: bytes, on_code: Reason, on_refresh: Reason) -> None:
    assert read_token(status, body, CODE) == Refused(on_code)
    assert read_token(status, body, REFRESH) == Refused(on_refresh)


@given(status=st.integers(100, 599), body=st.binary(max_size=200))
def test_only_invalid_grant_ever_revokes(status: int, body: bytes) -> None:
    answer = read_token(status, body, REFRESH)
    assert isinstance(answer, Refused)
    assert answer.reason is not Reason.REVOKED


# --- the Selling Partner API


def denied(details: str | None) -> bytes:
    row = {"code": "Unauthorized", "message": "Access to requested resource is denied."}
    return as_json({"errors": [row if details is None else row | {"details": details}]})


PROBE_ANSWERS = [
    (200, b"{}", None),
    (200, as_json({"orders": []}), None),
    (403, denied(""), Reason.PERMISSION_PROBLEM),
    (403, denied(None), Reason.PERMISSION_PROBLEM),
    (403, denied("The application is not authorized for this role."), Reason.PERMISSION_PROBLEM),
    (403, as_json({}), Reason.PERMISSION_PROBLEM),
    (403, as_json({"errors": "odd"}), Reason.PERMISSION_PROBLEM),
    (401, denied(""), Reason.PERMISSION_PROBLEM),
    (403, denied("The access token you provided has expired."), Reason.AMAZON_UNAVAILABLE),
    (403, denied("The access token you provided is revoked, malformed or invalid."), Reason.AMAZON_UNAVAILABLE),
    (403, denied("Access token is missing in the request header."), Reason.AMAZON_UNAVAILABLE),
    (403, denied("The client secret of the application has expired."), Reason.OUR_CREDENTIALS),
    (403, HTML, Reason.AMAZON_UNAVAILABLE),
    (429, denied(""), Reason.THROTTLED),
    (429, HTML, Reason.THROTTLED),
    (500, denied(""), Reason.AMAZON_UNAVAILABLE),
    (503, HTML, Reason.AMAZON_UNAVAILABLE),
    (200, HTML, Reason.AMAZON_UNAVAILABLE),
    (400, as_json({"errors": [{"code": "InvalidInput"}]}), Reason.AMAZON_UNAVAILABLE),
    (404, as_json({"errors": []}), Reason.AMAZON_UNAVAILABLE),
    (307, b"", Reason.AMAZON_UNAVAILABLE),
]


@pytest.mark.parametrize(("status", "body", "reason"), PROBE_ANSWERS)
def test_each_answer_to_a_probe_has_its_reason(status: int, body: bytes, reason: Reason | None) -> None:
    assert read_probe(status, body) == (Refused(reason) if reason else None)


@given(status=st.integers(100, 599), body=st.one_of(st.binary(max_size=200), st.text(max_size=80).map(denied)))
def test_no_probe_ever_revokes(status: int, body: bytes) -> None:
    refused = read_probe(status, body)
    assert refused is None or refused.reason is not Reason.REVOKED


def row(marketplace: str, *, participates: bool = True, suspended: bool = False) -> dict[str, Any]:
    return {
        "marketplace": {"id": marketplace},
        "participation": {"isParticipating": participates, "hasSuspendedListings": suspended},
        "storeName": "Acme",
    }


def test_participations_are_read_row_by_row() -> None:
    body = as_json({"payload": [row("A1"), row("A2", participates=False), row("A3", suspended=True), {"odd": 1}, 7]})
    assert read_participations(200, body) == (
        Participation("A1", participating=True, store_name="Acme"),
        Participation("A2", participating=False, store_name="Acme"),
        Participation("A3", participating=True, suspended_listings=True, store_name="Acme"),
    )


def test_an_application_without_the_role_does_not_know() -> None:
    assert read_participations(403, denied("")) == ()


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (403, denied("The client secret of the application has expired."), Reason.OUR_CREDENTIALS),
        (403, denied("The access token you provided has expired."), Reason.AMAZON_UNAVAILABLE),
        (429, b"", Reason.THROTTLED),
        (503, HTML, Reason.AMAZON_UNAVAILABLE),
        (200, HTML, Reason.AMAZON_UNAVAILABLE),
        (200, b"{}", Reason.AMAZON_UNAVAILABLE),
        (200, as_json({"payload": {}}), Reason.AMAZON_UNAVAILABLE),
    ],
)
def test_other_refusals_of_participations_count(status: int, body: bytes, reason: Reason) -> None:
    assert read_participations(status, body) == Refused(reason)


def test_the_listing_probe_asks_for_one_item() -> None:
    request = probe_request(Probe.LISTINGS, MARKETPLACES["DE"], selling_partner_id="A2SELLER", now=NOON)
    assert request == (
        "/listings/2021-08-01/items/A2SELLER",
        {"marketplaceIds": "A1PA6795UKMFR9", "pageSize": "1"},
    )


@pytest.mark.parametrize("partner", ["", "..", "a/b", "A1?x=1", "A1#", "A 1", "Ａ1", "A" * 65])
def test_what_is_no_selling_partner_never_reaches_a_path(partner: str) -> None:
    assert probe_request(Probe.LISTINGS, MARKETPLACES["DE"], selling_partner_id=partner, now=NOON) is None


def test_the_orders_probe_asks_for_one_order_of_the_last_day() -> None:
    request = probe_request(Probe.ORDERS, MARKETPLACES["US"], selling_partner_id="A1", now=NOON)
    assert request == (
        "/orders/2026-01-01/orders",
        {"createdAfter": "2026-03-01T12:00:00Z", "marketplaceIds": "ATVPDKIKX0DER", "maxResultsPerPage": "1"},
    )


@pytest.mark.parametrize(("code", "host"), [("US", "na"), ("BR", "na"), ("ZA", "eu"), ("JP", "fe"), ("SG", "fe")])
def test_each_region_has_its_endpoint(code: str, host: str) -> None:
    assert spapi_base(MARKETPLACES[code]) == f"https://sellingpartnerapi-{host}.amazon.com"
    assert spapi_base(MARKETPLACES[code], "http://127.0.0.1:1") == "http://127.0.0.1:1"
