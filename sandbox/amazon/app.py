"""The routes of this Amazon, put together. Everything lies under /amazon and /control/amazon."""

from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from sandbox.amazon import consent, console, control, lwa, manage, signin, spapi
from sandbox.amazon.apps import AmazonApp, default_apps
from sandbox.amazon.pages import STATIC_FOLDER
from sandbox.amazon.world import AmazonWorld

__all__ = ["AmazonApp", "AmazonWorld", "default_apps", "routes"]


def routes(world: AmazonWorld) -> list[BaseRoute]:
    return [
        Mount("/amazon/static", StaticFiles(directory=STATIC_FOLDER)),
        *signin.routes(world),
        *consent.routes(world),
        *manage.routes(world),
        *lwa.routes(world),
        *spapi.routes(world),
        *console.routes(world),
        *control.routes(world),
    ]
