"""The local Slack in one piece: state, outbound deliveries and all routes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.slack import api, control, oauth, responses
from sandbox.slack.deliver import Courier
from sandbox.slack.journal import Journal
from sandbox.slack.settings import SlackSettings
from sandbox.slack.workspace import Workspace
from sandbox.slack.world import World

PAGE_FOLDER = Path(__file__).parent / "page"

#: Nothing from elsewhere but the pictures that messages bring along.
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' http: https: data:; base-uri 'none'"


class LocalSlack:
    """`workspace` is what there is, `courier` talks to the bot."""

    def __init__(self, settings: SlackSettings, now: Callable[[], float]) -> None:
        self.world = World(now)
        self.journal = Journal(self.world.touch)
        self.courier = Courier(settings, self.world, self.journal)
        self.workspace = Workspace(
            settings=settings,
            world=self.world,
            journal=self.journal,
            announce=self._announce,
        )

    def _announce(self, event: dict[str, Any], who: str) -> None:
        self.courier.announce(event, who)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", _page, methods=["GET"]),
            Route("/archives/{channel}/p{stamp:int}", _permalink, methods=["GET"]),
            Mount("/static", StaticFiles(directory=PAGE_FOLDER)),
            *api.routes(self.workspace),
            *responses.routes(self.workspace),
            *oauth.routes(self.workspace),
            *control.routes(self.workspace, self.courier),
        ]

    async def close(self) -> None:
        await self.courier.close()


async def _page(_: Request) -> Response:
    return FileResponse(
        PAGE_FOLDER / "index.html", headers={"Cache-Control": "no-cache", "Content-Security-Policy": POLICY}
    )


async def _permalink(request: Request) -> Response:
    stamp = str(request.path_params["stamp"])
    ts = f"{stamp[:-6]}.{stamp[-6:]}"
    return RedirectResponse(f"/#{request.path_params['channel']}/{ts}")
