"""The calendar of what ends when. Six weeks, Monday first; a day shows how many stores lose order import (filled) and stock
sync (framed).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from starlette.routing import Route

from bot.domain.year_notices import DayCount
from bot.ports import Clock
from handlers.pictures import GLYPH_HEIGHT, Canvas, SignedPictures, text_width

_WEEKS, _DAYS = 6, 7
_CELL_WIDTH, _CELL_HEIGHT, _GAP, _MARGIN = 84, 60, 4, 12
_WIDTH = 2 * _MARGIN + _DAYS * _CELL_WIDTH + (_DAYS - 1) * _GAP
_HEIGHT = 2 * _MARGIN + _WEEKS * _CELL_HEIGHT + (_WEEKS - 1) * _GAP
#: days before an end that are drawn in the colour of haste, and of soon
_NOW, _SOON = 3, 14


class CalendarPictures:
    """Makes addresses and answers them. `keys`: the newest signs, every one is accepted."""

    def __init__(self, public_url: str, keys: Sequence[bytes], *, clock: Clock) -> None:
        self._signed = SignedPictures("/digest/calendar", public_url, keys, clock=clock)

    def url(self, today: date, calendar: Sequence[DayCount]) -> str:
        """The picture's address, good for two months."""
        days = [
            [(date.fromisoformat(row.day) - today).days, row.orders, row.listing]
            for row in calendar
            if 0 <= (date.fromisoformat(row.day) - today).days < _WEEKS * _DAYS
        ]
        return self._signed.url([today.isoformat(), days])

    def route(self) -> Route:
        return self._signed.route(
            lambda today, days: draw(
                date.fromisoformat(today), {offset: (orders, listing) for offset, orders, listing in days}
            )
        )


def draw(today: date, counts: Mapping[int, tuple[int, int]]) -> bytes:
    """The calendar from the week of `today` on; `counts` by days from today: stores without orders, without stock sync."""
    canvas = Canvas(_WIDTH, _HEIGHT)
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
    return canvas.png()


def _draw_day(canvas: Canvas, x: int, y: int, day: date, left: int) -> None:
    paper = "past" if left < 0 else "weekend" if day.weekday() >= 5 else "day"  # noqa: PLR2004  # Saturday
    if left == 0:
        canvas.frame(x, y, _CELL_WIDTH, _CELL_HEIGHT, "today", paper)
    else:
        canvas.box(x, y, _CELL_WIDTH, _CELL_HEIGHT, paper)
    name = f"{day.month}/{day.day}" if day.day == 1 or left == 0 else str(day.day)
    canvas.write(x + 7, y + 7, name, "faint" if left < 0 else "number", 2)


def _draw_counts(canvas: Canvas, x: int, y: int, orders: int, listing: int, ink: str) -> None:
    top, height = y + 28, 26
    if orders:
        canvas.box(x + 6, top, 35, height, ink)
        _centred(canvas, x + 6, top, orders, "white")
    if listing:
        canvas.frame(x + 43, top, 35, height, ink, "white")
        _centred(canvas, x + 43, top, listing, ink)


def _centred(canvas: Canvas, x: int, y: int, count: int, ink: str) -> None:
    text = str(count) if count <= 99 else "99+"  # noqa: PLR2004  # two digits fit
    size = 2 if len(text) < 3 else 1  # noqa: PLR2004
    canvas.write(x + (35 - text_width(text, size)) // 2, y + (26 - GLYPH_HEIGHT * size) // 2, text, ink, size)


def _haste(left: int) -> str:
    return "now" if left <= _NOW else "soon" if left <= _SOON else "later"
