"""`/connect/{secret}`: other browsers and people, errors seen at Amazon, languages, and what the page is made of."""

from __future__ import annotations

import gzip
import logging
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.domain.grants import GrantState
from handlers.consent_views import browser_of
from tests.pages.site import ALEX, BOT, MEI, SELLER_CENTRAL, Site, as_json, press, state_of

OWN_PAGE = {"sec-fetch-site": "same-origin", "origin": "null"}


# --- other ways


async def test_amazons_address_can_be_copied_with_and_without_javascript(site: Site) -> None:
    store = await site.store()
    secret = await site.secret(store)
    browser = site.browser()
    await browser.opens(f"{BOT}/connect/{secret}")
    page = await browser.presses("Copy Amazon's address".replace("'", "’"))
    assert page.status == 200
    shown = page.html.partition('id="address" readonly value="')[2].partition('"')[0].replace("&amp;", "&")
    assert shown.startswith(SELLER_CENTRAL)
    assert state_of(page) == "authorizing"
    elsewhere = site.browser()
    await elsewhere.opens(shown)
    await elsewhere.signs_in("alex")
    assert "Authorization complete" in (await elsewhere.consents()).text
    assert state_of(await browser.opens(f"{BOT}/connect/{secret}")) == "granted"


async def test_a_copied_address_is_json_for_the_script(site: Site) -> None:
    secret = await site.secret(await site.store())
    async with site.http(accept="application/json", **OWN_PAGE) as http:
        token = (await http.get(f"/connect/{secret}")).text.partition('name="token" value="')[2].partition('"')[0]
        one = as_json(await http.post(f"/connect/{secret}/address", data={"token": token}))["url"]
        two = as_json(await http.post(f"/connect/{secret}", data={"token": token}))["url"]
    states = [parse_qs(urlsplit(url).query)["state"][0] for url in (one, two)]
    assert states[0] != states[1]
    assert await site.states_minted() == 2


async def test_the_code_is_drawn_for_known_links_only(site: Site) -> None:
    secret = await site.secret(await site.store())
    async with site.http() as http:
        drawn = await http.get(f"/connect/{secret}/code.svg")
        assert (await http.get("/connect/nothing/code.svg")).status_code == 404
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert drawn.headers["cache-control"] == "no-store"
    assert drawn.text.startswith("<svg")
    assert len(drawn.content) < 4000


async def test_the_primary_user_gets_a_message_and_acts_on_behalf(site: Site) -> None:
    store = await site.store(MEI, "美羽家居")
    secret = await site.secret(store, MEI)
    browser = site.browser()
    await browser.opens(f"{BOT}/connect/{secret}")
    page = await browser.presses("生成消息")
    message = page.html.partition('<textarea id="message" readonly rows="6">')[2].partition("</textarea>")[0]
    assert "“美羽家居”" in message
    assert message.endswith(f"{BOT}/connect/{secret}?for=primary")
    assert len(await site.audited("link.forwarded")) == 1
    primary = site.browser(accept_language="en-GB,en;q=0.8")
    page = await primary.opens(message.rpartition("\n")[2])
    assert "You were asked as the primary user" in page.text
    assert "I’m not allowed to authorize this store" not in page.text
    await press(primary)
    await primary.signs_in("mei", "US")
    assert "Authorization complete" in (await primary.consents()).text, "the language the link was read in"
    (pressed,) = await site.audited("link.pressed")
    assert (pressed.actor, pressed.on_behalf_of) == ("primary_user", MEI.user_id)
    (accepted,) = await site.audited("grant.accepted")
    assert (accepted.actor, accepted.on_behalf_of) == ("primary_user", MEI.user_id)


async def test_what_a_primary_user_is_refused_is_not_noted_as_the_link_persons_doing(site: Site) -> None:
    secret = await site.secret(await site.store(MEI, "美羽家居"), MEI)
    primary = site.browser(accept_language="en")
    await primary.opens(f"{BOT}/connect/{secret}?for=primary")
    await press(primary)
    await primary.signs_in("mei", "US")
    with site.switched(spapi_participations="html_503"):
        assert "Amazon did not answer properly" in (await primary.consents()).text
    (refused,) = await site.audited("consent.refused")
    assert (refused.actor, refused.on_behalf_of) == ("primary_user", MEI.user_id)


