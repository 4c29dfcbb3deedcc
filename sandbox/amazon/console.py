"""The control page for people: every switch as a form, every authorization with a button. No JavaScript."""

from itertools import groupby

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.amazon.accounts import SellerAccount
from sandbox.amazon.apps import SELLERS
from sandbox.amazon.clockface import day, minute
from sandbox.amazon.geography import MARKETPLACES
from sandbox.amazon.pages import send, show, stale
from sandbox.amazon.sessions import Session
from sandbox.amazon.switches import SWITCHES, SwitchError
from sandbox.amazon.world import AmazonWorld

HOME = "/amazon/"
_LATEST = 12


def _page(world: AmazonWorld, session: Session, *, problem: str = "", done: str = "") -> Response:
    values = world.switches.all()
    groups = [(name, list(rows)) for name, rows in groupby(SWITCHES, key=lambda switch: switch.group)]
    return show(
        world,
        session,
        "console.html",
        status=400 if problem else 200,
        problem=problem,
        done=done,
        now=minute(world.now()),
        groups=groups,
        values=values,
        changed=[switch.name for switch in SWITCHES if values[switch.name] != switch.default],
        apps=tuple(world.apps.values()),
        sellers={key: len(world.ledger.sellers_of(key, at=world.now())) for key in world.apps},
        sellers_role=SELLERS,
        held=[
            {
                "app": world.apps[held.app_key],
                "partner": held.selling_partner_id,
                "region": held.region,
                "granted": day(held.granted_at),
                "ends": day(held.ends_at),
                "status": held.status(at=world.now()),
            }
            for held in world.ledger.authorizations.values()
        ],
        marketplaces=tuple(MARKETPLACES.values()),
        calls=[(minute(call.at), call) for call in reversed(world.calls[-_LATEST:])],
    )


def _set_switches(world: AmazonWorld, form: FormData) -> str:
    # A box that is not ticked is not sent at all.
    world.switches.set({switch.name: str(form.get(switch.name, "")) for switch in SWITCHES})
    return "Switches saved."


def _change_app(world: AmazonWorld, form: FormData) -> str:
    app = world.apps[str(form.get("app", ""))]
    first = world.first_app(app.key)
    world.change_app(
        app.key,
        draft="draft" in form,
        listed="listed" in form,
        enabled="enabled" in form,
        roles=app.with_role(SELLERS, held="sellers_role" in form),
        redirect_uris=(app.redirect_uris or first.redirect_uris) if "redirect_uris" in form else (),
        login_uri=(app.login_uri or first.login_uri) if "login_uri" in form else "",
    )
    return f"{app.app_name} saved."


def _end(world: AmazonWorld, form: FormData) -> str:
    key = (str(form.get("app", "")), str(form.get("partner", "")), str(form.get("region", "")))
    if form.get("do") == "expire":
        world.ledger.expire(key, at=world.now())
        return "The authorization has ended, as if its year were over."
    world.ledger.revoke(key, at=world.now())
    return "The authorization is revoked."


def _add_account(world: AmazonWorld, form: FormData) -> str:
    partner = str(form.get("selling_partner_id", "")).strip()
    person = str(form.get("person", "")).strip()
    if not partner or not person:
        raise ValueError("An account needs a name and a selling partner id.")
    world.add_account(
        SellerAccount(
            key=partner,
            person=person,
            store_name=str(form.get("store_name", "")).strip() or person,
            selling_partner_id=partner,
            marketplaces=tuple(str(code) for code in form.getlist("marketplaces")),
            professional="individual" not in form,
        )
    )
    return f"{person} can sign in now."


_ACTS = {"switches": _set_switches, "app": _change_app, "end": _end, "account": _add_account}


def routes(world: AmazonWorld) -> list[BaseRoute]:
    async def bare(_request: Request) -> Response:
        return RedirectResponse(HOME)

    async def look(request: Request) -> Response:
        return _page(world, world.sessions.of(request))

    async def act(request: Request) -> Response:
        session = world.sessions.of(request)
        form = await request.form()
        if not session.sent_this(form):
            return stale(world, session)
        what = str(form.get("what", ""))
        if what == "reset":
            world.reset()
            return send(world, world.sessions.of(request), HOME)
        try:
            return _page(world, session, done=_ACTS[what](world, form))
        except SwitchError as wrong:
            return _page(world, session, problem=str(wrong))
        except (KeyError, ValueError) as wrong:
            return _page(world, session, problem=str(wrong.args[0]) if wrong.args else "That did not work.")

    return [Route("/amazon", bare), Route(HOME, look), Route(HOME, act, methods=["POST"])]
