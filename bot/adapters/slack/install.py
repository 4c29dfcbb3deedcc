"""Installing the bot into a workspace: OAuth v2, begun and ended in the same browser. Knows no HTTP framework.

A state works once, for ten minutes, and only together with the cookie that was set with it, so that nobody can make somebody
else's browser finish an installation that it did not begin.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

import structlog

from bot.adapters.slack.session import SlackApi, SlackBusy, SlackRefused, SlackUnreachable
from bot.adapters.slack.workspaces import Workspaces
from bot.domain.consent import fingerprint
from bot.ports import Clock, Entropy, Installation, Installations

log = structlog.get_logger()

STATE_LIFETIME = timedelta(minutes=10)
AUTHORIZE_URL = "https://slack.com/oauth/v2/authorize"
#: what the bot may do; the manifest lists the same
SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "groups:history",
    "groups:read",
    "im:history",
    "im:write",
    "users:read",
)


class InstallProblem(StrEnum):
    """Why an installation did not come about. The values are keys of the catalogs (`install.<value>`)."""

    #: the person said no at Slack
    CANCELLED = "cancelled"
    #: the state is unknown, used, too old, or of another browser
    STALE = "stale"
    #: Slack did not accept our credentials or redirect URL
    OURS = "ours"
    #: for a whole organization, which the bot does not serve
    ORG_WIDE = "org_wide"
    #: Slack did not answer
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Departure:
    """Where to send the browser, and the cookie to set meanwhile."""

    url: str = field(repr=False)
    cookie: str = field(repr=False)


class SlackInstaller:
    """The two steps of an installation, for two routes: `GET /slack/install` and `GET /slack/oauth_redirect`."""

    #: set it HttpOnly, SameSite=Lax, for the path /slack, Secure under https, for STATE_LIFETIME
    cookie_name = "grantdesk_install"

    def __init__(
        self,
        installations: Installations,
        *,
        api: SlackApi,
        workspaces: Workspaces,
        client_id: str,
        client_secret: str,
        public_url: str,
        clock: Clock,
        entropy: Entropy,
        scopes: tuple[str, ...] = SCOPES,
        authorize_url: str = AUTHORIZE_URL,
    ) -> None:
        self._installations = installations
        self._api = api
        self._workspaces = workspaces
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = f"{public_url.rstrip('/')}/slack/oauth_redirect"
        self._clock = clock
        self._entropy = entropy
        self._scopes = scopes
        self._authorize_url = authorize_url

    async def begin(self) -> Departure:
        """A state, kept as a fingerprint, tied to this browser by a cookie."""
        state, cookie = self._entropy.secret(), self._entropy.secret()
        await self._installations.mint_state(_tied(state, cookie), expires_at=self._clock() + STATE_LIFETIME)
        query = {
            "client_id": self._client_id,
            "scope": ",".join(self._scopes),
            "redirect_uri": self._redirect_uri,
            "state": state,
        }
        return Departure(f"{self._authorize_url}?{urlencode(query)}", cookie)

    async def finish(self, query: Mapping[str, str], *, cookie: str | None) -> Installation | InstallProblem:
        """Slack's answer. The state is used up whatever comes of it."""
        state = query.get("state", "")
        if not state or not cookie:
            return InstallProblem.STALE
        if not await self._installations.consume_state(_tied(state, cookie), now=self._clock()):
            return InstallProblem.STALE
        if query.get("error"):
            return InstallProblem.CANCELLED
        code = query.get("code", "")
        return await self._exchange(code) if code else InstallProblem.STALE

    async def _exchange(self, code: str) -> Installation | InstallProblem:
        try:
            answer = await self._api.call_form(
                "oauth.v2.access",
                auth=(self._client_id, self._client_secret),
                code=code,
                redirect_uri=self._redirect_uri,
            )
        except SlackRefused as refused:
            log.warning("install.refused", error=refused.error)
            return (
                InstallProblem.STALE if refused.error in ("invalid_code", "code_already_used") else InstallProblem.OURS
            )
        except (SlackUnreachable, SlackBusy) as error:
            log.warning("install.unreachable", error=str(error))
            return InstallProblem.LATER
        if answer.get("is_enterprise_install") is True or not isinstance(answer.get("team"), dict):
            return InstallProblem.ORG_WIDE
        installation = read_installation(answer, self._clock())
        if installation is None:
            return InstallProblem.OURS
        await self._installations.put(installation)
        self._workspaces.forget(installation.team_id)
        log.info("install.done", team=installation.team_id)
        return installation


def read_installation(answer: Mapping[str, Any], now: datetime) -> Installation | None:
    """oauth.v2.access's answer; None when there is no bot token in it."""
    team = answer["team"]
    token = answer.get("access_token")
    if answer.get("token_type") != "bot" or not isinstance(token, str) or not token or not team.get("id"):
        return None
    return Installation(
        team_id=str(team["id"]),
        bot_token=token,
        bot_user_id=str(answer.get("bot_user_id") or ""),
        bot_id="",
        installed_at=now,
        team_name=str(team.get("name") or ""),
        scopes=str(answer.get("scope") or ""),
    )


def _tied(state: str, cookie: str) -> str:
    """The fingerprint of a state in one browser."""
    return hmac.new(cookie.encode(), fingerprint(state).encode(), hashlib.sha256).hexdigest()


def bot_was_revoked(event: Mapping[str, Any]) -> bool:
    """True for `app_uninstalled`, and for `tokens_revoked` when a bot's token is among them."""
    if event.get("type") == "app_uninstalled":
        return True
    tokens = event.get("tokens")
    return event.get("type") == "tokens_revoked" and isinstance(tokens, Mapping) and bool(tokens.get("bot"))
