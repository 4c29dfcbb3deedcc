"""The consent page: `/connect/{secret}`, where a seller gets ready, presses, and sees the result; with or without JavaScript.

Looking changes nothing; only forms do. What Amazon sends back is `consent_answers`' room.
"""

from __future__ import annotations

import io
import secrets as chance
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import segno
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.domain.consent import FINAL
from bot.domain.error_codes import recognise
from bot.domain.verification import Reason
from bot.errors import GrantdeskError, LinkExpired, LinkSpent, LinkUnknown, TryAgainLater, WeMustAct
from bot.i18n import Speaker
from bot.ports import Person
from bot.services.linking import Departure, Link
from handlers.consent_answers import Answers
from handlers.consent_guard import BADGE_COOKIE, CONNECT, Forms, FormTooLarge, Guard, read_form
from handlers.consent_rendering import PRIVATE, Pages, accepted_locale, chosen_locale
from handlers.consent_views import (
    PREPARATIONS,
    browser_of,
    connect_address,
    error_view,
    feature_view,
    forward_message,
    is_same_person,
    moment,
    next_feature,
    silent_reasons,
    standing,
)
from handlers.routing import Registry
from handlers.stories import Stories

log = structlog.get_logger(__name__)

#: `?code=` after a pasted text in which no error was found
_NOTHING = "none"
Endpoint = Callable[[Request], Awaitable[Response]]


def register(registry: Registry, stories: Stories) -> None:
    """The pages of `/connect` and `/amazon`, and what they are made of under `/static`."""
    pages = Pages(stories.names)
    guard = Guard(stories.public_url)
    page = ConsentPage(stories, pages, guard)
    told = _telling(pages)
    link = f"{CONNECT}/{{secret}}"
    registry.route(
        Route(link, told(page.look), methods=["GET"]),
        Route(link, told(page.press), methods=["POST"]),
        Route(f"{link}/status", told(page.status), methods=["GET"]),
        Route(f"{link}/leave", told(page.leave), methods=["GET"]),
        Route(f"{link}/code.svg", told(page.code), methods=["GET"]),
        Route(f"{link}/address", told(page.address), methods=["POST"]),
        Route(f"{link}/forward", told(page.forward), methods=["POST"]),
        Route(f"{link}/error", told(page.saw_error), methods=["POST"]),
        Route(f"{link}/next", told(page.go_on), methods=["POST"]),
        *Answers(stories, pages, guard).routes(told),
        pages.static.route(),
    )


@dataclass(frozen=True, slots=True)
class _Sent:
    """A form that one of our pages sent."""

    secret: str
    fields: Any
    forwarded: bool


