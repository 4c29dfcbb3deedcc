"""The calendar of what ends when, as a small PNG at a signed address that expires. Drawn here, pixel by pixel.

The address carries the numbers themselves (days and counts, no names), so that there is nothing to look up and nothing to
find by trying. Six weeks, Monday first; a day shows how many stores lose order import (filled) and stock sync (framed). There
are only digits in it: it needs no font and no language. The message's alt text says the same in words.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.domain.year_notices import DayCount
from bot.ports import Clock

#: how long Slack may fetch the picture again
LIFETIME = timedelta(days=60)
_ROOT = "/digest/calendar"
_SIGNATURE_BYTES = 16

_WEEKS, _DAYS = 6, 7
_CELL_WIDTH, _CELL_HEIGHT, _GAP, _MARGIN = 84, 60, 4, 12
_WIDTH = 2 * _MARGIN + _DAYS * _CELL_WIDTH + (_DAYS - 1) * _GAP
_HEIGHT = 2 * _MARGIN + _WEEKS * _CELL_HEIGHT + (_WEEKS - 1) * _GAP
#: days before an end that are drawn in the colour of haste, and of soon
_NOW, _SOON = 3, 14

_PALETTE = {
    "paper": (255, 255, 255),
    "day": (246, 247, 249),
    "weekend": (236, 239, 243),
    "past": (252, 252, 252),
    "number": (120, 130, 142),
    "faint": (205, 210, 216),
    "today": (54, 108, 217),
    "white": (255, 255, 255),
    "now": (200, 40, 50),
    "soon": (196, 110, 8),
    "later": (38, 110, 90),
}
_INK = {name: number for number, name in enumerate(_PALETTE)}

#: five by seven, a row a number
_GLYPHS: Mapping[str, tuple[int, ...]] = {
    "0": (14, 17, 19, 21, 25, 17, 14),
    "1": (4, 12, 4, 4, 4, 4, 14),
    "2": (14, 17, 1, 2, 4, 8, 31),
    "3": (31, 2, 4, 2, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2),
    "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14),
    "7": (31, 1, 2, 4, 8, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12),
    "/": (1, 1, 2, 4, 8, 16, 16),
    "+": (0, 4, 4, 31, 4, 4, 0),
}
_GLYPH_WIDTH = 6


class CalendarPictures:
    """Makes addresses and answers them. `keys`: the newest signs, every one is accepted."""

    def __init__(self, public_url: str, keys: Sequence[bytes], *, clock: Clock) -> None:
        self._public_url = public_url
        self._keys = tuple(hashlib.sha256(b"grantdesk calendar " + key).digest() for key in keys)
        self._clock = clock

    def url(self, today: date, calendar: Sequence[DayCount]) -> str:
        """The picture's address, good for two months."""
        days = [
            [(date.fromisoformat(row.day) - today).days, row.orders, row.listing]
            for row in calendar
            if 0 <= (date.fromisoformat(row.day) - today).days < _WEEKS * _DAYS
        ]
        until = int((self._clock() + LIFETIME).timestamp())
        facts = json.dumps([today.isoformat(), until, days], separators=(",", ":")).encode()
        return f"{self._public_url}{_ROOT}/{_text(facts)}.{_text(_signature(self._keys[0], facts))}.png"

    def route(self) -> Route:
        return Route(f"{_ROOT}/{{name}}.png", self._answer)

    async def _answer(self, request: Request) -> Response:
        facts = self._facts(request.path_params["name"])
        if facts is None:
            return PlainTextResponse("There is no such picture, or its time is over.", status_code=404)
        today, until, days = facts
        left = max(0, until - int(self._clock().timestamp()))
        return Response(
            draw(date.fromisoformat(today), {offset: (orders, listing) for offset, orders, listing in days}),
            media_type="image/png",
            headers={
                "cache-control": f"public, max-age={min(left, 86_400)}, immutable",
                # made to be shown elsewhere: in Slack
                "cross-origin-resource-policy": "cross-origin",
            },
        )

    def _facts(self, name: str) -> tuple[str, int, list[tuple[int, int, int]]] | None:
        """What a signed name says; None for one that is not ours, or too old."""
        encoded, _, proof = name.partition(".")
        try:
            facts, signature = _bytes(encoded), _bytes(proof)
        except ValueError:
            return None
        if not any(hmac.compare_digest(_signature(key, facts), signature) for key in self._keys):
            return None
        today, until, days = json.loads(facts)
        if self._clock() >= datetime.fromtimestamp(until, UTC):
            return None
        return today, until, [tuple(row) for row in days]


