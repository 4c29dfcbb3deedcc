"""`/connect/{secret}`: what it shows, what its one big button does, and who may press it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from bot.domain.consent import Outcome
from bot.domain.features import FeatureKey
from bot.domain.grants import GrantState
from bot.ports import Person
from tests.pages.site import ALEX, BOT, LIN, MEI, SELLER_CENTRAL, Site, as_json, press, state_of, token_in

OWN_PAGE = {"sec-fetch-site": "same-origin", "origin": "null"}


@pytest.mark.parametrize(
    ("person", "language", "words"),
    [
        (ALEX, "en", ("Connect Acme\u00a0US to Amazon", "Order import", "Professional plan", "United States (US)")),
        (MEI, "zh-CN", ("授权店铺“Acme\u00a0US”", "【载单功能】", "专业销售计划", "美国（US）", "安全环境")),
        (LIN, "zh-TW", ("授權店鋪「Acme\u00a0US」", "訂單匯入", "專業銷售方案", "美國（US）", "安全環境")),
    ],
)
async def test_it_shows_everything_that_is_needed_in_the_persons_language(
    site: Site, person: Person, language: str, words: tuple[str, ...]
) -> None:
    page = await site.browser().opens(await site.link(await site.store(person), person))
    assert page.status == 200
    assert f'<html lang="{language}">' in page.html
    for word in (*words, "SHENZHEN MINXING TECHNOLOGY CO.,LTD", "Ushops"):
        assert word in page.html


async def test_a_label_is_never_markup(site: Site) -> None:
    page = await site.browser().opens(await site.link(await site.store(label="<img src=x> & {store}")))
    assert "&lt;img" in page.html
    assert "<img src=x>" not in page.html
    assert "{store}" in page.text


async def test_looking_changes_nothing_that_matters(site: Site) -> None:
    store = await site.store()
    secret = await site.secret(store)
    async with site.http() as http:
        for method in ("HEAD", "GET", "GET"):
            assert (await http.request(method, f"/connect/{secret}")).status_code == 200
        for path in ("status", "leave", "code.svg"):
            assert (await http.get(f"/connect/{secret}/{path}")).status_code == 200
    assert await site.states_minted() == 0
    assert (await site.grant(store)).state is GrantState.NOT_GRANTED


async def test_head_does_not_even_count_as_opening(site: Site) -> None:
    secret = await site.secret(await site.store())
    async with site.http() as http:
        answer = await http.head(f"/connect/{secret}")
    assert answer.content == b""
    assert (await site.attempt(secret)).opened_at is None


async def test_the_whole_way_without_javascript(site: Site) -> None:
    store = await site.store()
    browser, page = await site.consent(store)
    assert urlsplit(page.url).path.startswith("/amazon/orders/result/")
    assert urlsplit(page.url).query == ""
    assert "Authorization complete" in page.text
    assert "Manage Your Apps" in page.text
    assert "SHENZHEN MINXING TECHNOLOGY CO.,LTD" in page.text
    assert (await site.grant(store)).state is GrantState.GRANTED
    assert [told.kind for told in await site.told()] == ["consent_card", "consent_result"]
    page = await browser.presses("Connect Listing and stock sync too")
    assert "福州云赞网络科技有限公司" in page.text
    await press(browser)
    assert "Authorization complete" in (await browser.consents()).text
    assert (await site.grant(store, feature=FeatureKey.LISTING)).state is GrantState.GRANTED


async def test_pressing_mints_a_state_and_moves_the_grant(site: Site) -> None:
    store = await site.store()
    browser = site.browser()
    await browser.opens(await site.link(store))
    page = await press(browser)
    assert page.url.startswith(SELLER_CENTRAL)
    assert await site.states_minted() == 1
    assert (await site.grant(store)).state is GrantState.AUTHORIZING


async def test_cancelling_leaves_a_link_that_works_again(site: Site) -> None:
    store = await site.store()
    link = await site.link(store)
    browser = site.browser()
    await browser.opens(link)
    await press(browser)
    await browser.signs_in("alex")
    await browser.cancels()
    assert state_of(await browser.opens(link)) == "authorizing"
    site.passes(timedelta(minutes=11))
    page = await browser.opens(link)
    assert state_of(page) == "silent"
    assert "Amazon has not answered" in page.text
    await browser.presses("Yes, continue to Amazon")
    assert "Authorization complete" in (await browser.consents()).text


# --- who may press


async def test_a_form_of_another_site_does_nothing(site: Site) -> None:
    secret = await site.secret(await site.store())
    async with site.http() as http:
        page = await http.get(f"/connect/{secret}")
        token = page.text.partition('name="token" value="')[2].partition('"')[0]
        for headers in (
            {"sec-fetch-site": "cross-site", "origin": "https://evil.test"},
            {"sec-fetch-site": "same-site"},
            {"sec-fetch-site": "none"},
            {"origin": "https://evil.test"},
        ):
            answer = await http.post(f"/connect/{secret}", data={"token": token}, headers=headers)
            assert answer.status_code == 403
        assert await site.states_minted() == 0
        answer = await http.post(f"/connect/{secret}", data={"token": token}, headers=OWN_PAGE)
        assert answer.status_code == 303
    assert await site.states_minted() == 1


async def test_a_token_counts_in_its_own_browser_and_for_its_own_link_only(site: Site) -> None:
    store = await site.store()
    secret, other = await site.secret(store), await site.secret(store, feature=FeatureKey.LISTING)
    async with site.http() as mine, site.http() as theirs:
        token = (await mine.get(f"/connect/{secret}")).text.partition('name="token" value="')[2].partition('"')[0]
        await theirs.get(f"/connect/{secret}")
        assert (await theirs.post(f"/connect/{secret}", data={"token": token}, headers=OWN_PAGE)).status_code == 403
        assert (await mine.post(f"/connect/{other}", data={"token": token}, headers=OWN_PAGE)).status_code == 403
        for wrong in ({}, {"token": ""}, {"token": "ü"}, {"token": token[:-1]}):
            assert (await mine.post(f"/connect/{secret}", data=wrong, headers=OWN_PAGE)).status_code == 403
    async with site.http() as without:
        assert (await without.post(f"/connect/{secret}", data={"token": token}, headers=OWN_PAGE)).status_code == 403
    assert await site.states_minted() == 0


async def test_somebody_elses_browser_is_stopped_before_amazon(site: Site) -> None:
    mine, theirs = await site.store(ALEX), await site.store(MEI, "美羽")
    browser = site.browser()
    await browser.opens(await site.link(mine, ALEX))
    await press(browser)
    await browser.opens(await site.link(theirs, MEI))
    page = await browser.presses("是的，跳转 Amazon 授权")
    assert page.status == 403
    assert "这个浏览器" in page.text
    assert await site.states_minted() == 1


async def test_a_shared_computer_is_free_again_after_an_hour(site: Site) -> None:
    store = await site.store()
    async with site.http() as http:
        secret = await site.secret(store)
        token = (await http.get(f"/connect/{secret}")).text.partition('name="token" value="')[2].partition('"')[0]
        answer = await http.post(f"/connect/{secret}", data={"token": token}, headers=OWN_PAGE)
    badges = [line for line in answer.headers.get_list("set-cookie") if line.startswith("grantdesk_browser=")]
    assert sorted(line.partition("Path=")[2].partition(";")[0] for line in badges) == ["/amazon", "/connect"]
    for line in badges:
        assert {"HttpOnly", "Secure", "SameSite=lax", "Max-Age=3600"} <= set(line.split("; "))


async def test_colleagues_who_share_their_stores_share_a_browser(site: Site) -> None:
    store = await site.store(ALEX)
    await site.stories.stores.share(ALEX, MEI.user_id, colleague_name="Mei")
    browser = site.browser()
    await browser.opens(await site.link(store, ALEX))
    await press(browser)
    await browser.opens(await site.link(store, MEI))
    assert (await browser.presses("是的，跳转 Amazon 授权")).url.startswith(SELLER_CENTRAL)


async def test_a_badge_cannot_be_written_by_hand(site: Site) -> None:
    store = await site.store()
    secret = await site.secret(store)
    attempt = await site.attempt(secret)
    visits = site.stories.granting.visits
    badge = visits.badge(attempt)
    assert await visits.whose(badge) == attempt
    for forged in (
        "",
        attempt.id,
        f"{attempt.id}.",
        f"{attempt.id}.{'0' * 64}",
        f"x{badge}",
        badge[:-1],
        f"{attempt.id}.é",
    ):
        assert await visits.whose(forged) is None


# --- links that do not work


async def test_links_that_do_not_work_say_so_and_nothing_else(site: Site) -> None:
    store = await site.store(label="Hush Hush")
    old = await site.secret(store)
    await site.secret(store)
    async with site.http() as http:
        unknown = await http.get("/connect/never-made")
        replaced = await http.get(f"/connect/{old}")
        site.passes(timedelta(hours=25))
        expired = await http.get(f"/connect/{await site.secret(store)}")
        assert expired.status_code == 200
        site.passes(timedelta(hours=25))
        latest = await site.secret(store, feature=FeatureKey.LISTING)
        site.passes(timedelta(hours=25))
        expired = await http.get(f"/connect/{latest}")
    assert (unknown.status_code, replaced.status_code, expired.status_code) == (404, 410, 410)
    assert "/grant" in unknown.text
    assert "newer link" in replaced.text
    assert "too old" in expired.text
    for answer in (unknown, expired):
        assert "Hush Hush" not in answer.text
        assert "https://app.slack.com/" in answer.text


async def test_a_spent_link_cannot_be_pressed(site: Site) -> None:
    store = await site.store()
    secret = await site.secret(store)
    browser = site.browser()
    page = await browser.opens(f"{BOT}/connect/{secret}")
    token = token_in(page)
    await site.secret(store)
    page = await press(browser)
    assert page.status == 410
    assert "/grant" in page.text
    async with site.http(cookie="; ".join(f"{it.name}={it.value}" for it in browser.cookies.jar)) as http:
        answer = await http.post(
            f"/connect/{secret}", data={"token": token}, headers={**OWN_PAGE, "accept": "application/json"}
        )
        assert (await http.get(f"/connect/{secret}/leave")).status_code == 410
    assert answer.status_code == 410
    assert as_json(answer)["state"] == "ended"


async def test_a_disabled_store_is_told(site: Site) -> None:
    store = await site.store()
    browser = site.browser()
    await browser.opens(await site.link(store))
    await site.stories.stores.disable(ALEX, store.id)
    page = await press(browser)
    assert page.status == 409
    assert "/store enable" in page.text


async def test_a_form_that_is_too_large_is_refused(site: Site) -> None:
    secret = await site.secret(await site.store())
    async with site.http() as http:
        answer = await http.post(f"/connect/{secret}/error", data={"text": "x" * 300_000}, headers=OWN_PAGE)
    assert answer.status_code == 413


# --- following it


async def test_the_status_follows_the_consent(site: Site) -> None:
    store = await site.store()
    secret = await site.secret(store)
    browser = site.browser()

    async def status() -> dict[str, object]:
        async with site.http() as http:
            return as_json(await http.get(f"/connect/{secret}/status"))

    assert (await status())["state"] == "ready"
    await browser.opens(f"{BOT}/connect/{secret}")
    await press(browser)
    assert (await status())["state"] == "authorizing"
    await browser.signs_in("alex")
    with site.switched(lwa_status="invalid_client"):
        await browser.consents()
    refused = await status()
    assert refused["state"] == "refused"
    assert refused["title"] == "Something is wrong on our side"
    assert refused["turn"] == "Our turn: you need not do anything."
    await browser.opens(f"{BOT}/connect/{secret}")
    await press(browser)
    await browser.consents()
    done = await status()
    assert done["state"] == "granted"
    assert done["title"] == "Authorization complete"
    assert "2027" in str(done["note"])
    page = await browser.opens(f"{BOT}/connect/{secret}")
    assert state_of(page) == "granted"
    assert (await site.attempt(secret)).outcome is Outcome.GRANTED


async def test_silence_is_told_with_reasons_that_fit(site: Site) -> None:
    store = await site.store()
    first = await site.link(store)
    browser = site.browser()
    await browser.opens(first)
    await press(browser)
    site.passes(timedelta(minutes=10))
    page = await browser.opens(first)
    assert "Your user isn’t allowed to authorize apps." in page.text
    await press(browser)
    await browser.signs_in("alex")
    await browser.consents()
    second = await site.link(store, feature=FeatureKey.LISTING)
    await browser.opens(second)
    await press(browser)
    site.passes(timedelta(minutes=10))
    page = await browser.opens(second)
    assert state_of(page) == "silent"
    assert "Your user isn’t allowed to authorize apps." not in page.text
    assert "Signing in took too long." in page.text


async def test_the_status_of_an_unknown_link_is_an_end(site: Site) -> None:
    async with site.http() as http:
        answer = await http.get("/connect/nothing/status")
    assert answer.status_code == 404
    assert as_json(answer)["state"] == "ended"
