"""Slack's agent view, where a workspace has it: prompts to begin with, and a word while work is going on.

Nothing depends on it. A workspace that has none, or did not grant `assistant:write`, is asked again after an hour.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from slack_sdk.errors import SlackApiError

from handlers.routing import EventCall
from handlers.stories import Stories

log = structlog.get_logger(__name__)

#: Slack shows four at most: docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts
PROMPTS = 4
_ASK_AGAIN = timedelta(hours=1)


class AgentView:
    """Conversations beside what somebody is looking at."""

    def __init__(self, stories: Stories) -> None:
        self._stories = stories
        #: workspaces without it, and until when that is taken for granted
        self._without: dict[str, datetime] = {}

    async def opened(self, call: EventCall) -> None:
        """Somebody opened it, or looks at another channel now: the prompts follow their stores."""
        await call.ack()
        thread = call.event.get("assistant_thread") or {}
        user_id, channel_id, thread_ts = (str(thread.get(key) or "") for key in ("user_id", "channel_id", "thread_ts"))
        if not (user_id and channel_id and thread_ts) or not self._may_try(call.person.team_id):
            return
        person = await self._stories.people.get(call.person.team_id, user_id)
        library = self._stories.answering.library
        topics = (await self._stories.answering.likely_topics(person))[:PROMPTS]
        articles = [library.article(slug, person.locale) for slug in topics]
        try:
            await call.client.assistant_threads_setSuggestedPrompts(
                channel_id=channel_id,
                thread_ts=thread_ts,
                prompts=[{"title": article.short, "message": article.title} for article in articles],
            )
        except SlackApiError as refusal:
            self._note(call.person.team_id, refusal)

    async def works(self, call: EventCall, thread_ts: str) -> None:
        """Says that the question was heard; Slack takes it away with the answer."""
        if not self._may_try(call.person.team_id):
            return
        try:
            await call.client.assistant_threads_setStatus(
                channel_id=call.channel_id, thread_ts=thread_ts, status=call.say("agent.looking")
            )
        except SlackApiError as refusal:
            self._note(call.person.team_id, refusal)

    def _may_try(self, team_id: str) -> bool:
        until = self._without.get(team_id)
        return until is None or self._stories.clock() >= until

    def _note(self, team_id: str, refusal: SlackApiError) -> None:
        self._without[team_id] = self._stories.clock() + _ASK_AGAIN
        log.info("no agent view", action="no_agent_view", team=team_id, error=refusal.response.get("error"))