async def test_ones_own_press_is_ones_own_consent(site: Site) -> None:
    await site.consent(await site.store())
    (accepted,) = await site.audited("grant.accepted")
    assert (accepted.actor, accepted.on_behalf_of) == (ALEX.user_id, None)


async def test_a_forwarded_link_may_be_pressed_in_a_browser_of_another_person(site: Site) -> None:
    mine, theirs = await site.store(ALEX), await site.store(MEI, "美羽")
    browser = site.browser(accept_language="en")
    await browser.opens(await site.link(mine, ALEX))
    await press(browser)
    await browser.opens(f"{await site.link(theirs, MEI)}?for=primary")
    await press(browser)
    await browser.signs_in("mei", "US")
    assert "Authorization complete" in (await browser.consents()).text
    assert (await site.grant(theirs, MEI)).state is GrantState.GRANTED


# --- "I saw an error"


@pytest.mark.parametrize(
    ("text", "words", "turn"),
    [
        ("MD5101", "not registered for our application", "The support desk has been told."),
        ("something went wrong (SPDC8143)", "Sign in as the primary user", "Your turn"),
        ("You must be the primary user of a Professional selling account", "Professional plan", "Your turn"),
        ("MD 4711", "MD4711", ""),
        ("hello", "I see no error code", ""),
    ],
)
async def test_an_error_is_explained_without_javascript(site: Site, text: str, words: str, turn: str) -> None:
    browser = site.browser()
    await browser.opens(await site.link(await site.store()))
    page = await browser.presses("What does it mean?", {"text": text})
    assert page.url.endswith("#error")
    assert words in page.text
    assert turn in page.text


async def test_an_error_of_ours_reaches_the_desk_once(site: Site) -> None:
    store = await site.store()
    browser = site.browser()
    await browser.opens(await site.link(store))
    page = await browser.presses("What does it mean?", {"text": "MD5101"})
    await browser.opens(page.url)
    told = [told for told in await site.told() if told.recipient == "C0SUPPORT"]
    assert [one.kind for one in told] == ["ticket_card"]
    assert told[0].body["error_code"] == "MD5101"
    assert told[0].body["store"]["id"] == store.id


async def test_an_error_is_json_for_the_script(site: Site) -> None:
    secret = await site.secret(await site.store())
    async with site.http(accept="application/json", **OWN_PAGE) as http:
        token = (await http.get(f"/connect/{secret}")).text.partition('name="token" value="')[2].partition('"')[0]
        answer = await http.post(f"/connect/{secret}/error", data={"token": token, "text": "spdc8143"})
    assert as_json(answer)["code"] == "SPDC8143"
    assert as_json(answer)["forward"] is True


# --- the other feature


async def test_the_other_feature_is_one_press_away(site: Site) -> None:
    store = await site.store()
    secret = await site.secret(store)
    browser = site.browser()
    await browser.opens(f"{BOT}/connect/{secret}")
    await press(browser)
    await browser.signs_in("alex")
    await browser.consents()
    await browser.opens(f"{BOT}/connect/{secret}")
    await site.told()
    page = await browser.presses("Connect Listing and stock sync too")
    assert state_of(page) == "ready"
    assert page.url.startswith(f"{BOT}/connect/")
    assert secret not in page.url
    (card,) = await site.told()
    assert (card.kind, card.recipient, card.body["feature"]) == ("consent_card", ALEX.user_id, "listing")
    assert card.body["secret"] in page.url


async def test_nothing_leads_onward_before_success_or_a_day_later(site: Site) -> None:
    store = await site.store()
    secret = await site.secret(store)
    async with site.http(**OWN_PAGE) as http:
        token = (await http.get(f"/connect/{secret}")).text.partition('name="token" value="')[2].partition('"')[0]
        assert (await http.post(f"/connect/{secret}/next", data={"token": token})).status_code == 410
        browser = site.browser()
        await browser.opens(f"{BOT}/connect/{secret}")
        await press(browser)
        await browser.signs_in("alex")
        await browser.consents()
        site.passes(timedelta(hours=25))
        assert (await http.post(f"/connect/{secret}/next", data={"token": token})).status_code == 410
        assert "Connect Listing" not in (await http.get(f"/connect/{secret}")).text


