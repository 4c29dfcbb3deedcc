"""The seller's browser of the sandbox, on pages that are not Amazon's."""

from collections.abc import Callable

import httpx
import pytest

from sandbox.amazon.browser import SellerBrowser
from sandbox.amazon.document import read

FORM = """
<title>A  form</title><style>p{}</style><script>hidden()</script>
<h1>Hello</h1><p>there</p>
<button form="far">Too early</button>
<form id="far" method="post" action="/far">
<input type="hidden" name="csrf" value="c"><input name="note" value="old"><input name="gone" disabled value="x">
<textarea name="long">
line</textarea>
<select name="country"><option value="US">US<option value="DE" selected>DE</select>
<input type="checkbox" name="agree" value="yes"><input type="checkbox" name="news" checked>
<input type="radio" name="size" value="s" checked><input type="radio" name="size" value="l">
<button name="do" value="save">Save <b>it</b></button>
<button name="do" value="drop" formaction="/drop">Drop</button>
<button disabled>Never</button><button type="button">Script</button>
<input type="submit" value="Plain">
</form>
<form action="/find?old=1"><input name="q" value="tent"><button>Find</button></form>
<a href="/one">One</a><a href="/two" aria-label="Second">2</a><a>nowhere</a>
"""


class Site(httpx.AsyncBaseTransport):
    """Answers by path, and remembers what it was asked."""

    def __init__(self, **pages: Callable[[httpx.Request], httpx.Response] | str) -> None:
        self.pages = pages
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        page = self.pages.get(request.url.path.strip("/") or "home", "")
        return httpx.Response(200, html=page) if isinstance(page, str) else page(request)


def goes_to(target: str, status: int = 302) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, headers={"location": target})


def browsing(site: Site) -> SellerBrowser:
    return SellerBrowser("http://one.test", transport=site)


async def opened(site: Site) -> SellerBrowser:
    browser = browsing(site)
    await browser.opens("/")
    return browser


def sent(request: httpx.Request) -> list[tuple[str, str]]:
    return httpx.QueryParams(request.content.decode()).multi_items()


def test_a_page_is_read_as_a_person_would() -> None:
    page = read(FORM)
    assert page.title == "A form"
    assert page.text.startswith("Hello there")
    assert "hidden" not in page.text
    assert [link.label for link in page.links] == ["One", "Second"]
    assert [b.label for b in page.forms[0].buttons] == ["Save it", "Drop", "Never", "Plain", "Too early"]


async def test_a_form_sends_what_a_browser_would_send() -> None:
    site = Site(home=FORM)
    await (await opened(site)).presses("Save it", {"note": "new & old", "agree": True, "size": "l"})
    request = site.asked[-1]
    assert (request.method, request.url.path) == ("POST", "/far")
    assert sorted(sent(request)) == [
        ("agree", "yes"),
        ("country", "DE"),
        ("csrf", "c"),
        ("do", "save"),
        ("long", "line"),
        ("news", "on"),
        ("note", "new & old"),
        ("size", "l"),
    ]


async def test_a_button_may_send_elsewhere() -> None:
    site = Site(home=FORM)
    await (await opened(site)).presses("drop")
    assert site.asked[-1].url.path == "/drop"


async def test_a_get_form_replaces_the_query() -> None:
    site = Site(home=FORM)
    await (await opened(site)).presses("Find", {"q": "two person"})
    assert str(site.asked[-1].url) == "http://one.test/find?q=two+person"


async def test_what_cannot_be_pressed_is_told_with_what_can() -> None:
    browser = await opened(Site(home=FORM))
    with pytest.raises(LookupError, match="Save it"):
        await browser.presses("Buy")
    with pytest.raises(LookupError, match="disabled"):
        await browser.presses("Never")
    with pytest.raises(LookupError, match="no field colour"):
        await browser.presses("Save it", {"colour": "red"})
    with pytest.raises(LookupError, match="not one thing"):
        await browser.presses("e")
    with pytest.raises(LookupError, match="not opened"):
        _ = browsing(Site()).page


async def test_redirects_are_followed_and_remembered() -> None:
    site = Site(home=goes_to("/a", 303), a=goes_to("http://two.test/b"), b="<title>End</title>")
    page = (await opened(site)).page
    assert page.chain == ("http://one.test/", "http://one.test/a", "http://two.test/b")
    assert (page.url, page.title) == ("http://two.test/b", "End")


async def test_a_form_is_repeated_only_where_the_redirect_says_so() -> None:
    site = Site(home=FORM, far=goes_to("/kept", 307), kept=goes_to("/end", 303))
    await (await opened(site)).presses("Save it")
    assert [request.method for request in site.asked[1:]] == ["POST", "POST", "GET"]
    assert sent(site.asked[2])
    assert not site.asked[3].content


async def test_a_circle_ends() -> None:
    with pytest.raises(LookupError, match="too many redirects"):
        await browsing(Site(home=goes_to("/"))).opens("/")


async def test_cookies_stay_with_their_browser() -> None:
    def sets(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, html="", headers={"set-cookie": "who=mei; HttpOnly"})

    site = Site(home=sets)
    first, second = await opened(site), browsing(site)
    await first.opens("/again")
    assert site.asked[-1].headers["cookie"] == "who=mei"
    await second.opens("/again")
    assert "cookie" not in site.asked[-1].headers


async def test_servers_learn_where_a_request_came_from_as_from_a_real_browser() -> None:
    site = Site(home=FORM, one=goes_to("http://two.test/b"))
    browser = await opened(site)
    assert site.asked[-1].headers["sec-fetch-site"] == "none"
    await browser.presses("Save it")
    request = site.asked[-1]
    assert request.headers["origin"] == "http://one.test"
    assert request.headers["referer"] == "http://one.test/"
    assert request.headers["sec-fetch-site"] == "same-origin"
    await browser.opens("/")
    await browser.presses("One")
    request = site.asked[-1]
    assert request.headers["sec-fetch-site"] == "cross-site"
    assert "origin" not in request.headers


async def test_a_page_without_referrer_hides_its_origin_too() -> None:
    def secretive(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, html=FORM, headers={"referrer-policy": "no-referrer"})

    site = Site(home=secretive)
    await (await opened(site)).presses("Save it")
    assert site.asked[-1].headers["origin"] == "null"
    assert "referer" not in site.asked[-1].headers


async def test_text_that_is_no_page_is_shown_as_it_is() -> None:
    site = Site(home=lambda _: httpx.Response(200, json={"ok": True}))
    assert (await opened(site)).page.text == '{"ok":true}'


async def test_signing_in_names_who_is_unknown() -> None:
    with pytest.raises(LookupError, match="nobody here is A0NOBODY"):
        await browsing(Site()).signs_in("A0NOBODY")
