"""A seller's browser without a screen: cookies, redirects, links and forms, for tests and the tour.

It behaves as browsers do where servers can tell: one cookie jar of its own, Origin, Referer and Sec-Fetch-Site.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urldefrag, urlencode, urljoin, urlsplit

import httpx

from sandbox.amazon.document import Button, Form, Link, read

_MOST_REDIRECTS = 20
_SITES = ("none", "same-origin", "same-site", "cross-site")
_REPEATS_METHOD = {307, 308}


@dataclass(frozen=True)
class Page:
    """What the browser shows after the last redirect; `chain` holds every address on the way, this one last."""

    url: str
    status: int
    title: str
    text: str
    forms: tuple[Form, ...]
    links: tuple[Link, ...]
    chain: tuple[str, ...]
    headers: httpx.Headers
    html: str


class SellerBrowser:
    """One isolated browser. `mounts` and `transport` are httpx's, for applications that run in this process."""

    def __init__(
        self,
        sandbox_url: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        mounts: Mapping[str, httpx.AsyncBaseTransport] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.sandbox_url = sandbox_url.rstrip("/")
        self._http = httpx.AsyncClient(
            transport=transport,
            mounts=mounts,
            headers={"User-Agent": "SellerBrowser/1", "Accept": "text/html", **(headers or {})},
            timeout=30,
            trust_env=False,
        )
        self._page: Page | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.closes()

    async def closes(self) -> None:
        await self._http.aclose()

    @property
    def page(self) -> Page:
        if self._page is None:
            raise LookupError("this browser has not opened a page yet")
        return self._page

    @property
    def cookies(self) -> httpx.Cookies:
        return self._http.cookies

    async def opens(self, url: str) -> Page:
        """As if the address were typed or pasted: no referrer."""
        return await self._goes("GET", urljoin(f"{self.sandbox_url}/", url), came_from=None)

    async def presses(self, label: str, fills: Mapping[str, str | bool] | None = None) -> Page:
        """Presses the button, or follows the link, that reads `label`; a form is sent with `fills` in it."""
        found = self._find(label)
        page = self.page
        if isinstance(found, Link):
            return await self._goes("GET", urljoin(page.url, found.href), came_from=page)
        form, button = found
        if button.disabled:
            raise LookupError(f"the button {button.label!r} is disabled")
        pairs = form.filled(button, fills or {})
        target = urljoin(page.url, button.action or form.action or page.url)
        if (button.method or form.method) == "post":
            return await self._goes("POST", target, came_from=page, pairs=pairs)
        return await self._goes("GET", f"{target.partition('?')[0]}?{urlencode(pairs)}", came_from=page)

    async def signs_in(self, account: str, marketplace: str = "") -> Page:
        """As a selling partner or an account's key; the first marketplace of the account unless named.

        On the sign-in page that a link led to, the browser then goes on to that link.
        """
        if self._page is None or not _sign_in_forms(self._page, account):
            await self.opens("/amazon/sellercentral/sign-in")
        for form in _sign_in_forms(self.page, account):
            for button in form.buttons:
                if button.name == "marketplace" and marketplace in {"", button.value}:
                    pairs = form.filled(button, {})
                    target = urljoin(self.page.url, form.action)
                    return await self._goes("POST", target, came_from=self.page, pairs=pairs)
        raise LookupError(f"nobody here is {account} in {marketplace or 'any marketplace'}")

    async def consents(self) -> Page:
        """Ticks Amazon's box and confirms."""
        return await self.presses("Confirm", {"agree": True})

    async def cancels(self) -> Page:
        return await self.presses("Cancel")

    def _find(self, label: str) -> Link | tuple[Form, Button]:
        wanted = " ".join(label.split()).casefold()
        page = self.page
        every: list[tuple[str, Link | tuple[Form, Button]]] = [
            (button.label, (form, button)) for form in page.forms for button in form.buttons
        ]
        every += [(link.label, link) for link in page.links]
        for fits in (str.__eq__, str.startswith, str.__contains__):
            found = [(name, thing) for name, thing in every if fits(name.casefold(), wanted)]
            if len(found) == 1 or _same_address(found):
                return found[0][1]
            if found:
                raise LookupError(f"{label!r} is not one thing on {page.url}: {[name for name, _ in found]}")
        raise LookupError(f"no {label!r} on {page.url} ({page.title!r}); there is {[n for n, _ in every]}")

    async def _goes(
        self, method: str, url: str, *, came_from: Page | None, pairs: Sequence[tuple[str, str]] | None = None
    ) -> Page:
        chain: list[str] = []
        site = "none"
        while True:
            address = urldefrag(url).url
            chain.append(url)
            site = _SITES[max(_SITES.index(site), _SITES.index(_site(came_from, address)))]
            response = await self._http.request(
                method,
                address,
                content=urlencode(pairs) if pairs is not None else None,
                headers=_headers(method, address, came_from=came_from, site=site, sends=pairs is not None),
            )
            location = response.headers.get("location", "")
            if not (response.is_redirect and location):
                break
            if len(chain) > _MOST_REDIRECTS:
                raise LookupError(f"too many redirects: {chain}")
            url = urljoin(address, location)
            if response.status_code not in _REPEATS_METHOD:
                method, pairs = "GET", None
        read_as_html = "html" in response.headers.get("content-type", "html")
        document = read(response.text if read_as_html else "")
        self._page = Page(
            url=url,
            status=response.status_code,
            title=document.title,
            text=document.text if read_as_html else response.text,
            forms=document.forms,
            links=document.links,
            chain=tuple(chain),
            headers=response.headers,
            html=response.text,
        )
        return self._page


def _sign_in_forms(page: Page, account: str) -> list[Form]:
    """The forms of the sign-in page that belong to this account or selling partner."""
    return [
        form
        for form in page.forms
        if account in {dict(form.fields).get("account"), dict(form.fields).get("selling_partner_id")}
        and any(button.name == "marketplace" for button in form.buttons)
    ]


def _same_address(found: Sequence[tuple[str, object]]) -> bool:
    links = [thing for _, thing in found if isinstance(thing, Link)]
    return bool(found) and len(links) == len(found) and len({link.href for link in links}) == 1


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _site(came_from: Page | None, url: str) -> str:
    if came_from is None:
        return "none"
    if _origin(came_from.url) == _origin(url):
        return "same-origin"
    mine, theirs = urlsplit(came_from.url), urlsplit(url)
    same = (mine.scheme, mine.hostname) == (theirs.scheme, theirs.hostname)
    return "same-site" if same else "cross-site"


def _headers(method: str, url: str, *, came_from: Page | None, site: str, sends: bool) -> dict[str, str]:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    if sends:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    if came_from is None:
        return headers
    secretive = "no-referrer" in came_from.headers.get("referrer-policy", "")
    if not secretive:
        same = _origin(came_from.url) == _origin(url)
        headers["Referer"] = urldefrag(came_from.url).url if same else f"{_origin(came_from.url)}/"
    if method != "GET":
        # Browsers hide the origin of a form, too, when the page asked for no referrer.
        headers["Origin"] = "null" if secretive else _origin(came_from.url)
    return headers