# --- language


async def test_the_language_can_be_switched_and_stays(site: Site) -> None:
    store = await site.store()
    link = await site.link(store)
    browser = site.browser(accept_language="zh-TW")
    assert '<html lang="en">' in (await browser.opens(link)).html
    assert '<html lang="zh-CN">' in (await browser.presses("简体中文")).html
    assert '<html lang="zh-CN">' in (await browser.opens(link)).html
    await browser.presses("是的，跳转 Amazon 授权")
    await browser.signs_in("alex")
    assert "授权成功" in (await browser.consents()).text


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("de-DE,zh-HK;q=0.7,en;q=0.5", "zh-TW"),
        ("fr", "en"),
        ("zh;q=0,en-US;q=0.1", "en"),
        ("zh;q=high, en", "en"),
        ("", "en"),
    ],
)
async def test_strangers_are_spoken_to_as_their_browser_asks(site: Site, wanted: str, language: str) -> None:
    async with site.http(**{"accept-language": wanted}) as http:
        assert f'<html lang="{language}">' in (await http.get("/connect/nothing?lang=klingon")).text


# --- around it


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36", "chrome"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "edge"),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15", "safari"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "firefox"),
        ("Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 FxiOS/140.0 Mobile Safari/605.1.15", "firefox"),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/537.36 Slack_SSB/4.45 Chrome/140.0 Safari/537.36", "slack"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 OPR/80", "other"),
        ("", "other"),
    ],
)
async def test_a_blocked_pop_up_is_explained_for_each_browser(site: Site, agent: str, kind: str) -> None:
    assert browser_of(agent) == kind
    page = await site.browser(user_agent=agent).opens(await site.link(await site.store()))
    assert {"chrome": "Chrome shows", "edge": "Edge shows", "safari": "Safari shows", "firefox": "Firefox shows"}.get(
        kind, {"slack": "built-in browser", "other": "Look for a notice"}.get(kind, "")
    ) in page.text


async def test_pages_keep_their_secrets(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = await site.secret(await site.store())
    browser = site.browser()
    page = await browser.opens(f"{BOT}/connect/{secret}")
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert secret not in page.title
    assert "unsafe" not in page.headers["content-security-policy"]
    for inline in ("<style", "style=", "onclick", "javascript:"):
        assert inline not in page.html
    await press(browser)
    await browser.signs_in("alex")
    page = await browser.consents()
    assert secret not in page.html
    # httpx is the browser of this test
    logged = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("http"))
    assert secret not in logged
    callback = next(parse_qs(urlsplit(url).query) for url in page.chain if "/callback?" in url)
    for name in ("state", "spapi_oauth_code"):
        assert callback[name][0] not in page.html
        assert callback[name][0] not in logged


async def test_what_the_page_is_made_of_is_small_and_kept_by_browsers(site: Site) -> None:
    async with site.http(**{"accept-encoding": "gzip"}) as http:
        page = await http.get(f"/connect/{await site.secret(await site.store(MEI), MEI)}")
        weight = len(page.content)
        for name in ("page.css", "page.js", "icon.svg"):
            version = page.text.partition(f"/static/{name}")[2].partition('"')[0]
            address = f"/static/{name}{version}"
            async with http.stream("GET", address) as answer:
                body = b"".join([chunk async for chunk in answer.aiter_raw()])
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.headers["content-encoding"] == "gzip"
            assert gzip.decompress(body)
            weight += len(body)
            again = await http.get(address, headers={"if-none-match": answer.headers["etag"]})
            assert again.status_code == 304
            assert (await http.get(f"/static/{name}")).headers["cache-control"] == "no-cache"
        assert (await http.get("/static/../conftest.py")).status_code == 404
        assert (await http.get("/static/page.html")).status_code == 404
    assert weight < 30_000
