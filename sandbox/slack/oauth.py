"""Installing the app: the page that asks for permission, and the code it answers with."""

import base64
import binascii
import html
import secrets
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.slack.calls import Arguments
from sandbox.slack.people import APP_ID, BOT_USER, TEAM_ID, TEAM_NAME
from sandbox.slack.workspace import Json, Workspace
from sandbox.slack.world import SlackError

CODE_SECONDS = 600.0

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Install Grantdesk</title><link rel="stylesheet" href="/static/style.css">
<link rel="icon" href="/static/icon.svg"></head>
<body class="plain"><main class="sheet"><h1>Grantdesk asks for permission</h1>
<p>It wants to join <strong>{team}</strong> with these permissions:</p><ul>{scopes}</ul>
<form method="post"><label>Signed in as <select name="user">{people}</select></label>
<p class="row"><button class="primary" name="answer" value="allow">Allow</button>
<button name="answer" value="cancel">Cancel</button></p></form></main></body></html>"""


def _refusal(sentence: str) -> Response:
    return HTMLResponse(f"<!doctype html><title>Slack</title><p>{html.escape(sentence)}</p>", 400)


def routes(workspace: Workspace) -> list[Route]:
    async def authorize(request: Request) -> Response:
        query = request.query_params
        if query.get("client_id") != workspace.settings.client_id:
            return _refusal("Invalid client_id parameter")
        redirect_uri = query.get("redirect_uri", "")
        if urlsplit(redirect_uri).scheme not in {"http", "https"}:
            return _refusal("redirect_uri did not match any configured URIs")
        if request.method == "GET":
            scopes = [scope for scope in query.get("scope", "").split(",") if scope]
            people = [person for person in workspace.world.people.values() if not person.bot]
            return HTMLResponse(
                PAGE.format(
                    team=html.escape(TEAM_NAME),
                    scopes="".join(f"<li><code>{html.escape(scope)}</code></li>" for scope in scopes),
                    people="".join(
                        f'<option value="{person.id}">{html.escape(person.real_name)}</option>' for person in people
                    ),
                )
            )
        form = await request.form()
        answer = {"error": "access_denied"}
        if form.get("answer") == "allow":
            code = f"sandbox.{secrets.token_urlsafe(16)}"
            user = workspace.world.person(str(form.get("user"))).id
            workspace.codes[code] = (user, redirect_uri, workspace.world.now())
            answer = {"code": code}
        joint = "&" if urlsplit(redirect_uri).query else "?"
        target = redirect_uri + joint + urlencode(answer | {"state": query.get("state", "")})
        return RedirectResponse(target, 303)

    return [Route("/oauth/v2/authorize", authorize, methods=["GET", "POST"])]


def credentials(authorization: str, args: Arguments) -> tuple[str, str]:
    """Client id and secret, by Basic authentication or as arguments."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return client_id, secret
    return args.text("client_id"), args.text("client_secret")


def access(workspace: Workspace, args: Arguments, authorization: str) -> Json:
    """`oauth.v2.access`: a code is good once, for ten minutes, with the same redirect URI."""
    settings = workspace.settings
    client_id, secret = credentials(authorization, args)
    if client_id != settings.client_id:
        raise SlackError("invalid_client_id")
    if secret != settings.client_secret:
        raise SlackError("bad_client_secret")
    user, redirect_uri, issued = workspace.codes.pop(args.text("code"), ("", "", 0.0))
    if not user or workspace.world.now() - issued > CODE_SECONDS:
        raise SlackError("invalid_code")
    if args.text("redirect_uri") and args.text("redirect_uri") != redirect_uri:
        raise SlackError("bad_redirect_uri")
    workspace.world.installed = True
    return {
        "app_id": APP_ID,
        "authed_user": {"id": user},
        "scope": ",".join(settings.scopes),
        "token_type": "bot",
        "access_token": settings.bot_token,
        "bot_user_id": BOT_USER,
        "team": {"id": TEAM_ID, "name": TEAM_NAME},
        "enterprise": None,
        "is_enterprise_install": False,
    }