class ConsentPage:
    """The endpoints of one link."""

    def __init__(self, stories: Stories, pages: Pages, guard: Guard) -> None:
        self._stories = stories
        self._pages = pages
        self._guard = guard

    # --- looking -----------------------------------------------------------------------------------------------------

    async def look(self, request: Request) -> Response:
        secret = request.path_params["secret"]
        granting = self._stories.granting
        link = await (granting.visits.follow(secret) if request.method == "HEAD" else granting.look(secret))
        return await self._page(request, link, secret)

    async def status(self, request: Request) -> Response:
        """For the script: how the link stands now."""
        link = await self._stories.granting.visits.follow(request.path_params["secret"])
        say = await self._speaker(request, link, forwarded=_is_forwarded(request))
        now = self._stories.clock()
        facts = standing(link, say, self._stories.names, now=now).facts()
        return JSONResponse(facts, headers=PRIVATE)

    async def leave(self, request: Request) -> Response:
        """The new tab's first page: it tells the page that opened it that it is there, then goes on to Amazon."""
        secret = request.path_params["secret"]
        link = await self._stories.granting.visits.follow(secret)
        if link.attempt.outcome in FINAL:
            raise LinkSpent
        forwarded = _is_forwarded(request)
        say = await self._speaker(request, link, forwarded=forwarded)
        forms = Forms.of(request)
        response = self._pages.show(
            request, "leave.html", say, here=f"{CONNECT}/{secret}", forwarded=forwarded, token=forms.token(secret)
        )
        self._guard.keep_forms(response, forms, CONNECT)
        return response

    async def code(self, request: Request) -> Response:
        """The page's own link as a QR code, for a phone or another machine."""
        secret = request.path_params["secret"]
        await self._stories.granting.visits.follow(secret)
        address = connect_address(self._stories.public_url, secret, forwarded=_is_forwarded(request))
        drawn = io.BytesIO()
        segno.make(address, error="m", micro=False).save(
            drawn, kind="svg", border=2, xmldecl=False, svgns=True, light="#fff", dark="#000", omitsize=True, nl=False
        )
        return Response(drawn.getvalue(), media_type="image/svg+xml", headers=PRIVATE)

    # --- pressing ----------------------------------------------------------------------------------------------------

    async def press(self, request: Request) -> Response:
        """The button: to Amazon, with a fresh state."""
        sent = await self._sent(request)
        if isinstance(sent, Response):
            return sent
        departure = await self._departure(request, sent)
        if isinstance(departure, Response):
            return departure
        response: Response
        if _wants_json(request):
            response = JSONResponse({"url": departure.url}, headers=PRIVATE)
        else:
            response = RedirectResponse(departure.url, 303, headers=PRIVATE)
        self._guard.keep_badge(response, self._stories.granting.visits.badge(departure.attempt))
        return response

    async def address(self, request: Request) -> Response:
        """*Copy Amazon's address*: for the browser that the store always uses. That browser is not this one: no badge."""
        sent = await self._sent(request)
        if isinstance(sent, Response):
            return sent
        departure = await self._departure(request, sent)
        if isinstance(departure, Response):
            return departure
        if _wants_json(request):
            return JSONResponse({"url": departure.url}, headers=PRIVATE)
        link = await self._stories.granting.visits.follow(sent.secret)
        return await self._page(request, link, sent.secret, forwarded=sent.forwarded, address=departure.url)

    async def forward(self, request: Request) -> Response:
        """*Forward to the primary user*: a message to send, with a link that needs no Slack."""
        sent = await self._sent(request)
        if isinstance(sent, Response):
            return sent
        link = await self._stories.granting.visits.forward(sent.secret)
        say = await self._speaker(request, link, forwarded=sent.forwarded)
        message = forward_message(
            say,
            self._stories.names,
            label=link.store.label,
            marketplace=say.marketplace(link.store.marketplace),
            feature=link.attempt.feature,
            expires_at=link.attempt.expires_at,
            address=connect_address(self._stories.public_url, sent.secret, forwarded=True),
        )
        if _wants_json(request):
            return JSONResponse({"message": message}, headers=PRIVATE)
        return await self._page(request, link, sent.secret, forwarded=sent.forwarded, message=message)

    async def saw_error(self, request: Request) -> Response:
        """*I saw an error*: what it means; a plain form is answered by its own address, so that a reload reports nothing twice."""
        sent = await self._sent(request)
        if isinstance(sent, Response):
            return sent
        link = await self._stories.granting.visits.follow(sent.secret)
        person = await self._person(link)
        found = await self._stories.support.saw_error(
            person, sent.fields.get("text", ""), store_id=link.store.id, feature=link.attempt.feature
        )
        if _wants_json(request):
            say = await self._speaker(request, link, forwarded=sent.forwarded)
            return JSONResponse(error_view(found, say, self._stories.names).facts(), headers=PRIVATE)
        code = quote(found.written) if found else _NOTHING
        whom = "for=primary&" if sent.forwarded else ""
        return RedirectResponse(f"{CONNECT}/{sent.secret}?{whom}code={code}#error", 303, headers=PRIVATE)

    async def go_on(self, request: Request) -> Response:
        """After success: a link for the other feature, in Slack and here."""
        sent = await self._sent(request)
        if isinstance(sent, Response):
            return sent
        link = await self._stories.granting.visits.follow(sent.secret)
        fresh = await self._stories.granting.onward(await self._person(link), link.attempt)
        return RedirectResponse(f"{CONNECT}/{fresh}{'?for=primary' if sent.forwarded else ''}", 303, headers=PRIVATE)

    # --- parts -------------------------------------------------------------------------------------------------------

    async def _page(
        self,
        request: Request,
        link: Link,
        secret: str,
        *,
        forwarded: bool | None = None,
        address: str = "",
        message: str = "",
    ) -> Response:
        stories, now = self._stories, self._stories.clock()
        forwarded = _is_forwarded(request) if forwarded is None else forwarded
        say = await self._speaker(request, link, forwarded=forwarded)
        forms = Forms.of(request)
        where = standing(link, say, stories.names, now=now)
        code = request.query_params.get("code", "")
        response = self._pages.show(
            request,
            "connect.html",
            say,
            status=410 if where.state == "ended" else 200,
            here=f"{CONNECT}/{secret}",
            token=forms.token(secret),
            forwarded=forwarded,
            label=link.store.label,
            marketplace=say.marketplace(link.store.marketplace),
            feature=feature_view(link.attempt.feature, say, stories.names),
            other=next_feature(link, say, stories.names, now=now),
            standing=where,
            renews=where.state == "ready" and link.grant.granted_at is not None,
            expires=moment(say, link.attempt.expires_at),
            preparations=PREPARATIONS,
            silent_reasons=silent_reasons(link, now=now),
            browser=browser_of(request.headers.get("user-agent", "")),
            error=error_view(recognise(code), say, stories.names) if code else None,
            address=address,
            message=message,
            team_id=link.attempt.team_id,
        )
        self._guard.keep_forms(response, forms, CONNECT)
        if request.query_params.get("lang") == say.locale:
            self._guard.keep_language(response, say.locale)
        return response

    async def _sent(self, request: Request) -> _Sent | Response:
        """The form, if one of our own pages sent it from this browser."""
        secret = request.path_params["secret"]
        fields = await read_form(request)
        if self._guard.is_ours(request) and Forms.of(request).accept(fields.get("token", ""), secret):
            return _Sent(secret, fields, forwarded=fields.get("for") == "primary")
        log.info("form refused", action="form_refused", site=request.headers.get("sec-fetch-site", "unknown"))
        say = Speaker(chosen_locale(request) or accepted_locale(request))
        return _problem(self._pages, request, say, say("page.stale.title"), say("page.stale.advice"), 403)

    async def _departure(self, request: Request, sent: _Sent) -> Departure | Response:
        """To Amazon, unless this browser is somebody else's: a lure to press another's button ends here.

        A forwarded link's page says whose store it is, and so it may be pressed by anybody.
        """
        granting = self._stories.granting
        badge = request.cookies.get(BADGE_COOKIE, "")
        worn = await granting.visits.whose(badge) if badge and not sent.forwarded else None
        if worn is not None:
            link = await granting.visits.follow(sent.secret)
            if not is_same_person(worn, link.attempt):
                say = await self._speaker(request, link, forwarded=sent.forwarded)
                title, advice = self._stories.names.refusal(
                    say, Reason.WRONG_PERSON.value, detail="", feature=link.attempt.feature
                )
                return _problem(self._pages, request, say, title, advice, 403)
        return await granting.press(sent.secret, forwarded=sent.forwarded)

    async def _person(self, link: Link) -> Person:
        return await self._stories.people.get(link.attempt.team_id, link.attempt.user_id)

    async def _speaker(self, request: Request, link: Link, *, forwarded: bool) -> Speaker:
        """The link's person's language; a primary user's own, of whom we know nothing but their browser."""
        person = await self._person(link)
        locale = chosen_locale(request) or (accepted_locale(request) if forwarded else person.locale)
        return Speaker(locale, tz=person.tz)


