"""HTML out of templates: compiled once, escaped always, in the reader's language."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from bot.i18n import LOCALES, Speaker, locale_for
from bot.services.naming import Names
from handlers.consent_guard import LANGUAGE_COOKIE

_FOLDER = Path(__file__).parent / "pages"
_STATIC = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}

#: characters that fit into a line of a phone's heading
_SHORT = 14

#: addresses that carry what Amazon sent, and are not kept
_PASSING = ("/callback", "/login")
#: what a page's address may hold besides its language
_KEPT = ("for", "code")

#: each language in its own words: whoever needs the switch cannot read the page
LANGUAGE_NAMES: Mapping[str, str] = {"en": "English", "zh-CN": "简体中文", "zh-TW": "繁體中文"}

#: a page about one person: kept nowhere, and its address, which is a secret, told to nobody
PRIVATE = {"cache-control": "no-store", "referrer-policy": "no-referrer", "x-robots-tag": "noindex, nofollow"}


@dataclass(frozen=True, slots=True)
class _File:
    media_type: str
    plain: bytes
    packed: bytes
    version: str


class StaticFiles:
    """The style sheet and the script, in memory, under addresses that change with their content."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}
        for name, media_type in _STATIC.items():
            plain = (_FOLDER / "static" / name).read_bytes()
            version = hashlib.sha256(plain).hexdigest()[:12]
            self._files[name] = _File(media_type, plain, gzip.compress(plain, mtime=0), version)

    def address(self, name: str) -> str:
        return f"/static/{name}?v={self._files[name].version}"

    def route(self) -> Route:
        return Route("/static/{name}", self._serve, methods=["GET"])

    async def _serve(self, request: Request) -> Response:
        file = self._files.get(request.path_params["name"])
        if file is None:
            return Response("Not found\n", 404, media_type="text/plain")
        lasting = request.query_params.get("v") == file.version
        headers = {
            "cache-control": "public, max-age=31536000, immutable" if lasting else "no-cache",
            "etag": f'"{file.version}"',
            "vary": "Accept-Encoding",
        }
        if headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.packed, headers={**headers, "content-encoding": "gzip"}, media_type=file.media_type)
        return Response(file.plain, headers=headers, media_type=file.media_type)


class Pages:
    """Every page of the consent: `show` puts one into words."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self.static = StaticFiles()
        self._environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals["static"] = self.static.address
        self._environment.filters["whole"] = _whole
        self._templates = {
            path.name: self._environment.get_template(path.name) for path in sorted(_FOLDER.glob("*.html"))
        }

    def show(self, request: Request, name: str, say: Speaker, *, status: int = 200, **facts: Any) -> HTMLResponse:
        """A page. HEAD gets its headers only: Starlette's server drops the body."""
        body = self._templates[name].render(
            say=say,
            systems=self._names.facts(say),
            languages=_switches(request, str(facts.get("here", ""))),
            **facts,
        )
        return HTMLResponse(body, status, headers={**PRIVATE, "content-language": say.locale})

    def plain(self, request: Request, say: Speaker, key: str, *, status: int, **facts: object) -> HTMLResponse:
        """A page that says one thing: `page.<key>.title` and `page.<key>.advice`."""
        return self.say(
            request,
            say,
            title=say(f"page.{key}.title", **facts),
            advice=say(f"page.{key}.advice", **facts),
            status=status,
        )

    def say(self, request: Request, say: Speaker, *, title: str, advice: str, status: int) -> HTMLResponse:
        return self.show(request, "message.html", say, status=status, title=title, advice=advice)


def chosen_locale(request: Request) -> str | None:
    """The language that somebody chose on a page: just now, or before."""
    for tag in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if tag in LOCALES:
            return tag
    return None


def accepted_locale(request: Request) -> str:
    """The first language we speak of those the browser asks for; those marked with q=0 it does not want."""
    wanted = []
    for place, part in enumerate(request.headers.get("accept-language", "").split(",")[:20]):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            weight = 0.0
        if weight > 0 and tag[:2].casefold() in ("en", "zh"):
            wanted.append((-weight, place, tag))
    return locale_for(min(wanted)[2]) if wanted else locale_for(None)


def _whole(label: str) -> str:
    """A short label that stays in one line of a heading."""
    return label.replace(" ", "\u00a0") if len(label) <= _SHORT else label


def _switches(request: Request, here: str) -> list[dict[str, str]]:
    """The same page in each language. None where its address is not its own: a form's answer, or a visit from Amazon."""
    if not here:
        if request.method not in ("GET", "HEAD") or request.url.path.endswith(_PASSING):
            return []
        here = request.url.path
    kept = {name: request.query_params[name] for name in _KEPT if name in request.query_params}
    return [
        {"locale": locale, "name": LANGUAGE_NAMES[locale], "address": f"{here}?{urlencode({'lang': locale, **kept})}"}
        for locale in LOCALES
    ]


def busy_page(names: Names) -> Callable[[Scope, int], Response]:
    """What somebody sees who called too often, in their browser's language."""
    pages = Pages(names)

    def show(scope: Scope, seconds: int) -> Response:
        request = Request(scope)
        say = Speaker(chosen_locale(request) or accepted_locale(request))
        return pages.plain(request, say, "busy", status=HTTPStatus.TOO_MANY_REQUESTS, seconds=seconds)

    return show
