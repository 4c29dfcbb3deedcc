"""What stands before a button of the consent page: whose page sent the form, and whose browser it is.

A form carries a token made from a random cookie and the link's secret. A page elsewhere has neither, and a link's owner, who
could lure somebody to their own link, does not have that browser's cookie. Signed with nothing of ours: nothing to configure.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from bot.domain.consent import RECEIPT_LIFETIME

#: the random half of every form's token
FORM_COOKIE = "grantdesk_form"
#: which attempt was pressed in this browser
BADGE_COOKIE = "grantdesk_browser"
#: a language that somebody chose on a page
LANGUAGE_COOKIE = "grantdesk_language"

#: where the pages are: cookies go nowhere else
CONNECT: Final = "/connect"
AMAZON: Final = "/amazon"

_COOKIE_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_NONCE_LENGTH = 43
#: bytes: a pasted page of Chinese, percent-encoded
_FORM_LIMIT = 256 * 1024
_FIELD_LIMIT = 20
_YEAR = 365 * 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Forms:
    """The tokens of one browser's forms."""

    nonce: str = field(repr=False)
    #: the browser does not have the cookie yet
    fresh: bool

    @classmethod
    def of(cls, request: Request) -> Forms:
        nonce = request.cookies.get(FORM_COOKIE, "")
        if len(nonce) == _NONCE_LENGTH and set(nonce) <= _COOKIE_CHARACTERS:
            return cls(nonce, fresh=False)
        return cls(secrets.token_urlsafe(32), fresh=True)

    def token(self, secret: str) -> str:
        """What a form about `secret` must bring along."""
        return hmac.new(self.nonce.encode(), f"form {secret}".encode(), hashlib.sha256).hexdigest()

    def accept(self, token: str, secret: str) -> bool:
        return not self.fresh and hmac.compare_digest(token.encode(), self.token(secret).encode())


class FormTooLarge(Exception):
    """More was sent than any of our forms holds."""


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form; the first of each name."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_LIMIT:
            raise FormTooLarge
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_FIELD_LIMIT)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


class Guard:
    """Cookies and origins of one public address."""

    def __init__(self, public_url: str) -> None:
        parts = urlsplit(public_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._secure = parts.scheme == "https"

    def is_ours(self, request: Request) -> bool:
        """Whether a form was sent by one of our own pages, as far as its headers tell.

        Our pages ask for no referrer, and so browsers write `Origin: null` on their forms (Fetch, §3.1): only Sec-Fetch-Site,
        where there is one, tells them from others'. The token decides in the end.
        """
        site = request.headers.get("sec-fetch-site")
        if site is not None and site != "same-origin":
            return False
        return request.headers.get("origin", "null") in ("null", self._origin)

    def keep_forms(self, response: Response, forms: Forms, path: Literal["/connect", "/amazon"]) -> None:
        if forms.fresh:
            self._set(response, FORM_COOKIE, forms.nonce, path=path)

    def keep_badge(self, response: Response, badge: str) -> None:
        """For the callback, and for the next press; an hour, so that a shared computer is free again soon."""
        for path in (CONNECT, AMAZON):
            self._set(response, BADGE_COOKIE, badge, path=path, max_age=int(RECEIPT_LIFETIME.total_seconds()))

    def keep_language(self, response: Response, locale: str) -> None:
        for path in (CONNECT, AMAZON):
            self._set(response, LANGUAGE_COOKIE, locale, path=path, max_age=_YEAR)

    def _set(self, response: Response, name: str, value: str, *, path: str, max_age: int | None = None) -> None:
        response.set_cookie(name, value, max_age=max_age, path=path, secure=self._secure, httponly=True, samesite="lax")
