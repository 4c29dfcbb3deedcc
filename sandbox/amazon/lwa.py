"""Login with Amazon's token endpoint: codes and refresh tokens in, access tokens out."""

import asyncio
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.amazon.apps import AmazonApp
from sandbox.amazon.ledger import ACCESS_LIFE, Authorization
from sandbox.amazon.world import AmazonWorld

SORRY = "<!doctype html><title>Service Unavailable</title><h1>We are sorry, something went wrong on our end.</h1>"

_ERRORS = {
    "invalid_request": (400, "The request is missing a required parameter : grant_type"),
    "unsupported_grant_type": (400, "The authorization grant type is not supported by the authorization server"),
    "invalid_client": (401, "Client authentication failed"),
    "unauthorized_client": (400, "Not authorized for requested operation"),
    "json_500": (500, "The authorization server encountered an unexpected condition"),
    "throttled": (429, "Request is throttled"),
}
_WORDS = {"json_500": "server_error", "throttled": "slow_down"}


def _answer(status: int, body: dict[str, Any]) -> Response:
    return JSONResponse(body, status_code=status, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


def _error(kind: str) -> Response:
    status, description = _ERRORS[kind]
    return _answer(status, {"error": _WORDS.get(kind, kind), "error_description": description})


def _invalid_grant(parameter: str) -> Response:
    description = f"The request has an invalid grant parameter : {parameter}"
    return _answer(400, {"error": "invalid_grant", "error_description": description})


async def _misbehave(world: AmazonWorld, app: AmazonApp | None) -> Response | None:
    """What the switches say about this request; None is the normal course."""
    switches = world.switches
    status, only = switches.text("lwa_status"), switches.text("lwa_app")
    if status == "ok" or (only and (app is None or app.key != only)):
        return None
    switches.use_up("lwa_next_n", "lwa_status")
    if status == "slow":
        await asyncio.sleep(switches.number("slow_seconds"))
        return None
    if status == "timeout":
        await asyncio.sleep(switches.number("timeout_seconds"))
        return HTMLResponse(SORRY, status_code=504)
    return HTMLResponse(SORRY, status_code=503) if status == "html_503" else _error(status)


def _tokens(world: AmazonWorld, held: Authorization, refresh_token: str) -> Response:
    return _answer(
        200,
        {
            "access_token": world.ledger.mint_access_token(held, at=world.now()),
            "refresh_token": refresh_token,
            "token_type": "bearer",
            "expires_in": ACCESS_LIFE,
        },
    )


def _exchange(world: AmazonWorld, app: AmazonApp, form: FormData) -> tuple[Response, str]:
    held = world.ledger.spend_code(
        str(form.get("code", "")),
        app_key=app.key,
        redirect_uri=str(form.get("redirect_uri", "")),
        at=world.now(),
    )
    if held is None:
        return _invalid_grant("code"), ""
    return _tokens(world, held, world.ledger.mint_refresh_token(held)), held.selling_partner_id


def _refresh(world: AmazonWorld, app: AmazonApp, form: FormData) -> tuple[Response, str]:
    token = str(form.get("refresh_token", ""))
    held = world.ledger.refreshed_by(token, app_key=app.key, at=world.now())
    if held is None:
        return _invalid_grant("refresh_token"), ""
    if world.switches.is_on("rotate_refresh_tokens"):
        world.ledger.retire_refresh_token(token)
        token = world.ledger.mint_refresh_token(held)
    return _tokens(world, held, token), held.selling_partner_id


_GRANTS = {"authorization_code": _exchange, "refresh_token": _refresh}


def routes(world: AmazonWorld) -> list[BaseRoute]:
    async def token(request: Request) -> Response:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/x-www-form-urlencoded":
            world.log("lwa.malformed", 400, note=content_type)
            return _error("invalid_request")
        form = await request.form()
        grant = str(form.get("grant_type", ""))
        app = world.client(str(form.get("client_id", "")))
        answer = await _misbehave(world, app)
        partner = ""
        if answer is None:
            if app is None or form.get("client_secret") != app.client_secret:
                answer = _error("invalid_client")
            elif not grant:
                answer = _error("invalid_request")
            elif grant not in _GRANTS:
                answer = _error("unsupported_grant_type")
            else:
                answer, partner = _GRANTS[grant](world, app, form)
        endpoint = f"lwa.{grant}" if grant in _GRANTS else "lwa.malformed"
        world.log(endpoint, answer.status_code, app=app.key if app else "", partner=partner)
        return answer

    return [Route("/amazon/lwa/auth/o2/token", token, methods=["POST"])]
