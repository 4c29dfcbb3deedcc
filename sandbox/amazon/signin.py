"""Signing in to this Seller Central: who is at the browser, and in which country's store."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.amazon.pages import SELLER_CENTRAL, local_path, send, show, stale
from sandbox.amazon.world import AmazonWorld


def routes(world: AmazonWorld) -> list[BaseRoute]:
    async def home(request: Request) -> Response:
        return send(world, world.sessions.of(request), f"{SELLER_CENTRAL}/apps/manage")

    async def choose(request: Request) -> Response:
        return show(
            world,
            world.sessions.of(request),
            "sign_in.html",
            accounts=tuple(world.accounts.values()),
            return_to=local_path(request.query_params.get("return_to", "")),
        )

    async def sign_in(request: Request) -> Response:
        session = world.sessions.of(request)
        form = await request.form()
        if not session.sent_this(form):
            return stale(world, session)
        account = world.accounts.get(str(form.get("account", "")))
        marketplace = str(form.get("marketplace", ""))
        if account is None or marketplace not in account.marketplaces:
            return stale(world, session)
        fresh = world.sessions.sign_in(session, account.key, marketplace)
        return send(world, fresh, local_path(str(form.get("return_to", ""))))

    async def sign_out(request: Request) -> Response:
        session = world.sessions.of(request)
        if not session.sent_this(await request.form()):
            return stale(world, session)
        world.sessions.sign_out(session)
        return send(world, world.sessions.of(request), f"{SELLER_CENTRAL}/sign-in")

    async def change_marketplace(request: Request) -> Response:
        """Opens the other country's Seller Central; a consent page that was open is lost, as at Amazon."""
        session = world.sessions.of(request)
        form = await request.form()
        account = world.accounts.get(session.account_key)
        wanted = str(form.get("marketplace", ""))
        if not session.sent_this(form) or account is None or wanted not in account.marketplaces:
            return stale(world, session)
        session.marketplace = wanted
        return send(world, session, f"{SELLER_CENTRAL}/apps/manage")

    return [
        Route(f"{SELLER_CENTRAL}/", home),
        Route(f"{SELLER_CENTRAL}/sign-in", choose),
        Route(f"{SELLER_CENTRAL}/sign-in", sign_in, methods=["POST"]),
        Route(f"{SELLER_CENTRAL}/sign-out", sign_out, methods=["POST"]),
        Route(f"{SELLER_CENTRAL}/change-marketplace", change_marketplace, methods=["POST"]),
    ]
