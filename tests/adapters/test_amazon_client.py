"""The Amazon client over real loopback HTTP: what it sends, what it makes of silence, and what it never logs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from bot.adapters.amazon.client import HttpAmazon, open_http
from bot.domain.features import FeatureKey
from bot.domain.marketplaces import MARKETPLACES
from bot.domain.verification import Reason, Refused
from bot.errors import ConfigurationError
from bot.ports import Amazon, Participation, Tokens
from bot.settings import ApplicationSettings
from tests.adapters.loopback import HandClock, serving

US = MARKETPLACES["US"]


class StandIn:
    """Answers what it was told to, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answers: dict[str, Response] = {}
        self.requests: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.seconds = 0.0

    async def handle(self, request: Request) -> Response:
        form = {key: str(value) for key, value in (await request.form()).items()}
        headers = {"token": request.headers.get("x-amz-access-token", "")}
        self.requests.append((request.url.path, form or dict(request.query_params), headers))
        await asyncio.sleep(self.seconds)
        return self.answers.get(request.url.path, Response(status_code=404))

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self.handle, methods=["GET", "POST"])])


def application(name: str) -> ApplicationSettings:
    return ApplicationSettings(
        application_id=f"amzn1.sp.solution.{name}", client_id=f"client-{name}", client_secret=SecretStr("s3cret-s3cret")
    )


class Case:
    def __init__(self, amazon: HttpAmazon, stand_in: StandIn, told: list[tuple[str, str]]) -> None:
        self.amazon = amazon
        self.stand_in = stand_in
        self.told = told


@asynccontextmanager
async def case_for(url: str, stand_in: StandIn, *, seconds: float = 10.0) -> AsyncIterator[Case]:
    told: list[tuple[str, str]] = []
    async with open_http() as http:
        amazon = HttpAmazon(
            {FeatureKey.ORDERS: application("orders"), FeatureKey.LISTING: application("listing")},
            public_url="https://desk.example.com",
            http=http,
            clock=HandClock(),
            lwa_url=url,
            spapi_url=url,
            observe=lambda endpoint, outcome: told.append((endpoint, outcome)),
            total_seconds=seconds,
        )
        yield Case(amazon, stand_in, told)


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    stand_in = StandIn()
    async with serving(stand_in.app) as url, case_for(url, stand_in) as made:
        yield made


def test_it_is_what_the_core_asks_for() -> None:
    amazon: type[Amazon] = HttpAmazon
    assert amazon is HttpAmazon


async def test_a_code_is_exchanged_with_the_features_own_application(case: Case) -> None:
    case.stand_in.answers["/auth/o2/token"] = JSONResponse(
        {"access_token": "Atza|a", "refresh_token": "Atzr|r", "expires_in": 3600}
    )
    with capture_logs() as lines:
        assert await case.amazon.exchange(FeatureKey.LISTING, "code-1") == Tokens("Atza|a", "Atzr|r")
    assert case.stand_in.requests[0][1] == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": "https://desk.example.com/amazon/listing/callback",
        "client_id": "client-listing",
        "client_secret": "s3cret-s3cret",
    }
    assert case.told == [("lwa.code", "ok")]
    assert lines == [{"event": "amazon.answered", "log_level": "info", "endpoint": "lwa.code", "status": 200}]


async def test_a_refusal_is_a_value_and_is_counted_by_its_reason(case: Case) -> None:
    case.stand_in.answers["/auth/o2/token"] = JSONResponse({"error": "invalid_grant"}, 400)
    assert await case.amazon.refresh(FeatureKey.ORDERS, "Atzr|old") == Refused(Reason.REVOKED)
    assert case.told == [("lwa.refresh", "revoked")]


async def test_an_html_503_is_no_success(case: Case) -> None:
    case.stand_in.answers["/auth/o2/token"] = HTMLResponse("<h1>sorry</h1>", 503)
    assert await case.amazon.refresh(FeatureKey.ORDERS, "t") == Refused(Reason.AMAZON_UNAVAILABLE)


