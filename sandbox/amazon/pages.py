"""How a page leaves this Amazon: templates, the sign-in cookie, and headers that keep secrets at home."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sandbox.amazon.errors import ERROR_PAGES
from sandbox.amazon.geography import MARKETPLACES, REGIONS
from sandbox.amazon.sessions import Session, remember
from sandbox.amazon.world import AmazonWorld

SELLER_CENTRAL = "/amazon/sellercentral"

_HERE = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
STATIC_FOLDER = _HERE / "static"


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def _protect(world: AmazonWorld, response: Response) -> Response:
    # Chromium applies form-action to the redirects that follow a form, so the registered URIs are named.
    targets = {_origin(uri) for app in world.apps.values() for uri in (*app.redirect_uris, app.login_uri) if uri}
    forms = " ".join(["'self'", *sorted(targets)])
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; img-src 'self'; form-action {forms}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


def show(world: AmazonWorld, session: Session, template: str, *, status: int = 200, **context: Any) -> Response:
    """Renders a page for whoever is signed in."""
    html = _TEMPLATES.get_template(template).render(
        session=session,
        account=world.accounts.get(session.account_key),
        place=MARKETPLACES.get(session.marketplace),
        regions=REGIONS,
        root=SELLER_CENTRAL,
        **context,
    )
    response = HTMLResponse(html, status_code=status)
    remember(response, session)
    return _protect(world, response)


def show_error(world: AmazonWorld, session: Session, code: str, *, app_key: str = "") -> Response:
    """An error page of Amazon's: from here nobody is called back."""
    row = ERROR_PAGES[code]
    world.log("sellercentral.error", row.status, app=app_key, note=row.code)
    return show(world, session, "error.html", status=row.status, error=row)


def send(world: AmazonWorld, session: Session, target: str, *, status: int = 303) -> Response:
    response = RedirectResponse(target, status_code=status)
    remember(response, session)
    return _protect(world, response)


def stale(world: AmazonWorld, session: Session) -> Response:
    """A form that did not come from our page in this browser."""
    return show(
        world,
        session,
        "message.html",
        status=403,
        heading="This page is out of date",
        text="Nothing was changed. Open the page again and repeat what you did.",
    )


def with_query(uri: str, **more: str) -> str:
    """Adds parameters to a URI that may have some already."""
    parts = urlsplit(uri)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *more.items()])
    return urlunsplit(parts._replace(query=query))


def local_path(raw: str) -> str:
    """Where to go after signing in: only ever a page of this Seller Central."""
    inside = raw.startswith(f"{SELLER_CENTRAL}/") and ".." not in raw.partition("?")[0]
    return raw if inside and raw.isprintable() and "\\" not in raw else f"{SELLER_CENTRAL}/apps/manage"


def here(request: Request) -> str:
    """This page's own path and query."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
