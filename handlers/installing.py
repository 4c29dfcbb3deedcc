"""Adds the bot to a workspace (`/slack/install`), and forgets a workspace that removed it. Profiles that change are read anew."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.i18n import Speaker
from bot.ports import Installation
from handlers.consent_rendering import Pages, accepted_locale, chosen_locale
from handlers.routing import EventCall, Registry
from handlers.stories import Installer, Stories

#: seconds that an installation may take
_COOKIE_SECONDS = 600


def register(registry: Registry, stories: Stories) -> None:
    """Hangs the capability on the registry."""
    edge = _Workspaces(stories)
    registry.event("app_uninstalled", edge.removed)
    registry.event("tokens_revoked", edge.removed)
    registry.event("user_change", edge.changed)
    if stories.installer is not None:
        routes = _Installing(stories, stories.installer)
        registry.route(
            Route("/slack/install", routes.begin, methods=["GET"]),
            Route("/slack/oauth_redirect", routes.finish, methods=["GET"]),
        )


class _Workspaces:
    def __init__(self, stories: Stories) -> None:
        self._stories = stories

    async def removed(self, call: EventCall) -> None:
        """The app was removed, or the bot's token taken away: what opened the workspace goes, unless it came back since."""
        tokens = call.event.get("tokens")
        if call.kind == "tokens_revoked" and not (isinstance(tokens, Mapping) and tokens.get("bot")):
            return
        await self._stories.workspaces.remove(call.person.team_id, said_at=call.at)

    async def changed(self, call: EventCall) -> None:
        """Somebody changed their language or time zone, perhaps."""
        await self._stories.people.forget(call.person.team_id, call.person.user_id)


class _Installing:
    def __init__(self, stories: Stories, installer: Installer) -> None:
        self._installer = installer
        self._secure = stories.public_url.startswith("https:")
        self._pages = Pages(stories.names)

    async def begin(self, request: Request) -> Response:
        del request
        departure = await self._installer.begin()
        response = RedirectResponse(departure.url, status_code=302, headers={"cache-control": "no-store"})
        response.set_cookie(
            self._installer.cookie_name,
            departure.cookie,
            max_age=_COOKIE_SECONDS,
            path="/slack",
            httponly=True,
            secure=self._secure,
            samesite="lax",
        )
        return response

    async def finish(self, request: Request) -> Response:
        cookie = request.cookies.get(self._installer.cookie_name)
        outcome = await self._installer.finish(request.query_params, cookie=cookie)
        say = Speaker(chosen_locale(request) or accepted_locale(request))
        done = isinstance(outcome, Installation)
        word = "done" if done else str(outcome)
        response = self._pages.say(
            request,
            say,
            title=say(f"install.{word}.title"),
            advice=say(f"install.{word}.advice"),
            status=200 if done else 400,
        )
        response.delete_cookie(self._installer.cookie_name, path="/slack")
        return response
