"""Does Slack know our tokens, may the bot do what it must, and is it where the support agents are?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime

import aiohttp
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.adapters.slack.install import SCOPES
from bot.adapters.slack.session import SlackApi, SlackBusy, SlackRefused, SlackUnreachable, read_answer
from bot.doctor.database import vault_of
from bot.doctor.findings import Finding, Findings, silent
from bot.ports import Clock
from bot.settings import Settings
from storage.migrate import is_current
from storage.tables import SEALED_BOT_TOKEN, installations

#: Slack refuses nothing by our clock, but we refuse its deliveries when it is five minutes off
_CLOCK_TOLERANCE = timedelta(minutes=1)
_MOST_WORKSPACES = 20


@dataclass(slots=True)
class SlackExamination:
    settings: Settings
    session: aiohttp.ClientSession
    clock: Clock

    @property
    def api(self) -> SlackApi:
        return SlackApi(self.session, self.settings.slack_api_url)

    async def examine(self, engine: AsyncEngine | None) -> Findings:
        found = [*await self._client(), *await self._socket()]
        tokens = await self._tokens(engine)
        if not tokens:
            advice = f"No workspace has installed the bot yet: open {self.settings.public_url}/slack/install."
            found.append(Finding("Slack", well=False, advice=advice))
        accepted = []
        for team, token in tokens:
            workspace = await self._workspace(team, token)
            found += workspace
            accepted += [token] if workspace[0].well else []
        if accepted:
            found += await self._support(accepted)
        return found

    async def _tokens(self, engine: AsyncEngine | None) -> list[tuple[str, str]]:
        """(what to call the workspace, its token)."""
        if token := self.settings.slack_bot_token.get_secret_value():
            return [("", token)]
        if engine is None or not await is_current(engine):
            return []
        vault = vault_of(self.settings)
        async with engine.connect() as connection:
            rows = (await connection.execute(select(installations).limit(_MOST_WORKSPACES))).all()
        return [(row.team_name, vault.open(row.bot_token, SEALED_BOT_TOKEN, row.team_id)) for row in rows]

    async def _workspace(self, team: str, token: str) -> Findings:
        name = f"Slack, {team}" if team else "Slack"
        url = f"{self.settings.slack_api_url}auth.test"
        try:
            async with self.session.post(
                url, headers={"Authorization": f"Bearer {token}"}, allow_redirects=False
            ) as response:
                answer = read_answer("auth.test", response.status, response.headers, await response.read())
        except SlackRefused as refused:
            advice = (
                f"Slack refuses the bot's token ({refused.error}): copy the Bot User OAuth Token from OAuth & Permissions "
                "into SLACK_BOT_TOKEN, or install the app again."
            )
            return [Finding(name, well=False, advice=advice)]
        except (SlackUnreachable, SlackBusy, aiohttp.ClientError, TimeoutError, OSError) as error:
            return [Finding(name, well=False, advice=silent(self.settings.slack_api_url, error))]
        who = f"@{answer.get('user')} in {answer.get('team')}"
        granted = {scope.strip() for scope in response.headers.get("x-oauth-scopes", "").split(",")}
        missing = sorted(set(SCOPES) - granted)
        scopes = Finding(f"{name}: scopes", well=True, advice="all that the manifest asks for")
        if missing:
            advice = f"Missing: {', '.join(missing)}. Put manifest.yml into App Manifest again, then reinstall the app."
            scopes = Finding(f"{name}: scopes", well=False, advice=advice)
        return [Finding(name, well=True, advice=who), scopes, *self._our_clock(response.headers.get("date", ""))]

    def _our_clock(self, date: str) -> Findings:
        try:
            off = abs(parsedate_to_datetime(date) - self.clock())
        except (TypeError, ValueError):
            return []
        if off <= _CLOCK_TOLERANCE:
            return []
        advice = (
            f"This machine's clock is {off.total_seconds():.0f} s off Slack's: deliveries older than 300 s are refused."
        )
        return [Finding("Clock", well=False, advice=f"{advice} Switch time synchronization on.")]

    async def _client(self) -> Findings:
        """With a code that cannot be right: Slack looks at the client first."""
        if not self.settings.slack_client_id:
            return []
        name = "Slack: client"
        auth = (self.settings.slack_client_id, self.settings.slack_client_secret.get_secret_value())
        try:
            await self.api.call_form("oauth.v2.access", auth=auth, code="grantdesk-doctor")
        except SlackRefused as refused:
            if refused.error in ("invalid_code", "bad_redirect_uri"):
                return [Finding(name, well=True, advice="Slack knows the client id and its secret")]
            advice = (
                f"Slack answers {refused.error}: copy SLACK_CLIENT_ID and SLACK_CLIENT_SECRET from Basic Information."
            )
            return [Finding(name, well=False, advice=advice)]
        except (SlackUnreachable, SlackBusy) as error:
            return [Finding(name, well=False, advice=silent(self.settings.slack_api_url, error))]
        return [Finding(name, well=False, advice="Slack accepted a made-up code: SLACK_API_URL is not Slack's.")]

    async def _socket(self) -> Findings:
        token = self.settings.slack_app_token.get_secret_value()
        if not token:
            return []
        name = "Slack: Socket Mode"
        try:
            await self.api.call("apps.connections.open", token=token)
        except SlackRefused as refused:
            advice = f"Slack refuses SLACK_APP_TOKEN ({refused.error}): it needs connections:write, and Socket Mode must be on."
            return [Finding(name, well=False, advice=advice)]
        except (SlackUnreachable, SlackBusy) as error:
            return [Finding(name, well=False, advice=silent(self.settings.slack_api_url, error))]
        return [Finding(name, well=True)]

    async def _support(self, tokens: Sequence[str]) -> Findings:
        """The channel is in one of the workspaces: well if any of them finds it so."""
        name, channel = "Support channel", self.settings.support_channel
        if not channel:
            return [Finding(name, well=False, advice="SUPPORT_CHANNEL is empty: nobody reads what needs a person.")]
        answers = [await self._channel(name, channel, token) for token in tokens]
        agents = Finding("Support agents", well=True, advice=f"{len(self.settings.support_agents)} named")
        if not self.settings.support_agents:
            advice = "SUPPORT_AGENTS is empty: nobody may do what only support agents can."
            agents = Finding("Support agents", well=False, advice=advice)
        return [next((answer for answer in answers if answer.well), answers[0]), agents]

    async def _channel(self, name: str, channel: str, token: str) -> Finding:
        try:
            answer = await self.api.call_form("conversations.info", token=token, channel=channel)
        except SlackRefused as refused:
            advice = (
                f"Slack answers {refused.error} for {channel}: compare it with the id in the channel's About tab; if the "
                "channel is private, write /invite @Grantdesk in it."
            )
            return Finding(name, well=False, advice=advice)
        except (SlackUnreachable, SlackBusy) as error:
            return Finding(name, well=False, advice=silent(self.settings.slack_api_url, error))
        found = answer.get("channel", {})
        title = f"#{found.get('name', channel)}"
        if found.get("is_archived"):
            return Finding(name, well=False, advice=f"{title} is archived: choose another SUPPORT_CHANNEL.")
        if not found.get("is_member"):
            return Finding(name, well=False, advice=f"The bot is not in {title}: write /invite @Grantdesk there.")
        return Finding(name, well=True, advice=title)
