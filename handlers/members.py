"""Who somebody in the workspace is, asked of Slack: whether there is such a person, and what they are called."""

from __future__ import annotations

import re
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import UnknownPerson
from handlers.routing import Call

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)>")
#: Slack's words for somebody it does not know, or will not show us
_NOBODY = frozenset({"user_not_found", "user_not_visible", "users_not_found"})


async def profile_of(client: AsyncWebClient, user_id: str) -> dict[str, Any]:
    """Slack's `users.info`. Raises UnknownPerson when there is nobody of that id."""
    try:
        return dict((await client.users_info(user=user_id))["user"])
    except SlackApiError as refused:
        if refused.response.get("error") not in _NOBODY:
            raise
        raise UnknownPerson from None


async def require_person(call: Call, user_id: str) -> None:
    """Raises UnknownPerson for nobody, for an app, and for whoever has left or belongs to another workspace."""
    profile = await profile_of(call.client, user_id)
    if profile.get("is_bot") or profile.get("deleted") or profile.get("team_id") not in (None, call.person.team_id):
        raise UnknownPerson


async def named(client: AsyncWebClient, sentence: str) -> str:
    """The sentence with names in place of mentions: under a form's input Slack shows them as they are written."""
    for user_id in set(_MENTION.findall(sentence)):
        try:
            profile = await profile_of(client, user_id)
        except (UnknownPerson, SlackApiError):
            continue
        shown = (profile.get("profile") or {}).get("display_name") or profile.get("real_name") or profile.get("name")
        sentence = sentence.replace(f"<@{user_id}>", f"@{shown or user_id}")
    return sentence
