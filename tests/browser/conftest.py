"""A real Chromium, and the service for it to visit."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.browser.harness import PATIENCE, Desk, NewContext, running
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


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """One for all tests; each has contexts of its own."""
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        # In containers Chromium has no sandbox of its own; all it visits here is this machine.
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with running(tmp_path) as desk:
        yield desk


@pytest_asyncio.fixture(loop_scope="session")
async def new_context(browser: Browser) -> AsyncIterator[NewContext]:
    """Makes browser contexts, and closes them at the end: no page goes on asking a service that is gone."""
    made: list[BrowserContext] = []

    async def make(**options: Any) -> BrowserContext:
        context = await browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        made.append(context)
        return context

    yield make
    for context in made:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(new_context: NewContext) -> Page:
    return await (await new_context(locale="en-US")).new_page()
