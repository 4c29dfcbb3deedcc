"""A real Chromium, and the service for it to visit."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.browser.harness import Desk, running
from tests.chromium import installed


@pytest.fixture(scope="session")
def chromium() -> str:
    found = installed()
    if found is None:
        reason = "no Chrome or Chromium: `make test` installs one"
        if os.environ.get("CI", "").casefold() in ("1", "true"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with running(tmp_path) as desk:
        yield desk


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # In containers Chromium has no sandbox of its own; all it visits here is this machine.
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


@pytest.fixture
async def context(browser: Browser) -> BrowserContext:
    return await browser.new_context(locale="en-US")


@pytest.fixture
async def page(context: BrowserContext) -> Page:
    return await context.new_page()