def _signature(key: bytes, facts: bytes) -> bytes:
    return hmac.new(key, facts, hashlib.sha256).digest()[:_SIGNATURE_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


# --- drawing ---------------------------------------------------------------------------------------------------------


class _Canvas:
    """Rows of palette numbers."""

    def __init__(self) -> None:
        self.rows = [bytearray([_INK["paper"]]) * _WIDTH for _ in range(_HEIGHT)]

    def box(self, x: int, y: int, width: int, height: int, ink: str) -> None:
        """A filled box with its corners off, which reads as rounded."""
        for row in range(height):
            inset = 2 if row in (0, height - 1) else 1 if row in (1, height - 2) else 0
            self.rows[y + row][x + inset : x + width - inset] = bytes([_INK[ink]]) * (width - 2 * inset)

    def frame(self, x: int, y: int, width: int, height: int, ink: str, inside: str) -> None:
        self.box(x, y, width, height, ink)
        self.box(x + 2, y + 2, width - 4, height - 4, inside)

    def write(self, x: int, y: int, text: str, ink: str, size: int) -> None:
        for place, char in enumerate(text):
            for row, bits in enumerate(_GLYPHS[char]):
                for column in range(5):
                    if bits >> (4 - column) & 1:
                        left = x + (place * _GLYPH_WIDTH + column) * size
                        for line in range(size):
                            self.rows[y + row * size + line][left : left + size] = bytes([_INK[ink]]) * size


def draw(today: date, counts: Mapping[int, tuple[int, int]]) -> bytes:
    """The calendar from the week of `today` on; `counts` by days from today: stores without orders, without stock sync."""
    canvas = _Canvas()
    first = today - timedelta(days=today.weekday())
    for week in range(_WEEKS):
        for weekday in range(_DAYS):
            day = first + timedelta(days=week * _DAYS + weekday)
            left = (day - today).days
            x = _MARGIN + weekday * (_CELL_WIDTH + _GAP)
            y = _MARGIN + week * (_CELL_HEIGHT + _GAP)
            _draw_day(canvas, x, y, day, left)
            orders, listing = counts.get(left, (0, 0)) if left >= 0 else (0, 0)
            if orders or listing:
                _draw_counts(canvas, x, y, orders, listing, _haste(left))
    return _png(canvas.rows)


def _draw_day(canvas: _Canvas, x: int, y: int, day: date, left: int) -> None:
    paper = "past" if left < 0 else "weekend" if day.weekday() >= 5 else "day"  # noqa: PLR2004  # Saturday
    if left == 0:
        canvas.frame(x, y, _CELL_WIDTH, _CELL_HEIGHT, "today", paper)
    else:
        canvas.box(x, y, _CELL_WIDTH, _CELL_HEIGHT, paper)
    name = f"{day.month}/{day.day}" if day.day == 1 or left == 0 else str(day.day)
    canvas.write(x + 7, y + 7, name, "faint" if left < 0 else "number", 2)


def _draw_counts(canvas: _Canvas, x: int, y: int, orders: int, listing: int, ink: str) -> None:
    top, height = y + 28, 26
    if orders:
        canvas.box(x + 6, top, 35, height, ink)
        _centred(canvas, x + 6, top, orders, "white")
    if listing:
        canvas.frame(x + 43, top, 35, height, ink, "white")
        _centred(canvas, x + 43, top, listing, ink)


def _centred(canvas: _Canvas, x: int, y: int, count: int, ink: str) -> None:
    text = str(count) if count <= 99 else "99+"  # noqa: PLR2004  # two digits fit
    size = 2 if len(text) < 3 else 1  # noqa: PLR2004
    width = (len(text) * _GLYPH_WIDTH - 1) * size
    canvas.write(x + (35 - width) // 2, y + (26 - 7 * size) // 2, text, ink, size)


def _haste(left: int) -> str:
    return "now" if left <= _NOW else "soon" if left <= _SOON else "later"


def _png(rows: Sequence[bytearray]) -> bytes:
    """An image of eight-bit palette numbers (PNG, 3rd edition: colour type 3)."""
    head = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 3, 0, 0, 0)
    palette = bytes(part for colour in _PALETTE.values() for part in colour)
    pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows), 9)
    parts = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
