"""The consent page: a developer's link comes in, and the browser goes back with a code, or never."""

from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.amazon.accounts import SellerAccount
from sandbox.amazon.apps import AmazonApp
from sandbox.amazon.geography import MARKETPLACES, REGIONS
from sandbox.amazon.pages import SELLER_CENTRAL, here, send, show, show_error, stale, with_query
from sandbox.amazon.rules import Link, fault_of_account, fault_of_link, is_draft
from sandbox.amazon.sessions import Session
from sandbox.amazon.world import PATIENCE, AmazonWorld, PendingConsent

AUTHORIZE = f"{SELLER_CENTRAL}/apps/authorize"


def to_sign_in(world: AmazonWorld, session: Session, request: Request) -> Response:
    return send(world, session, f"{SELLER_CENTRAL}/sign-in?{urlencode({'return_to': here(request)})}")


def _link(application_id: str, query: QueryParams) -> Link:
    return Link(
        application_id=application_id,
        state=query.get("state", ""),
        redirect_uri=query.get("redirect_uri", ""),
        version=query.get("version", ""),
    )


def _says_yes(
    world: AmazonWorld,
    session: Session,
    *,
    app: AmazonApp,
    account: SellerAccount,
    marketplace: str,
    state: str,
    redirect_uri: str,
) -> Response:
    """Writes the authorization and sends the browser back with a code."""
    held = world.grant(app, account, marketplace)
    world.log("sellercentral.consent", 302, app=app.key, partner=held.selling_partner_id, note=held.region)
    if world.switches.is_on("silent"):
        return send(world, session, f"{AUTHORIZE}/confirmed/{app.key}")
    target = with_query(
        redirect_uri,
        state=state,
        selling_partner_id=held.selling_partner_id,
        # Amazon still sends this leftover of an older API; whoever reads it is wrong.
        mws_auth_token="amzn.mws.00000000-sandbox",
        spapi_oauth_code=world.ledger.mint_code(held, redirect_uri, at=world.now()),
    )
    return send(world, session, target, status=302)


def _ask(world: AmazonWorld, session: Session, ticket: str, pending: PendingConsent, *, missed: bool) -> Response:
    app = world.apps[pending.app_key]
    return show(
        world,
        session,
        "consent.html",
        status=400 if missed else 200,
        app=app,
        draft=is_draft(world, app),
        ticket=ticket,
        region=REGIONS[MARKETPLACES[pending.marketplace].region],
        back=f"{AUTHORIZE}/consent?"
        + urlencode(
            {
                "application_id": app.application_id,
                "state": pending.state,
                "redirect_uri": pending.redirect_uri,
                **({"version": "beta"} if is_draft(world, app) else {}),
            }
        ),
        missed=missed,
    )


class _Consent:
    """The endpoints of the consent."""

    def __init__(self, world: AmazonWorld) -> None:
        self._world = world

    async def opens(self, request: Request) -> Response:
        world = self._world
        session = world.sessions.of(request)
        account = world.accounts.get(session.account_key)
        if account is None:
            return to_sign_in(world, session, request)
        link = _link(request.query_params.get("application_id", ""), request.query_params)
        fault = fault_of_link(world, link)
        app = world.app(link.application_id)
        if fault or app is None:
            return show_error(world, session, fault or "MD9999", app_key=app.key if app else "")
        if fault := fault_of_account(world, app, account):
            return show_error(world, session, fault, app_key=app.key)
        pending = PendingConsent(
            app_key=app.key,
            session_id=session.id,
            account_key=account.key,
            marketplace=session.marketplace,
            state=link.state,
            redirect_uri=link.redirect_uri,
            minted_at=world.now(),
        )
        world.log("sellercentral.consent_page", 200, app=app.key, partner=account.selling_partner_id)
        return _ask(world, session, world.begin_consent(pending), pending, missed=False)

    async def answers(self, request: Request) -> Response:
        world = self._world
        session = world.sessions.of(request)
        form = await request.form()
        ticket = str(form.get("ticket", ""))
        pending = world.consents.get(ticket)
        if not session.sent_this(form) or pending is None or pending.session_id != session.id:
            return stale(world, session)
        app, account = world.apps[pending.app_key], world.accounts[pending.account_key]
        if form.get("answer") == "cancel":
            del world.consents[ticket]
            world.log("sellercentral.cancel", 303, app=app.key, partner=account.selling_partner_id)
            return send(world, session, f"{AUTHORIZE}/cancelled/{app.key}")
        # Amazon loses the request when the seller changes the marketplace, or takes too long.
        late = world.now() - pending.minted_at > PATIENCE
        if late or session.marketplace != pending.marketplace:
            return show_error(world, session, "MD9999", app_key=app.key)
        if fault := world.switches.text("md_code") or fault_of_account(world, app, account):
            return show_error(world, session, fault, app_key=app.key)
        if form.get("agree") != "yes":
            return _ask(world, session, ticket, pending, missed=True)
        del world.consents[ticket]
        return _says_yes(
            world,
            session,
            app=app,
            account=account,
            marketplace=pending.marketplace,
            state=pending.state,
            redirect_uri=pending.redirect_uri,
        )

    async def confirm(self, request: Request) -> Response:
        """The developer's login URI sends the browser here; the seller has consented before."""
        world = self._world
        session = world.sessions.of(request)
        link = _link(request.path_params["application_id"], request.query_params)
        app = world.app(link.application_id)
        if (fault := fault_of_link(world, link)) or app is None:
            return show_error(world, session, fault or "MD9999", app_key=app.key if app else "")
        login = world.logins.pop(request.query_params.get("amazon_state", ""), None)
        # amazon_state must be one that Amazon gave to this very browser for this very app, not long ago.
        if (
            login is None
            or (login.app_key, login.session_id) != (app.key, session.id)
            or world.now() - login.minted_at > PATIENCE
        ):
            return show_error(world, session, "MD9999", app_key=app.key)
        account = world.accounts[login.account_key]
        if fault := fault_of_account(world, app, account):
            return show_error(world, session, fault, app_key=app.key)
        return _says_yes(
            world,
            session,
            app=app,
            account=account,
            marketplace=login.marketplace,
            state=link.state,
            redirect_uri=link.redirect_uri,
        )

    async def cancelled(self, request: Request) -> Response:
        return self._says(request, "Authorization cancelled", "was not given access.")

    async def confirmed(self, request: Request) -> Response:
        return self._says(request, "Authorization confirmed", "has access to your selling account.")

    def _says(self, request: Request, heading: str, outcome: str) -> Response:
        session = self._world.sessions.of(request)
        app = self._world.app(request.path_params["key"])
        if app is None:
            return show_error(self._world, session, "SPSA0404")
        text = f"{app.app_name} {outcome} You can close this page."
        return show(self._world, session, "message.html", heading=heading, text=text)


def routes(world: AmazonWorld) -> list[BaseRoute]:
    edge = _Consent(world)
    return [
        Route(f"{AUTHORIZE}/consent", edge.opens),
        Route(f"{AUTHORIZE}/consent", edge.answers, methods=["POST"]),
        Route(f"{AUTHORIZE}/confirm/{{application_id}}", edge.confirm),
        Route(f"{AUTHORIZE}/cancelled/{{key}}", edge.cancelled),
        Route(f"{AUTHORIZE}/confirmed/{{key}}", edge.confirmed),
    ]
