"""`make demo` as a person uses it: be Mei in the local Slack, follow the link to the local Amazon, and let a year pass."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from bot.demo import Running, running
from bot.i18n import Speaker
from sandbox.clock import SandboxClock

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SAY = Speaker("zh-CN", tz="Asia/Shanghai")


@pytest_asyncio.fixture(loop_scope="session")
async def demo() -> AsyncIterator[Running]:
    async with running(clock=SandboxClock(), look_every=timedelta(seconds=0.2)) as both:
        yield both


@pytest_asyncio.fixture(loop_scope="session")
async def complaints(page: Page) -> list[str]:
    """What the browser has to say against the page."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


async def types(page: Page, words: str) -> None:
    await page.get_by_role("textbox", name="Message").fill(words)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("")


async def confirms_at_amazon(page: Page) -> None:
    await page.get_by_role("button", name="Sign in as Mei, Mei Acme, United States").click()
    await page.locator("input[name=agree][type=checkbox]").check()
    await page.locator("button[value=confirm]").click()


async def test_a_year_in_the_demo(demo: Running, page: Page, complaints: list[str]) -> None:
    await page.goto(f"{demo.sandbox_url}/?as=mei")
    day = (datetime.now(UTC) - timedelta(days=30)).date()
    await types(page, f'/store add "Acme US" US {day}')
    await expect(page.locator(".message", has_text="授权前请确认").first).to_be_visible()
    await types(page, "/grant orders")
    async with page.expect_popup() as opened:
        await page.get_by_role("link", name=SAY("button.open_amazon")).click()
    consent = await opened.value
    async with consent.expect_popup() as opened:
        await consent.locator("button.primary:visible").click()
    amazon = await opened.value
    await confirms_at_amazon(amazon)
    await expect(page.get_by_text(SAY("grant.complete")).first).to_be_visible()

    await page.get_by_role("button", name="Let 11½ months pass").click()
    digest = page.locator(".message", has_text=SAY("digest.title"))
    await expect(digest).to_contain_text(SAY.count("digest.orders.later", 1, days=14).replace("*", ""))
    await expect(page.locator("#time")).to_contain_text("10:0")
    picture = digest.get_by_role("img", name="Acme").or_(digest.locator("img[alt]")).last
    await expect(picture).to_be_visible()
    await expect(picture).to_have_js_property("complete", value=True)
    assert await picture.evaluate("image => image.naturalWidth") > 100
    assert complaints == []
