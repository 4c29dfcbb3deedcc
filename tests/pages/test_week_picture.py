"""The desk's week as a chart: a well-formed PNG at a signed address of its own."""

from __future__ import annotations

import struct
import zlib
from datetime import date

import httpx
from starlette.applications import Starlette

from handlers.calendar_picture import CalendarPictures
from handlers.pictures import LIFETIME
from handlers.week_picture import WeekPictures, draw
from tests.pages.test_calendar_picture import chunks
from tests.storage.fakes import FakeClock

MONDAY = date(2026, 3, 2)
DAYS = [(f"2026-03-0{day}", came, went) for day, came, went in ((2, 4, 1), (3, 0, 0), (4, 12, 9), (5, 1000, 1))]
KEY = bytes(range(32))


def test_it_is_a_well_formed_picture_whatever_the_numbers() -> None:
    for counts in ([(0, 0)] * 7, [(1, 0), (0, 1)], [(100_000, 3)] * 7):
        parts = chunks(draw(MONDAY, counts))
        width, height = struct.unpack(">II", parts[b"IHDR"][:8])
        pixels = zlib.decompress(parts[b"IDAT"])
        assert len(pixels) == height * (width + 1)


def test_other_numbers_make_another_picture() -> None:
    drawn = {draw(MONDAY, counts) for counts in ([(0, 0)], [(1, 0)], [(0, 1)], [(1, 1)], [(1, 2)])}
    assert len(drawn) == 5


async def fetched(pictures: WeekPictures, url: str) -> httpx.Response:
    app = Starlette(routes=[pictures.route()])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as browser:
        return await browser.get(url)


async def test_a_signed_address_is_answered_until_its_time_is_over(clock: FakeClock) -> None:
    pictures = WeekPictures("http://bot.test", (KEY,), clock=clock)
    url = pictures.url(DAYS)
    answer = await fetched(pictures, url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content == draw(MONDAY, [(came, went) for _, came, went in DAYS])
    clock.advance(LIFETIME)
    assert (await fetched(pictures, url)).status_code == 404


async def test_what_was_signed_for_another_picture_is_not_a_week(clock: FakeClock) -> None:
    calendar = CalendarPictures("http://bot.test", (KEY,), clock=clock).url(MONDAY, [])
    url = calendar.replace("/digest/calendar/", "/desk/week/")
    assert (await fetched(WeekPictures("http://bot.test", (KEY,), clock=clock), url)).status_code == 404
