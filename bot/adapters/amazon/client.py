"""The `Amazon` port over HTTP: sends what `requests` builds and reads what comes back with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import httpx
import structlog

from bot.adapters.amazon import requests
from bot.adapters.amazon.requests import Application, CodeGrant, LwaGrant, RefreshGrant
from bot.domain.features import FEATURES, FeatureKey
from bot.domain.marketplaces import Marketplace
from bot.domain.verification import Reason, Refused
from bot.errors import ConfigurationError
from bot.ports import Clock, Participation, Tokens
from bot.settings import ApplicationSettings

log = structlog.get_logger()

_TOTAL = 10.0  # seconds, from waiting for a connection to the last byte
_CONNECT = 3.0
#: httpx's pool costs more the more connections it holds: a dozen is where it is still cheap
_CONNECTIONS = 12

#: told of every call: a short name of the endpoint, and its outcome ("ok" or a Reason's value)
CallObserver = Callable[[str, str], None]


def _nobody(endpoint: str, outcome: str) -> None:
    """The observer when there is none."""


def open_http() -> httpx.AsyncClient:
    """The one client for all of Amazon. Close it at the end."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(_TOTAL, connect=_CONNECT),
        limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
        follow_redirects=False,
        headers={"user-agent": "Grantdesk (Language=Python)"},
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes


class HttpAmazon:
    """Never raises for what Amazon does; logs endpoint and status, nothing that was sent or came back."""

    def __init__(
        self,
        applications: Mapping[FeatureKey, ApplicationSettings],
        *,
        public_url: str,
        http: httpx.AsyncClient,
        clock: Clock,
        lwa_url: str = "https://api.amazon.com",
        spapi_url: str = "",
        seller_central_url: str = "",
        observe: CallObserver = _nobody,
        total_seconds: float = _TOTAL,
    ) -> None:
        self._settings = dict(applications)
        self._applications = {
            feature: Application(
                application_id=settings.application_id,
                client_id=settings.client_id,
                client_secret=settings.client_secret.get_secret_value(),
                redirect_uri=f"{public_url.rstrip('/')}/amazon/{feature.value}/callback",
                draft=settings.draft,
            )
            for feature, settings in applications.items()
            if settings.configured
        }
        self._http = http
        self._clock = clock
        self._lwa_url = lwa_url.rstrip("/")
        self._spapi_url = spapi_url.rstrip("/")
        self._seller_central_url = seller_central_url.rstrip("/")
        self._observe = observe
        self._total_seconds = total_seconds

    # --- who we are

    def application_id(self, feature: FeatureKey) -> str:
        """Empty for a feature whose application is not configured."""
        application = self._applications.get(feature)
        return application.application_id if application else ""

    def developer_name(self, feature: FeatureKey) -> str:
        settings = self._settings.get(feature)
        return (settings.developer_name if settings else "") or FEATURES[feature].developer_name

    def application_name(self, feature: FeatureKey) -> str:
        return FEATURES[feature].application_name

    # --- links

    def consent_url(self, feature: FeatureKey, marketplace: Marketplace, *, state: str) -> str:
        """Raises ConfigurationError for a feature whose application is not configured."""
        application = self._applications.get(feature)
        if application is None:
            raise ConfigurationError(problems=f"AMAZON_{feature.name}_APPLICATION_ID is not set")
        return requests.consent_url(application, marketplace, state=state, base=self._seller_central_url)

    def confirm_url(self, feature: FeatureKey, callback_uri: str, *, amazon_state: str, state: str) -> str | None:
        application = self._applications.get(feature)
        if application is None:
            return None
        return requests.confirm_url(
            application, callback_uri, amazon_state=amazon_state, state=state, base=self._seller_central_url
        )

    # --- Login with Amazon

    async def exchange(self, feature: FeatureKey, code: str) -> Tokens | Refused:
        return await self._token(feature, CodeGrant(code))

    async def refresh(self, feature: FeatureKey, refresh_token: str) -> Tokens | Refused:
        return await self._token(feature, RefreshGrant(refresh_token))

    async def _token(self, feature: FeatureKey, grant: LwaGrant) -> Tokens | Refused:
        endpoint = "lwa.code" if isinstance(grant, CodeGrant) else "lwa.refresh"
        application = self._applications.get(feature)
        if application is None:
            return self._refuse(endpoint, Reason.OUR_CREDENTIALS)
        form = requests.token_form(application, grant)
        answer = await self._send(endpoint, "POST", f"{self._lwa_url}/auth/o2/token", data=form)
        if isinstance(answer, Refused):
            return answer
        tokens = requests.read_token(answer.status, answer.body, grant)
        self._count(endpoint, tokens)
        return tokens

    # --- Selling Partner API

    async def participations(
        self, feature: FeatureKey, marketplace: Marketplace, access_token: str
    ) -> Sequence[Participation] | Refused:
        """Empty when the application may not know: it lacks the Sellers role, which is harmless."""
        endpoint = "spapi.participations"
        if feature not in self._applications:
            return self._refuse(endpoint, Reason.OUR_CREDENTIALS)
        url = requests.spapi_base(marketplace, self._spapi_url) + requests.PARTICIPATIONS_PATH
        answer = await self._send(endpoint, "GET", url, headers={"x-amz-access-token": access_token})
        if isinstance(answer, Refused):
            return answer
        found = requests.read_participations(answer.status, answer.body)
        self._count(endpoint, found)
        return found

    async def probe(
        self, feature: FeatureKey, marketplace: Marketplace, *, selling_partner_id: str, access_token: str
    ) -> Refused | None:
        probe = FEATURES[feature].probe
        endpoint = f"spapi.{probe.value}"
        if feature not in self._applications:
            return self._refuse(endpoint, Reason.OUR_CREDENTIALS)
        request = requests.probe_request(probe, marketplace, selling_partner_id=selling_partner_id, now=self._clock())
        if request is None:
            return self._refuse(endpoint, Reason.INCOMPLETE_ANSWER)
        path, query = request
        url = requests.spapi_base(marketplace, self._spapi_url) + path
        answer = await self._send(endpoint, "GET", url, params=query, headers={"x-amz-access-token": access_token})
        if isinstance(answer, Refused):
            return answer
        refused = requests.read_probe(answer.status, answer.body)
        self._count(endpoint, refused)
        return refused

    # --- the wire

    async def _send(
        self,
        endpoint: str,
        method: str,
        url: str,
        *,
        data: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> _Answer | Refused:
        try:
            async with asyncio.timeout(self._total_seconds):
                response = await self._http.request(method, url, data=data, params=params, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            log.warning("amazon.unreachable", endpoint=endpoint, error=type(error).__name__)
            return self._refuse(endpoint, Reason.AMAZON_UNAVAILABLE)
        write = log.info if response.is_success else log.warning
        write("amazon.answered", endpoint=endpoint, status=response.status_code)
        return _Answer(response.status_code, response.content)

    def _refuse(self, endpoint: str, reason: Reason) -> Refused:
        self._observe(endpoint, reason.value)
        return Refused(reason)

    def _count(self, endpoint: str, answer: object) -> None:
        self._observe(endpoint, answer.reason.value if isinstance(answer, Refused) else "ok")
