"""The workspaces that the bot is installed in, and its token in each."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.adapters.slack.session import SlackApi, SlackBusy, SlackRefused, SlackUnreachable
from bot.ports import Clock, Installation, Installations

log = structlog.get_logger()

#: how long an installation is taken for granted; another replica may have removed it
REMEMBERED_FOR = timedelta(seconds=60)
_MOST_REMEMBERED = 5_000
_LONGEST_WAIT = 300.0


class Workspaces:
    """Installations by workspace, from their rows, remembered shortly."""

    def __init__(
        self, installations: Installations, *, clock: Clock, remembered_for: timedelta = REMEMBERED_FOR
    ) -> None:
        self._installations = installations
        self._clock = clock
        self._remembered_for = remembered_for
        self._remembered: OrderedDict[str, tuple[Installation, datetime]] = OrderedDict()

    async def is_in(self, team_id: str) -> bool:
        """Whether the bot is in that workspace."""
        return await self.find(team_id) is not None

    async def find(self, team_id: str) -> Installation | None:
        known = self._remembered.get(team_id)
        now = self._clock()
        if known and now < known[1]:
            return known[0]
        found = await self._installations.get(team_id)
        if found is None:
            self._remembered.pop(
                team_id, None
            )  # who is not there is asked for each time: they may be installing just now
            return None
        self._remembered[team_id] = (found, now + self._remembered_for)
        self._remembered.move_to_end(team_id)
        if len(self._remembered) > _MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        return found

    async def token(self, team_id: str) -> str | None:
        found = await self.find(team_id)
        return found.bot_token if found else None

    def forget(self, team_id: str) -> None:
        self._remembered.pop(team_id, None)

    async def remove(self, team_id: str, *, said_at: datetime | None = None) -> bool:
        """Slack said `app_uninstalled`, or revoked the bot's token: nothing of the workspace's secrets stays.

        False when it was installed again after Slack `said` so: Slack delivers late, and again.
        """
        removed = await self._installations.remove(team_id, said_at=said_at)
        self.forget(team_id)
        log.info("workspace.removed" if removed else "workspace.removed_before", team=team_id)
        return removed


class SingleWorkspace(Workspaces):
    """One workspace, whose token is configuration (SLACK_BOT_TOKEN). `learn()` finds out which one it is."""

    def __init__(self, installations: Installations, *, token: str, api: SlackApi, clock: Clock) -> None:
        super().__init__(installations, clock=clock)
        self._token = token
        self._api = api
        self._own: Installation | None = None
        self._retrying: asyncio.Task[None] | None = None

    @property
    def team_id(self) -> str | None:
        """Known once Slack has answered."""
        return self._own.team_id if self._own else None

    async def find(self, team_id: str) -> Installation | None:
        """The configured token for its workspace. Until that is known, for whichever asks: only signed deliveries do."""
        if self._own is not None:
            return self._own if self._own.team_id == team_id else None
        return Installation(
            team_id=team_id, bot_token=self._token, bot_user_id="", bot_id="", installed_at=self._clock()
        )

    async def remove(self, team_id: str, *, said_at: datetime | None = None) -> bool:
        """The row goes; the token is the operator's to take away."""
        removed = await super().remove(team_id, said_at=said_at)
        if removed:
            log.error("workspace.token_revoked", team=team_id, action="set a new SLACK_BOT_TOKEN and restart")
        return removed

    async def learn(self) -> Installation:
        """Asks Slack whose token it is, and keeps a row. Raises SlackRefused, SlackUnreachable or SlackBusy."""
        answer = await self._api.call_form("auth.test", token=self._token)
        self._own = read_identity(answer, token=self._token, now=self._clock())
        await self._installations.put(self._own)
        log.info("workspace.known", team=self._own.team_id)
        return self._own

    async def start(self, *, pause: Callable[[float], Any] = asyncio.sleep) -> None:
        """Learns at once, or in the background for as long as Slack is away. A refused token is the operator's: it is logged."""
        if not await self._try():
            self._retrying = asyncio.create_task(self._keep_trying(pause), name="learn workspace")

    async def stop(self) -> None:
        if self._retrying is not None:
            self._retrying.cancel()
            await asyncio.gather(self._retrying, return_exceptions=True)

    async def _keep_trying(self, pause: Callable[[float], Any]) -> None:
        wait = 1.0
        while True:
            await pause(wait)
            if await self._try():
                return
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _try(self) -> bool:
        """True when there is nothing left to try."""
        try:
            await self.learn()
        except SlackRefused as refused:
            log.error("workspace.token_refused", error=refused.error)  # noqa: TRY400  # the word is all there is to know
            return True
        except (SlackUnreachable, SlackBusy) as error:
            log.warning("workspace.unknown_yet", error=str(error))
            return False
        except Exception as error:  # noqa: BLE001  # the row could not be written; the token works meanwhile
            log.warning("workspace.not_kept", error=type(error).__name__)
            return False
        return True


def read_identity(answer: dict[str, Any], *, token: str, now: datetime) -> Installation:
    """auth.test's answer as an installation."""
    return Installation(
        team_id=str(answer["team_id"]),
        bot_token=token,
        bot_user_id=str(answer.get("user_id") or ""),
        bot_id=str(answer.get("bot_id") or ""),
        installed_at=now,
        team_name=str(answer.get("team") or ""),
    )
