"""What everybody gets: no barriers, little weight, nothing from elsewhere, nothing against the policy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_core_python.async_playwright import Axe
from playwright.async_api import Page, expect

from bot.ports import Person
from tests.browser.harness import PEOPLE, Desk, NewContext, confirm, press, reaches, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

#: on the wire, with headers; the page, its style sheet, script, icon and QR code
MOST_BYTES = 30_000


async def no_barriers(page: Page) -> None:
    found: dict[str, Any] = await Axe().run(page, options={"resultTypes": ["violations"]})
    broken = [
        f"{rule['id']}: {node['html'][:160]} {node.get('failureSummary', '')}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
    assert not broken, "\n".join(broken)


async def unfolded(page: Page) -> None:
    await page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("person", PEOPLE.values(), ids=PEOPLE)
async def test_axe_finds_nothing_in_any_state(
    desk: Desk, new_context: NewContext, person: Person, scheme: Literal["light", "dark"]
) -> None:
    context = await new_context(color_scheme=scheme, locale=person.locale)
    page = await context.new_page()
    store = await desk.store(person)
    await page.goto(await desk.link(store, person))
    await unfolded(page)
    await no_barriers(page)
    amazon = await press(page)
    await reaches(page, "authorizing")
    await no_barriers(page)
    desk.passes(timedelta(minutes=11))
    await reaches(page, "silent")
    await no_barriers(page)
    await amazon.close()
    amazon = await press(page)
    await sign_in(amazon, "alex")
    await confirm(amazon)
    await no_barriers(amazon)
    await reaches(page, "granted")
    await no_barriers(page)
    await page.goto(f"{await desk.link(store, person)}?for=primary")
    amazon = await press(page)
    await amazon.get_by_role("link", name="switch account").click()
    await sign_in(amazon, "lin")
    await confirm(amazon)
    await no_barriers(amazon)
    await reaches(page, "refused")
    await no_barriers(page)
    await page.goto(f"{desk.url}/connect/nothing")
    await no_barriers(page)


@pytest.mark.parametrize("person", PEOPLE.values(), ids=PEOPLE)
async def test_it_is_light_and_asks_nobody_else(desk: Desk, new_context: NewContext, person: Person) -> None:
    context = await new_context()
    page = await context.new_page()
    wire = await context.new_cdp_session(page)
    await wire.send("Network.enable")
    received: list[float] = []
    wire.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(await desk.link(await desk.store(person), person))
    async with page.expect_response("**/code.svg"):
        await unfolded(page)
        await page.locator(".qr").scroll_into_view_if_needed()
    await page.wait_for_load_state("networkidle")
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(desk.url).netloc}
    assert sum(received) < MOST_BYTES, received
    assert len(received) >= 5
    assert not complaints


async def test_the_policy_is_never_broken_on_the_whole_way(desk: Desk, new_context: NewContext) -> None:
    context = await new_context()
    broken: list[str] = []
    context.on("console", lambda message: broken.append(message.text) if "Content Security" in message.text else None)
    page = await context.new_page()
    await page.goto(await desk.link(await desk.store()))
    await unfolded(page)
    await page.get_by_role("button", name="Copy Amazon’s address").click()
    await expect(page.locator("#address")).not_to_have_value("")
    async with context.expect_page() as opening:
        await page.get_by_role("button", name="Open Amazon without a pop-up").click()
    amazon = await opening.value
    await sign_in(amazon, "alex")
    await confirm(amazon)
    await reaches(page, "granted")
    assert not broken


async def test_it_can_be_worked_by_keyboard_alone(desk: Desk, page: Page) -> None:
    await page.goto(await desk.link(await desk.store()))
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.locator("#go button")).to_be_focused()
    async with page.context.expect_page() as opening:
        await page.keyboard.press("Enter")
    amazon = await opening.value
    await amazon.wait_for_url("**/sellercentral/**")
    await reaches(page, "authorizing")


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("person", PEOPLE.values(), ids=PEOPLE)
async def test_nothing_sticks_out_at_any_width(desk: Desk, new_context: NewContext, person: Person, width: int) -> None:
    page = await (await new_context(viewport={"width": width, "height": 800})).new_page()
    label = "Extraordinarily-Long-Store-Name-Without-Any-Space-To-Break-At"[:60]
    await page.goto(await desk.link(await desk.store(person, label), person))
    await unfolded(page)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
