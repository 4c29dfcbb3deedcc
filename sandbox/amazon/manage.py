"""Manage Your Apps and the Appstore: where a seller renews, disables, or starts from Amazon's side."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.amazon.apps import AmazonApp
from sandbox.amazon.clockface import day
from sandbox.amazon.consent import AUTHORIZE, to_sign_in
from sandbox.amazon.geography import MARKETPLACES
from sandbox.amazon.pages import SELLER_CENTRAL, send, show, show_error, stale, with_query
from sandbox.amazon.rules import fault_of_account, is_draft
from sandbox.amazon.sessions import Session
from sandbox.amazon.world import AmazonWorld, PendingLogin

MANAGE = f"{SELLER_CENTRAL}/apps/manage"
STORE = f"{SELLER_CENTRAL}/apps/store"

_NOTICES = {"disabled": "The app no longer has access to this account."}


def _to_login_uri(world: AmazonWorld, session: Session, request: Request, app: AmazonApp) -> Response:
    """The seller has agreed; now the developer must say which of its users this is."""
    if not app.login_uri:
        return show_error(world, session, "MD5100", app_key=app.key)
    account = world.accounts[session.account_key]
    if fault := world.switches.text("md_code") or fault_of_account(world, app, account):
        return show_error(world, session, fault, app_key=app.key)
    state = world.begin_login(
        PendingLogin(app.key, session.id, account.key, session.marketplace, minted_at=world.now())
    )
    path = f"/apps/authorize/confirm/{app.application_id}"
    base = urlsplit(str(request.base_url))
    absolute = f"{base.scheme}://{base.netloc}{AUTHORIZE}/confirm/{app.application_id}"
    target = with_query(
        app.login_uri,
        amazon_callback_uri=path if world.switches.is_on("relative_callback_uri") else absolute,
        amazon_state=state,
        selling_partner_id=account.selling_partner_id,
        **({"version": "beta"} if is_draft(world, app) else {}),
    )
    world.log("sellercentral.login_uri", 302, app=app.key, partner=account.selling_partner_id)
    return send(world, session, target, status=302)


class _Apps:
    """The endpoints of Manage Your Apps and of the Appstore."""

    def __init__(self, world: AmazonWorld) -> None:
        self._world = world

    async def manage(self, request: Request) -> Response:
        world = self._world
        session = world.sessions.of(request)
        account = world.accounts.get(session.account_key)
        if account is None:
            return to_sign_in(world, session, request)
        if not account.may_authorize:
            return show_error(world, session, "SPDC8143")
        region = MARKETPLACES[session.marketplace].region
        rows = [
            {
                "app": world.apps[held.app_key],
                "granted": day(held.granted_at),
                "ends": day(held.ends_at),
                "status": held.status(at=world.now()),
            }
            for held in world.ledger.authorizations.values()
            if held.selling_partner_id == account.selling_partner_id and held.region == region
        ]
        notice = _NOTICES.get(request.query_params.get("notice", ""), "")
        return show(world, session, "manage.html", rows=rows, region=region, notice=notice)

    async def act(self, request: Request) -> Response:
        world = self._world
        session = world.sessions.of(request)
        form = await request.form()
        account = world.accounts.get(session.account_key)
        app = world.app(str(form.get("app", "")))
        if not session.sent_this(form) or account is None or app is None or not account.may_authorize:
            return stale(world, session)
        region = MARKETPLACES[session.marketplace].region
        held = world.authorization(app.key, account.selling_partner_id, region)
        if held is None:
            return stale(world, session)
        if form.get("do") == "reauthorize":
            return _to_login_uri(world, session, request, app)
        world.ledger.revoke(held.key, at=world.now())
        world.log("sellercentral.disable", 303, app=app.key, partner=account.selling_partner_id, note=region)
        return send(world, session, f"{MANAGE}?notice=disabled")

    async def shelf(self, request: Request) -> Response:
        world = self._world
        apps = [app for app in world.apps.values() if app.listed]
        return show(world, world.sessions.of(request), "store.html", apps=apps)

    async def detail(self, request: Request) -> Response:
        world = self._world
        session = world.sessions.of(request)
        app = world.app(request.path_params["app"])
        if app is None or not app.listed:
            return show_error(world, session, "SPSA0404")
        return show(world, session, "store_app.html", app=app, missed=False)

    async def authorize(self, request: Request) -> Response:
        world = self._world
        session = world.sessions.of(request)
        app = world.app(request.path_params["app"])
        if app is None or not app.listed:
            return show_error(world, session, "SPSA0404")
        form = await request.form()
        if not session.sent_this(form):
            return stale(world, session)
        if session.account_key not in world.accounts:
            return to_sign_in(world, session, request)
        if form.get("agree") != "yes":
            return show(world, session, "store_app.html", status=400, app=app, missed=True)
        return _to_login_uri(world, session, request, app)


def routes(world: AmazonWorld) -> list[BaseRoute]:
    edge = _Apps(world)
    return [
        Route(MANAGE, edge.manage),
        Route(MANAGE, edge.act, methods=["POST"]),
        Route(STORE, edge.shelf),
        Route(f"{STORE}/{{app}}", edge.detail),
        Route(f"{STORE}/{{app}}", edge.authorize, methods=["POST"]),
    ]
