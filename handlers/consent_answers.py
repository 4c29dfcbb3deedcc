"""What Amazon's browser redirects bring: the callback, the result it leads to, and the login URI.

Addresses with a code or a state in them are left at once for clean ones. HEAD spends nothing: scanners send it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bot.domain.consent import ConsentState, Outcome
from bot.domain.features import FeatureKey
from bot.domain.verification import Reason, Verified
from bot.errors import LinkUnknown
from bot.i18n import Speaker
from bot.services.amazon_answers import AmazonAnswer
from bot.services.linking import Link
from bot.services.visiting import PRIMARY_USER
from handlers.consent_guard import AMAZON, BADGE_COOKIE, CONNECT, Forms, Guard, read_form
from handlers.consent_rendering import PRIVATE, Pages, accepted_locale, chosen_locale
from handlers.consent_views import Standing, feature_view, granted, next_feature, refusal
from handlers.stories import Stories

#: the longest that asking Amazon about a fresh code takes; a result still open after that was never written
_ASKING = timedelta(minutes=1)
Endpoint = Callable[[Request], Awaitable[Response]]


class Answers:
    """The endpoints below `/amazon`."""

    def __init__(self, stories: Stories, pages: Pages, guard: Guard) -> None:
        self._stories = stories
        self._pages = pages
        self._guard = guard

    def routes(self, told: Callable[[Endpoint], Endpoint]) -> list[BaseRoute]:
        feature = f"{AMAZON}/{{feature}}"
        return [
            Route(f"{feature}/callback", told(self.callback), methods=["GET"]),
            Route(f"{feature}/result/{{receipt}}", told(self.result), methods=["GET"]),
            Route(f"{feature}/result/{{receipt}}/next", told(self.go_on), methods=["POST"]),
            Route(f"{feature}/login", told(self.login), methods=["GET"]),
        ]

    async def callback(self, request: Request) -> Response:
        """Amazon's redirect URI: exchanges the code at once, then shows the result under a clean address."""
        feature = _feature(request)
        if request.method == "HEAD":
            return Response(headers=PRIVATE)
        query = request.query_params
        answer = AmazonAnswer(
            state=query.get("state", ""),
            selling_partner_id=query.get("selling_partner_id", ""),
            code=query.get("spapi_oauth_code", ""),
            error=query.get("error", ""),
        )
        badge = request.cookies.get(BADGE_COOKIE, "")
        worn = await self._stories.granting.visits.whose(badge) if badge else None
        arrival = await self._stories.granting.answer(
            feature, answer, browser=f"{worn.team_id}:{worn.user_id}" if worn else None
        )
        if arrival.receipt is not None:
            return RedirectResponse(f"{AMAZON}/{feature.value}/result/{arrival.receipt}", 303, headers=PRIVATE)
        say = _stranger(request)
        reason = Reason.UNKNOWN_STATE if isinstance(arrival.verdict, Verified) else arrival.verdict.reason
        title, advice = self._stories.names.refusal(say, reason.value, detail="", feature=feature)
        return self._pages.say(request, say, title=title, advice=advice, status=400)

    async def result(self, request: Request) -> Response:
        """How the consent ended, for the browser that Amazon sent back; an hour long, and as often as it is reloaded."""
        _feature(request)
        found = await self._stories.granting.result(request.path_params["receipt"])
        if found is None:
            return self._pages.plain(request, _stranger(request), "result_gone", status=404)
        state, link = found
        say, mine = await self._speaker(request, state, link), await self._is_mine(request, link)
        where = self._standing(state, link, say)
        if where is None:
            return self._pages.show(request, "working.html", say)
        now, names = self._stories.clock(), self._stories.names
        forms = Forms.of(request)
        receipt = request.path_params["receipt"]
        response = self._pages.show(
            request,
            "result.html",
            say,
            here=request.url.path,
            standing=where,
            label=link.store.label,
            marketplace=say.marketplace(link.store.marketplace),
            feature=feature_view(link.attempt.feature, say, names),
            other=next_feature(link, say, names, now=now) if mine and where.state == "granted" else None,
            token=forms.token(receipt),
            team_id=link.attempt.team_id,
        )
        self._guard.keep_forms(response, forms, AMAZON)
        return response

    async def go_on(self, request: Request) -> Response:
        """The other feature, for the browser that pressed this one's button: without JavaScript its tab is this one."""
        receipt = request.path_params["receipt"]
        fields = await read_form(request)
        found = await self._stories.granting.result(receipt)
        ours = self._guard.is_ours(request) and Forms.of(request).accept(fields.get("token", ""), receipt)
        if found is None or not ours or not await self._is_mine(request, found[1]):
            return self._pages.plain(request, _stranger(request), "stale", status=403)
        attempt = found[1].attempt
        person = await self._stories.people.get(attempt.team_id, attempt.user_id)
        fresh = await self._stories.granting.onward(person, attempt)
        return RedirectResponse(f"{CONNECT}/{fresh}", 303, headers=PRIVATE)

    async def login(self, request: Request) -> Response:
        """Amazon's login URI: the Appstore's *Authorize* and Seller Central's *Re-authorize* lead here."""
        feature = _feature(request)
        if request.method == "HEAD":
            return Response(headers=PRIVATE)
        query = request.query_params
        try:
            departure = await self._stories.granting.visits.arrive(
                feature,
                callback_uri=query.get("amazon_callback_uri", ""),
                amazon_state=query.get("amazon_state", ""),
                selling_partner_id=query.get("selling_partner_id", ""),
            )
        except LinkUnknown:
            return self._pages.plain(request, _stranger(request), "login_bad", status=400)
        if departure is None:
            say = _stranger(request)
            view = feature_view(feature, say, self._stories.names)
            return self._pages.plain(
                request,
                say,
                "login_unknown",
                status=200,
                **self._stories.names.facts(say),
                feature=view.name,
                command=f"/grant {feature.value}",
            )
        return RedirectResponse(departure.url, 303, headers=PRIVATE)

    def _standing(self, state: ConsentState, link: Link, say: Speaker) -> Standing | None:
        """None while Amazon is still being asked."""
        now, names = self._stories.clock(), self._stories.names
        if state.outcome is Outcome.GRANTED:
            return granted(link, say, names)
        reason = state.reason
        if state.outcome is None:
            if state.consumed_at is None or now < state.consumed_at + _ASKING:
                return None
            reason = Reason.AMAZON_UNAVAILABLE
        return refusal(link, reason or Reason.UNKNOWN_STATE, state.detail, say, names, now=now)

    async def _is_mine(self, request: Request, link: Link) -> bool:
        """Whether the button was pressed in this very browser."""
        badge = request.cookies.get(BADGE_COOKIE, "")
        worn = await self._stories.granting.visits.whose(badge) if badge else None
        return worn is not None and worn.id == link.attempt.id

    async def _speaker(self, request: Request, state: ConsentState, link: Link) -> Speaker:
        """The link's person's language; a primary user's own, of whom we know nothing but their browser."""
        person = await self._stories.people.get(link.attempt.team_id, link.attempt.user_id)
        locale = accepted_locale(request) if state.pressed_by == PRIMARY_USER else person.locale
        return Speaker(chosen_locale(request) or locale, tz=person.tz)


def _feature(request: Request) -> FeatureKey:
    """The feature of the path. Raises LinkUnknown."""
    try:
        return FeatureKey(request.path_params["feature"])
    except ValueError:
        raise LinkUnknown from None


def _stranger(request: Request) -> Speaker:
    """For somebody of whom we know nothing but their browser."""
    return Speaker(chosen_locale(request) or accepted_locale(request))
