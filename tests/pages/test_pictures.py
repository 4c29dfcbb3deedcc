"""Signed pictures: drawn once however often they are fetched, and remembered in bounded memory."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette

from handlers.pictures import LIFETIME, SignedPictures
from tests.storage.fakes import FakeClock


class Draftsman:
    """Draws, and remembers what."""

    def __init__(self) -> None:
        self.drawn: list[tuple[str, list[int]]] = []

    def __call__(self, day: str, counts: list[int]) -> bytes:
        self.drawn.append((day, counts))
        return f"{day} {counts}".encode()


@pytest.fixture
def pictures(clock: FakeClock) -> SignedPictures:
    return SignedPictures("/digest/calendar", "http://bot.test", (bytes(32),), clock=clock)


@pytest.fixture
def draftsman() -> Draftsman:
    return Draftsman()


@pytest.fixture
def browser(pictures: SignedPictures, draftsman: Draftsman) -> httpx.AsyncClient:
    app = Starlette(routes=[pictures.route(draftsman)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app))


async def test_a_picture_is_drawn_once_however_often_it_is_fetched(
    pictures: SignedPictures, draftsman: Draftsman, browser: httpx.AsyncClient, clock: FakeClock
) -> None:
    first = pictures.url(["2026-03-04", [1, 2]])
    clock.advance(timedelta(hours=1))
    later = pictures.url(["2026-03-04", [1, 2]])
    assert first != later
    answers = [(await browser.get(url)).content for url in (first, later) for _ in range(3)]
    assert set(answers) == {b"2026-03-04 [1, 2]"}
    assert len(draftsman.drawn) == 1
    assert (await browser.get(pictures.url(["2026-03-04", [1, 3]]))).content == b"2026-03-04 [1, 3]"


async def test_what_is_remembered_is_not_answered_beyond_its_time(
    pictures: SignedPictures, browser: httpx.AsyncClient, clock: FakeClock
) -> None:
    url = pictures.url(["2026-03-04", [1, 2]])
    assert (await browser.get(url)).status_code == 200
    clock.advance(LIFETIME)
    assert (await browser.get(url)).status_code == 404


async def test_pictures_are_remembered_in_bounded_memory(
    pictures: SignedPictures, draftsman: Draftsman, browser: httpx.AsyncClient
) -> None:
    for number in [*range(257), 256, 0]:
        await browser.get(pictures.url(["2026-03-04", [number]]))
    assert [counts for _, counts in draftsman.drawn] == [[number] for number in [*range(257), 0]]
