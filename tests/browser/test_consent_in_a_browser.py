"""The consent page in a real Chromium: the live part, what browsers block, and other browsers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from bot.domain.features import FeatureKey
from tests.browser.harness import ALEX, MEI, Desk, NewContext, confirm, press, reaches, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_from_the_link_to_both_features(desk: Desk, page: Page) -> None:
    store = await desk.store()
    await page.goto(await desk.link(store))
    amazon = await press(page)
    await reaches(page, "authorizing")
    await expect(page.locator("#live")).to_contain_text("Waiting for Amazon")
    await expect(amazon.locator("body")).to_contain_text("Sign in")
    assert await amazon.evaluate("[document.referrer, window.opener]") == ["", None]
    await sign_in(amazon, "alex")
    await confirm(amazon)
    await expect(amazon.locator("h1")).to_have_text("Authorization complete")
    await reaches(page, "granted")
    await expect(page.locator("#live")).to_contain_text("Authorization complete")
    await expect(page).to_have_title("Authorization complete · Connect Acme US to Amazon · SaleYee")
    await expect(page.locator("#result-title")).to_be_focused()
    await expect(page.get_by_text("See for yourself at Amazon")).to_be_visible()
    await expect(page.locator("#go")).to_be_hidden()
    await page.get_by_role("button", name="Connect Listing and stock sync too").click()
    await reaches(page, "ready")
    await expect(page.locator("h1")).to_contain_text("Acme")
    amazon = await press(page)
    await confirm(amazon)
    await reaches(page, "granted")
    assert await desk.is_granted(store)
    assert await desk.is_granted(store, feature=FeatureKey.LISTING)


@pytest.mark.parametrize(
    "trick",
    [
        pytest.param("window.open = () => null", id="refused"),
        pytest.param("window.open = () => ({closed: true})", id="closed at once"),
        pytest.param("window.open = () => ({closed: false})", id="silently"),
        pytest.param("window.open = () => { throw new Error('no') }", id="with an error"),
    ],
)
async def test_a_blocked_pop_up_is_noticed_and_gone_around(desk: Desk, page: Page, trick: str) -> None:
    await page.add_init_script(trick)
    store = await desk.store()
    await page.goto(await desk.link(store))
    help_ = page.locator("#blocked .body")
    await expect(help_).to_be_hidden()
    await page.locator("#go button").click()
    await expect(help_).to_be_visible()
    await expect(help_).to_contain_text("Chrome shows an icon")
    await expect(page.locator("#blocked-title")).to_be_focused()
    await expect(page.locator("#live")).to_have_text("The browser blocked Amazon’s tab")
    assert not await desk.is_granted(store)
    async with page.context.expect_page() as opening:
        await page.get_by_role("button", name="Open Amazon without a pop-up").click()
    amazon = await opening.value
    await reaches(page, "authorizing")
    await expect(help_).to_be_hidden()
    await sign_in(amazon, "alex")
    await confirm(amazon)
    await reaches(page, "granted")


async def test_amazon_opens_in_this_tab_if_nothing_else_helps(desk: Desk, page: Page) -> None:
    store = await desk.store()
    await page.goto(await desk.link(store))
    await page.get_by_text("Amazon did not open?").click()
    await page.get_by_role("button", name="Open it in this tab").click()
    await sign_in(page, "alex")
    await confirm(page)
    await page.get_by_role("button", name="Connect Listing and stock sync too").click()
    await expect(page.locator("h1")).to_contain_text("Acme")


async def test_the_address_is_copied_into_a_browser_that_has_never_seen_us(
    desk: Desk, new_context: NewContext, page: Page
) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=desk.url)
    store = await desk.store()
    await page.goto(await desk.link(store))
    await page.get_by_role("link", name="No, use another browser or device").click()
    await expect(page.locator("#elsewhere")).to_be_focused()
    await page.get_by_role("button", name="Copy Amazon’s address").click()
    await expect(page.locator("#copied")).to_contain_text("Copied.")
    address = await page.locator("#address").input_value()
    assert await page.evaluate("navigator.clipboard.readText()") == address
    await reaches(page, "authorizing")
    elsewhere = await (await new_context()).new_page()
    await elsewhere.goto(address)
    await sign_in(elsewhere, "alex")
    await confirm(elsewhere)
    await expect(elsewhere.locator("h1")).to_have_text("Authorization complete")
    await reaches(page, "granted")


async def test_where_nothing_may_be_copied_the_address_is_marked(desk: Desk, page: Page) -> None:
    await page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    await page.goto(await desk.link(await desk.store()))
    await page.get_by_text("Use another browser or device", exact=True).click()
    await page.get_by_role("button", name="Copy Amazon’s address").click()
    await expect(page.locator("#copied")).to_contain_text("Ctrl+C")
    await expect(page.locator("#address")).to_be_focused()
    assert await page.evaluate("getSelection().toString() || document.activeElement.selectionEnd") != 0


async def test_the_page_follows_a_press_on_another_machine(desk: Desk, new_context: NewContext, page: Page) -> None:
    store = await desk.store()
    link = await desk.link(store)
    await page.goto(link)
    await page.get_by_text("Use another browser or device", exact=True).click()
    code = page.get_by_alt_text("QR code with this page’s link")
    await code.scroll_into_view_if_needed()
    await expect(code).to_have_js_property("complete", value=True)
    assert await code.evaluate("image => image.naturalWidth") > 0
    phone = await (await new_context(viewport={"width": 390, "height": 844})).new_page()
    await phone.goto(link)
    amazon = await press(phone)
    await sign_in(amazon, "alex")
    await confirm(amazon)
    await reaches(page, "granted")
    await reaches(phone, "granted")


async def test_the_wrong_account_is_told_here_and_there(desk: Desk, page: Page) -> None:
    store = await desk.store()
    await page.goto(await desk.link(store))
    amazon = await press(page)
    await sign_in(amazon, "alex")
    await confirm(amazon)
    await page.goto(await desk.link(store))
    amazon = await press(page)
    await amazon.get_by_role("link", name="switch account").click()
    await sign_in(amazon, "lin")
    await confirm(amazon)
    await expect(amazon.locator("h1")).to_have_text("Another Amazon store was signed in")
    await reaches(page, "refused")
    await expect(page.locator("#result-title")).to_have_text("Another Amazon store was signed in")
    await expect(page.locator("#result-note")).to_contain_text("Your earlier authorization still stands")
    await expect(page.get_by_role("button", name="Try again at Amazon")).to_be_visible()
    assert await desk.is_granted(store)


async def test_cancelling_and_trying_again(desk: Desk, page: Page) -> None:
    store = await desk.store()
    await page.goto(await desk.link(store))
    amazon = await press(page)
    await sign_in(amazon, "alex")
    await amazon.locator("button[value=cancel]").click()
    await expect(amazon.locator("h1")).to_have_text("Authorization cancelled")
    await amazon.close()
    await reaches(page, "authorizing")
    async with page.context.expect_page() as opening:
        await page.get_by_role("button", name="Open Amazon again").click()
    amazon = await opening.value
    await confirm(amazon)
    await reaches(page, "granted")


async def test_silence_times_out_with_reasons(desk: Desk, page: Page) -> None:
    await page.goto(await desk.link(await desk.store()))
    await press(page)
    await reaches(page, "authorizing")
    desk.passes(timedelta(minutes=10, seconds=1))
    await reaches(page, "silent")
    await expect(page.locator("#result")).to_contain_text("Amazon has not answered")
    await page.get_by_role("link", name="Tell us what it said").click()
    await expect(page.locator("#error")).to_be_focused()
    await page.get_by_role("link", name="Ask the primary user").click()
    await expect(page.get_by_role("button", name="Prepare the message")).to_be_visible()
    amazon = await press(page)
    await sign_in(amazon, "alex")
    await confirm(amazon)
    await reaches(page, "granted")


async def test_renewing_from_seller_central(desk: Desk, page: Page) -> None:
    store = await desk.store()
    await page.goto(await desk.link(store))
    amazon = await press(page)
    await sign_in(amazon, "alex")
    await confirm(amazon)
    before = await desk.grant(store)
    desk.passes(timedelta(days=340))
    await amazon.goto(f"{desk.sandbox.settings.public_url}/amazon/sellercentral/apps/manage")
    await amazon.get_by_role("button", name="Re-authorize").click()
    await amazon.wait_for_url("**/result/**")
    await expect(amazon.locator("h1")).to_have_text("Authorization complete")
    after = await desk.grant(store)
    assert before.ends_at
    assert after.ends_at
    assert after.ends_at - before.ends_at > timedelta(days=339)


async def test_without_javascript(desk: Desk, new_context: NewContext) -> None:
    store = await desk.store()
    link = await desk.link(store)
    page = await (await new_context(java_script_enabled=False)).new_page()
    await page.goto(link)
    await expect(page.get_by_text("come back to this page and check the result")).to_be_visible()
    amazon = await press(page)
    await sign_in(amazon, "alex")
    await confirm(amazon)
    await expect(amazon.locator("h1")).to_have_text("Authorization complete")
    await page.get_by_role("link", name="Check result").click()
    await expect(page.locator("#result-title")).to_have_text("Authorization complete")
    await page.get_by_role("button", name="Connect Listing and stock sync too").click()
    await page.get_by_text("Amazon showed an error", exact=True).click()
    await page.get_by_label("The error code").fill("MD5101")
    await page.get_by_role("button", name="What does it mean?").click()
    await expect(page.locator("#meaning")).to_contain_text("The support desk has been told.")


async def test_an_error_is_explained_in_place(desk: Desk, page: Page) -> None:
    await page.goto(await desk.link(await desk.store()))
    await page.get_by_text("Amazon showed an error", exact=True).click()
    await page.get_by_label("The error code").fill("You do not have permission to do this (SPDC8143)")
    await page.get_by_role("button", name="What does it mean?").click()
    await expect(page.locator("#meaning")).to_contain_text("Your turn")
    await expect(page.get_by_role("button", name="Prepare the message")).to_be_visible()
    assert page.url.rpartition("/connect/")[2].isidentifier() or "#" not in page.url


async def test_the_primary_user_needs_no_slack(desk: Desk, new_context: NewContext, page: Page) -> None:
    store = await desk.store(MEI, "美羽家居")
    await page.goto(await desk.link(store, MEI))
    await page.get_by_text("我没有授权权限").click()
    await page.get_by_role("button", name="生成消息").click()
    await expect(page.locator("#message")).not_to_have_value("")
    link = (await page.locator("#message").input_value()).rpartition("\n")[2]
    primary = await (await new_context(locale="en-GB")).new_page()
    await primary.goto(link)
    await expect(primary.get_by_text("You were asked as the primary user")).to_be_visible()
    amazon = await press(primary)
    await sign_in(amazon, "mei")
    await confirm(amazon)
    await reaches(primary, "granted")
    await expect(primary.locator("#result-title")).to_have_text("Authorization complete")
    await reaches(page, "granted")
    await expect(page.locator("#result-title")).to_have_text("授权成功")


async def test_a_link_that_was_replaced_meanwhile_says_so(desk: Desk, page: Page) -> None:
    store = await desk.store()
    await page.goto(await desk.link(store))
    await expect(page.get_by_text("This link works until")).to_be_visible()
    await desk.link(store)
    await reaches(page, "ended")
    await expect(page.locator("#result-title")).to_have_text("A newer link took this one’s place")
    await expect(page.locator("#go")).to_be_hidden()
    await expect(page.get_by_text("This link works until")).to_be_hidden()


async def test_a_press_that_comes_too_late_is_told_in_the_new_tab(desk: Desk, page: Page) -> None:
    store = await desk.store()
    await page.goto(await desk.link(store))
    await desk.service.stories.stores.disable(ALEX, store.id)
    async with page.context.expect_page() as opening:
        await page.locator("#go button").click()
    tab = await opening.value
    await expect(tab.locator("#leave-title")).to_have_text("Not possible at the moment")
    await expect(tab.locator("#leave-advice")).to_contain_text("/store enable")