def _is_forwarded(request: Request) -> bool:
    return request.query_params.get("for") == "primary"


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


_STATUSES: tuple[tuple[type[GrantdeskError], int], ...] = (
    (LinkUnknown, 404),
    (LinkExpired, 410),
    (LinkSpent, 410),
    (TryAgainLater, 503),
    (WeMustAct, 500),
)


def _telling(pages: Pages) -> Callable[[Endpoint], Endpoint]:
    """Errors as pages, or as JSON for the script: what happened and the way back to Slack, and nothing about the link."""

    def told(endpoint: Endpoint) -> Endpoint:
        async def answered(request: Request) -> Response:
            try:
                return await endpoint(request)
            except FormTooLarge:
                key, facts, status = "page.too_much", {}, 413
            except GrantdeskError as problem:
                key, facts = problem.key, dict(problem.facts)
                status = next((code for kind, code in _STATUSES if isinstance(problem, kind)), 409)
                if isinstance(problem, WeMustAct):
                    key, facts = WeMustAct(incident="").key, {"incident": chance.token_hex(4)}
                    log.exception("page failed", action="unexpected", kind=type(problem).__name__, **facts)
            say = Speaker(chosen_locale(request) or accepted_locale(request))
            title = say(f"page.problem.{status}")
            return _problem(pages, request, say, title, say(key, **facts), status)

        return answered

    return told


def _problem(pages: Pages, request: Request, say: Speaker, title: str, advice: str, status: int) -> Response:
    if _wants_json(request) or request.url.path.endswith("/status"):
        return JSONResponse({"state": "ended", "title": title, "advice": advice}, status, headers=PRIVATE)
    return pages.say(request, say, title=title, advice=advice, status=status)
