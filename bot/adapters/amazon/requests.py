"""What is sent to Amazon and what its answers mean, as pure functions. No I/O here.

Sources: developer-docs.amazon.com/sp-api — "Website authorization workflow", "Selling Partner Appstore authorization workflow",
"Connect to the SP-API", and the published models of Sellers v1, Orders 2026-01-01 and Listings Items 2021-08-01.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from bot.domain.features import Probe
from bot.domain.marketplaces import MARKETPLACES, Marketplace
from bot.domain.verification import Reason, Refused
from bot.ports import Participation, Tokens

AUTHORIZE_PATH = "/apps/authorize"
#: where a relative login URI is taken to point: Amazon does not say on which of its hosts the seller was
_DEFAULT_HOST = "sellercentral.amazon.com"
#: whose pages may ask us to confirm an authorization
AMAZON_HOSTS = frozenset({row.host for row in MARKETPLACES.values()} | {"amazon.com"})

_HOUR = timedelta(hours=1)
_MOST_SECONDS = 86_400
#: an order probe asks for no more than the last day
_PROBE_WINDOW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Application:
    """One feature's Amazon application, as far as requests need it."""

    application_id: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    draft: bool = False


# --- Links -----------------------------------------------------------------------------------------------------------


def consent_url(application: Application, marketplace: Marketplace, *, state: str, base: str = "") -> str:
    """Seller Central's consent page. `base` replaces its host, for the sandbox."""
    query = {"application_id": application.application_id, "state": state, "redirect_uri": application.redirect_uri}
    if application.draft:
        query["version"] = "beta"
    return f"{base or f'https://{marketplace.host}'}{AUTHORIZE_PATH}/consent?{urlencode(query)}"


def confirm_url(
    application: Application, callback_uri: str, *, amazon_state: str, state: str, base: str = ""
) -> str | None:
    """Amazon's confirmation page with our answer, or None when `callback_uri` is anything but that page for our application.

    It arrives in a query that anybody can write, and browsers read addresses more generously than Python does, so it is
    compared and rebuilt from its parts, never passed on.
    """
    page = _confirmation_page(application, callback_uri, base)
    if page is None:
        return None
    query = {"redirect_uri": application.redirect_uri, "amazon_state": amazon_state, "state": state}
    if application.draft:
        query["version"] = "beta"
    return f"{page}?{urlencode(query)}"


#: no spaces, controls or backslashes (browsers drop the first two and take the last for a slash), nothing outside ASCII
_PLAIN = re.compile(r"[!-\[\]-~]{1,2000}")


def _confirmation_page(application: Application, callback_uri: str, base: str) -> str | None:
    if not application.application_id or not _PLAIN.fullmatch(callback_uri):
        return None
    path = f"{AUTHORIZE_PATH}/confirm/{application.application_id}"
    if callback_uri == path:
        return f"{base or f'https://{_DEFAULT_HOST}'}{path}"
    if base:
        return f"{base}{path}" if callback_uri == f"{base}{path}" else None
    try:
        parts = urlsplit(callback_uri)
    except ValueError:
        return None
    host = parts.netloc.lower()  # the whole of it: a port, a user or a password make it another word
    if parts.scheme != "https" or host not in AMAZON_HOSTS or parts.path != path or parts.query or parts.fragment:
        return None
    return f"https://{host}{path}"


# --- Login with Amazon -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CodeGrant:
    """An authorization code to be exchanged."""

    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """A refresh token to be used."""

    refresh_token: str = field(repr=False)


LwaGrant = CodeGrant | RefreshGrant


def token_form(application: Application, grant: LwaGrant) -> dict[str, str]:
    """The form for Login with Amazon's token endpoint."""
    ours = {"client_id": application.client_id, "client_secret": application.client_secret}
    match grant:
        case CodeGrant(code):
            return {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": application.redirect_uri,
                **ours,
            }
        case RefreshGrant(refresh_token):
            return {"grant_type": "refresh_token", "refresh_token": refresh_token, **ours}


#: OAuth's words for "it is you, the application": RFC 6749, 5.2. What we send is the same for every seller, so a request
#: that Amazon cannot read is ours to mend as well.
_OUR_FAULT = frozenset(
    {"invalid_client", "unauthorized_client", "invalid_request", "unsupported_grant_type", "invalid_scope"}
)


def read_token(status: int, body: bytes, grant: LwaGrant) -> Tokens | Refused:
    """Login with Amazon's answer to a grant."""
    answer = _json(body)
    if status == HTTPStatus.OK:
        return _tokens(answer, grant) or Refused(Reason.AMAZON_UNAVAILABLE)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Refused(Reason.THROTTLED)
    if not _is_client_error(status) or answer is None:
        return Refused(Reason.AMAZON_UNAVAILABLE)
    error = str(answer.get("error"))
    if error == "invalid_grant":
        return Refused(Reason.REVOKED if isinstance(grant, RefreshGrant) else Reason.CODE_REJECTED)
    if error in _OUR_FAULT:
        return Refused(Reason.OUR_CREDENTIALS)
    return Refused(Reason.AMAZON_UNAVAILABLE)


