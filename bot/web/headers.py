"""The headers that every answer to a browser carries. Pure ASGI: nothing is buffered."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.domain.marketplaces import MARKETPLACES

#: browsers forget http for a year
_HSTS = "max-age=31536000; includeSubDomains"
_PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "browsing-topics",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "hid",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "publickey-credentials-get",
        "screen-wake-lock",
        "serial",
        "usb",
        "xr-spatial-tracking",
    )
)


def amazon_form_targets(seller_central_url: str = "") -> tuple[str, ...]:
    """Where pressing the consent page's button may lead: every Seller Central, or the address that replaces them all."""
    if seller_central_url:
        parts = urlsplit(seller_central_url)
        return (f"{parts.scheme}://{parts.netloc}",)
    return tuple(sorted({f"https://{row.host}" for row in MARKETPLACES.values()}))


def content_security_policy(form_targets: Iterable[str]) -> str:
    """Nothing from elsewhere, nothing inline. Chrome holds `form-action` against the redirects of a form's answer as well,
    and the consent button's answer is a redirect to Seller Central: hence `form_targets`.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            " ".join(("form-action 'self'", *form_targets)),
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


class SecurityHeaders:
    """Adds what is not there already: a route that knows better (a long-lived static file) has the last word."""

    def __init__(self, app: ASGIApp, *, https: bool, form_targets: Iterable[str] = ()) -> None:
        self._app = app
        self._fields = {
            "content-security-policy": content_security_policy(form_targets),
            # Both of Amazon's pages, and our own links with secrets in them, must not see where a visitor came from.
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "permissions-policy": _PERMISSIONS,
            # Not same-origin: the consent page keeps hold of the window it opens for Amazon, to notice a blocked pop-up.
            "cross-origin-opener-policy": "same-origin-allow-popups",
            "cross-origin-resource-policy": "same-origin",
            "cache-control": "no-store",
        }
        if https:
            self._fields["strict-transport-security"] = _HSTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._fields.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
