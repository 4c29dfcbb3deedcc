"""The calendar: a well-formed PNG at an address that cannot be made up and does not last."""

from __future__ import annotations

import struct
import zlib
from datetime import date, timedelta

import httpx
import pytest
from starlette.applications import Starlette

from bot.domain.year_notices import DayCount
from handlers.calendar_picture import CalendarPictures, draw
from handlers.pictures import LIFETIME
from tests.storage.fakes import FakeClock

TODAY = date(2026, 3, 4)
CALENDAR = (DayCount("2026-03-04", 1), DayCount("2026-03-18", 3, 12), DayCount("2026-05-30", 7))
OLD, NEW = bytes(32), bytes(range(32))


def chunks(image: bytes) -> dict[bytes, bytes]:
    """A PNG's parts, each with a sum that is right."""
    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    found: dict[bytes, bytes] = {}
    at = 8
    while at < len(image):
        (length,) = struct.unpack(">I", image[at : at + 4])
        kind, body = image[at + 4 : at + 8], image[at + 8 : at + 8 + length]
        assert struct.unpack(">I", image[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + body),)
        found[kind] = body
        at += 12 + length
    return found


def test_it_is_a_well_formed_picture_of_a_few_kilobytes() -> None:
    image = draw(TODAY, {0: (1, 0), 14: (3, 12), 20: (120, 0)})
    parts = chunks(image)
    width, height, depth, colours = struct.unpack(">IIBB", parts[b"IHDR"][:10])
    assert (depth, colours) == (8, 3)
    pixels = zlib.decompress(parts[b"IDAT"])
    assert len(pixels) == height * (width + 1)
    assert max(pixels) < len(parts[b"PLTE"]) // 3
    assert len(image) < 10_000


def test_other_numbers_make_another_picture() -> None:
    assert len({draw(TODAY, counts) for counts in ({}, {1: (1, 0)}, {1: (0, 1)}, {1: (2, 0)}, {2: (1, 0)})}) == 5


@pytest.fixture
def pictures(clock: FakeClock) -> CalendarPictures:
    return CalendarPictures("http://bot.test", (NEW, OLD), clock=clock)


async def fetched(pictures: CalendarPictures, url: str) -> httpx.Response:
    app = Starlette(routes=[pictures.route()])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as browser:
        return await browser.get(url)


async def test_a_signed_address_is_answered_until_its_time_is_over(
    pictures: CalendarPictures, clock: FakeClock
) -> None:
    url = pictures.url(TODAY, CALENDAR)
    answer = await fetched(pictures, url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content == draw(TODAY, {0: (1, 0), 14: (3, 12)}), "what lies beyond six weeks is left out"
    clock.advance(LIFETIME - timedelta(seconds=1))
    assert (await fetched(pictures, url)).status_code == 200
    clock.advance(timedelta(seconds=1))
    assert (await fetched(pictures, url)).status_code == 404


async def test_an_address_under_an_older_key_still_counts(pictures: CalendarPictures, clock: FakeClock) -> None:
    before = CalendarPictures("http://bot.test", (OLD,), clock=clock)
    assert (await fetched(pictures, before.url(TODAY, CALENDAR))).status_code == 200
    strange = CalendarPictures("http://bot.test", (b"x" * 32,), clock=clock)
    assert (await fetched(pictures, strange.url(TODAY, CALENDAR))).status_code == 404


@pytest.mark.parametrize("name", ["x", "e30.", "e30.AAAA", ".", "W10.%00", "é.é", "a" * 4000])
async def test_what_was_not_signed_is_not_there(pictures: CalendarPictures, name: str) -> None:
    assert (await fetched(pictures, f"http://bot.test/digest/calendar/{name}.png")).status_code == 404


async def test_no_part_of_an_address_can_be_changed(pictures: CalendarPictures) -> None:
    url = pictures.url(TODAY, CALENDAR)
    stem = url.removesuffix(".png")
    for place in range(len("http://bot.test/digest/calendar/"), len(stem) - 1, 7):
        other = "A" if stem[place] != "A" else "B"
        changed = f"{stem[:place]}{other}{stem[place + 1 :]}.png"
        assert (await fetched(pictures, changed)).status_code == 404


def test_names_are_in_no_address(pictures: CalendarPictures) -> None:
    assert "Acme" not in pictures.url(TODAY, CALENDAR)
    assert (
        len(pictures.url(TODAY, [DayCount((TODAY + timedelta(days=day)).isoformat(), 999, 999) for day in range(42)]))
        < 2000
    )