def _tokens(answer: Mapping[str, Any] | None, grant: LwaGrant) -> Tokens | None:
    if answer is None:
        return None
    access = answer.get("access_token")
    refresh = answer.get("refresh_token")
    if not refresh and isinstance(grant, RefreshGrant):
        refresh = grant.refresh_token  # it stays the same
    if not isinstance(access, str) or not access or not isinstance(refresh, str) or not refresh:
        return None
    seconds = answer.get("expires_in")
    usable = isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds <= _MOST_SECONDS
    return Tokens(access, refresh, timedelta(seconds=seconds) if usable and isinstance(seconds, int) else _HOUR)


# --- Selling Partner API ---------------------------------------------------------------------------------------------

PARTICIPATIONS_PATH = "/sellers/v1/marketplaceParticipations"
#: how Amazon writes selling partner ids; anything else never reaches a path
_PARTNER = re.compile(r"[A-Za-z0-9]{1,64}")


def spapi_base(marketplace: Marketplace, base: str = "") -> str:
    """The region's endpoint; `base` replaces them all."""
    return base or f"https://sellingpartnerapi-{marketplace.region.value.lower()}.amazon.com"


def probe_request(
    probe: Probe, marketplace: Marketplace, *, selling_partner_id: str, now: datetime
) -> tuple[str, dict[str, str]] | None:
    """Path and query of a feature's cheapest call; None for a selling partner id that cannot be one."""
    match probe:
        case Probe.LISTINGS:
            if not _PARTNER.fullmatch(selling_partner_id):
                return None
            path = f"/listings/2021-08-01/items/{quote(selling_partner_id, safe='')}"
            return path, {"marketplaceIds": marketplace.id, "pageSize": "1"}
        case Probe.ORDERS:
            since = (now - _PROBE_WINDOW).strftime("%Y-%m-%dT%H:%M:%SZ")
            query = {"createdAfter": since, "marketplaceIds": marketplace.id, "maxResultsPerPage": "1"}
            return "/orders/2026-01-01/orders", query


def read_probe(status: int, body: bytes) -> Refused | None:
    """What a probe's answer says of the grant; None when access works.

    A 403 is ambiguous, and only its `details` tell. A token that the Selling Partner API calls expired or invalid was made by
    Login with Amazon a moment ago, so it says nothing about the grant: try again. Nothing in a 403 ever means *revoked*; only
    a refused refresh does. A 4xx of another kind is a question that Amazon did not understand: the grant stays as it is.
    """
    answer = _json(body)
    if status == HTTPStatus.OK:
        return None if answer is not None else Refused(Reason.AMAZON_UNAVAILABLE)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Refused(Reason.THROTTLED)
    if status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) or answer is None:
        return Refused(Reason.AMAZON_UNAVAILABLE)
    details = _details(answer)
    if "client secret" in details:
        return Refused(Reason.OUR_CREDENTIALS)
    if "token" in details:
        return Refused(Reason.AMAZON_UNAVAILABLE)
    return Refused(Reason.PERMISSION_PROBLEM)


def read_participations(status: int, body: bytes) -> tuple[Participation, ...] | Refused:
    """The marketplaces of the account. Empty means *unknown*: an application without the Sellers role gets a harmless 403."""
    refused = read_probe(status, body)
    if refused is not None:
        return () if refused.reason is Reason.PERMISSION_PROBLEM else refused
    answer = _json(body) or {}
    payload = answer.get("payload")
    if not isinstance(payload, list):
        return Refused(Reason.AMAZON_UNAVAILABLE)
    return tuple(found for row in payload if (found := _participation(row)) is not None)


def _participation(row: object) -> Participation | None:
    if not isinstance(row, dict):
        return None
    marketplace, participation = row.get("marketplace"), row.get("participation")
    if not isinstance(marketplace, dict) or not isinstance(participation, dict):
        return None
    marketplace_id = marketplace.get("id")
    if not isinstance(marketplace_id, str):
        return None
    return Participation(
        marketplace_id,
        participating=participation.get("isParticipating") is True,
        suspended_listings=participation.get("hasSuspendedListings") is True,
        store_name=str(row.get("storeName") or ""),
    )


def _details(answer: Mapping[str, Any]) -> str:
    """The `details` of all errors in lower case. Not `message`: it says the same for every 403."""
    errors = answer.get("errors")
    rows = errors if isinstance(errors, list) else []
    return " ".join(str(row.get("details") or "") for row in rows if isinstance(row, dict)).casefold()


def _is_client_error(status: int) -> bool:
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None
