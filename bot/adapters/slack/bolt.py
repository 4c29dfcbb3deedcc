"""Makes Bolt's app the way this house wants it: by its arguments alone, whatever the environment says."""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import cast

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.workspaces import Workspaces

Authorize = Callable[..., Awaitable[AuthorizeResult | None]]

#: Bolt reads these behind its caller's back: the pair switches it to OAuth with tokens in files, the others become defaults
_READ_BY_BOLT = (
    "SLACK_CLIENT_ID",
    "SLACK_CLIENT_SECRET",
    "SLACK_BOT_TOKEN",
    "SLACK_SIGNING_SECRET",
    "SLACK_VERIFICATION_TOKEN",
    "SLACK_SCOPES",
    "SLACK_USER_SCOPES",
)


@contextmanager
def without_slack_environment() -> Iterator[None]:
    """Takes Slack's variables out of the environment for as long as the block lasts."""
    hidden = {name: os.environ.pop(name) for name in _READ_BY_BOLT if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


def authorize_by(workspaces: Workspaces) -> Authorize:
    """Bolt's `authorize` from our own rows: no call to Slack. A plain function, because Bolt hands a method `self=None`."""

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
        found = await workspaces.find(team_id) if team_id else None
        if found is None:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=found.team_id,
            bot_token=found.bot_token,
            bot_id=found.bot_id or None,
            bot_user_id=found.bot_user_id or None,
        )

    return authorize


def make_bolt(*, client: AsyncWebClient, authorize: Authorize, not_installed: str | None = None) -> AsyncApp:
    """An app that acks after its listener has run, behind an ingress that has verified and parsed everything.

    `not_installed` is said to people whose workspace we have no token for.
    """
    logger = logging.getLogger("grantdesk.bolt")
    # Below that level Bolt quotes payloads: what nobody listens for, what failed its checks.
    logger.setLevel(logging.ERROR)
    with without_slack_environment():
        return AsyncApp(
            name=logger.name,  # Bolt sets the level of the logger with the name of its app
            logger=logger,
            client=client,
            # None is how Bolt is told that there is no installation, though its annotation does not say so.
            authorize=cast("Callable[..., Awaitable[AuthorizeResult]]", authorize),
            signing_secret="",
            process_before_response=True,
            request_verification_enabled=False,
            ssl_check_enabled=False,
            url_verification_enabled=False,
            user_facing_authorize_error_message=not_installed,
        )