async def test_a_redirect_is_not_followed_with_our_secrets(case: Case) -> None:
    case.stand_in.answers["/auth/o2/token"] = RedirectResponse("/elsewhere", 307)
    assert await case.amazon.refresh(FeatureKey.ORDERS, "t") == Refused(Reason.AMAZON_UNAVAILABLE)
    assert [path for path, _, _ in case.stand_in.requests] == ["/auth/o2/token"]


async def test_silence_ends_after_its_time() -> None:
    stand_in = StandIn()
    stand_in.seconds = 1
    async with serving(stand_in.app) as url, case_for(url, stand_in, seconds=0.05) as case:
        began = asyncio.get_running_loop().time()
        assert await case.amazon.refresh(FeatureKey.ORDERS, "t") == Refused(Reason.AMAZON_UNAVAILABLE)
        assert asyncio.get_running_loop().time() - began < 0.8
        assert case.told == [("lwa.refresh", "amazon_unavailable")]


async def test_nobody_listening_is_unavailable() -> None:
    async with case_for("http://127.0.0.1:9", StandIn()) as case:
        assert await case.amazon.exchange(FeatureKey.ORDERS, "c") == Refused(Reason.AMAZON_UNAVAILABLE)
        assert await case.amazon.participations(FeatureKey.ORDERS, US, "t") == Refused(Reason.AMAZON_UNAVAILABLE)


async def test_probes_carry_the_access_token_in_amazons_header(case: Case) -> None:
    case.stand_in.answers["/orders/2026-01-01/orders"] = JSONResponse({"orders": []})
    case.stand_in.answers["/listings/2021-08-01/items/A1SELLER"] = JSONResponse({"items": []})
    case.stand_in.answers["/sellers/v1/marketplaceParticipations"] = JSONResponse(
        {"payload": [{"marketplace": {"id": US.id}, "participation": {"isParticipating": True}}]}
    )
    for feature in FeatureKey:
        assert await case.amazon.probe(feature, US, selling_partner_id="A1SELLER", access_token="Atza|a") is None
    found = await case.amazon.participations(FeatureKey.ORDERS, US, "Atza|a")
    assert found == (Participation(US.id, participating=True),)
    assert [headers["token"] for _, _, headers in case.stand_in.requests] == ["Atza|a"] * 3
    assert [endpoint for endpoint, _ in case.told] == ["spapi.orders", "spapi.listings", "spapi.participations"]


async def test_a_partner_id_that_cannot_be_one_is_not_sent(case: Case) -> None:
    refused = await case.amazon.probe(FeatureKey.LISTING, US, selling_partner_id="../x", access_token="t")
    assert refused == Refused(Reason.INCOMPLETE_ANSWER)
    assert case.stand_in.requests == []


async def test_a_feature_without_an_application_is_ours_to_mend() -> None:
    async with httpx.AsyncClient() as http:
        amazon = HttpAmazon(
            {FeatureKey.ORDERS: ApplicationSettings()}, public_url="https://x.example", http=http, clock=HandClock()
        )
        assert amazon.application_id(FeatureKey.ORDERS) == ""
        assert amazon.developer_name(FeatureKey.ORDERS) == "SHENZHEN MINXING TECHNOLOGY CO.,LTD"
        assert await amazon.exchange(FeatureKey.ORDERS, "c") == Refused(Reason.OUR_CREDENTIALS)
        assert await amazon.probe(FeatureKey.LISTING, US, selling_partner_id="A1", access_token="t") == Refused(
            Reason.OUR_CREDENTIALS
        )
        assert amazon.confirm_url(FeatureKey.ORDERS, "/apps/authorize/confirm/", amazon_state="a", state="b") is None
        with pytest.raises(ConfigurationError, match="AMAZON_ORDERS_APPLICATION_ID"):
            amazon.consent_url(FeatureKey.ORDERS, US, state="s")


async def test_the_client_is_patient_for_ten_seconds_and_keeps_few_connections() -> None:
    async with open_http() as http:
        assert http.timeout == httpx.Timeout(10, connect=3)
        assert not http.follow_redirects
