"""The desk's week as a chart: for each day how many tickets came (filled) and how many were closed (framed)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from starlette.routing import Route

from bot.ports import Clock
from handlers.pictures import GLYPH_HEIGHT, Canvas, SignedPictures, text_width

_DAY, _BAR, _GAP, _MARGIN = 84, 28, 6, 12
#: pixels of the tallest bar, of the numbers above the bars, and of the days below them
_TALLEST, _ABOVE, _BELOW = 150, 22, 28
_HEIGHT = 2 * _MARGIN + _ABOVE + _TALLEST + _BELOW
#: a bar is no lower than its frame
_LOWEST = 6
_MOST = 999


class WeekPictures:
    """Makes addresses and answers them. `keys`: the newest signs, every one is accepted."""

    def __init__(self, public_url: str, keys: Sequence[bytes], *, clock: Clock) -> None:
        self._signed = SignedPictures("/desk/week", public_url, keys, clock=clock)

    def url(self, days: Sequence[tuple[str, int, int]]) -> str:
        """The chart's address, good for two months. `days`: (ISO date, came, closed), one after the other, at least one."""
        return self._signed.url([days[0][0], [[came, closed] for _, came, closed in days]])

    def route(self) -> Route:
        return self._signed.route(
            lambda first, counts: draw(date.fromisoformat(first), [(came, closed) for came, closed in counts])
        )


def draw(first: date, counts: Sequence[tuple[int, int]]) -> bytes:
    """The chart from the day `first` on: (came, closed) for each day."""
    canvas = Canvas(2 * _MARGIN + len(counts) * _DAY, _HEIGHT)
    most = max((max(pair) for pair in counts), default=0)
    floor = _MARGIN + _ABOVE + _TALLEST
    for place, (came, closed) in enumerate(counts):
        day = first + timedelta(days=place)
        x = _MARGIN + place * _DAY
        paper = "weekend" if day.weekday() >= 5 else "day"  # noqa: PLR2004  # Saturday
        canvas.box(x + 2, _MARGIN, _DAY - 4, _HEIGHT - 2 * _MARGIN, paper)
        left = x + (_DAY - 2 * _BAR - _GAP) // 2
        for bar, count in ((left, came), (left + _BAR + _GAP, closed)):
            height = max(_LOWEST, round(_TALLEST * count / most)) if count else 0
            if count and bar == left:
                canvas.box(bar, floor - height, _BAR, height, "today")
            elif count:
                canvas.frame(bar, floor - height, _BAR, height, "later", "white")
            _centred(canvas, bar, floor - height - 18, _BAR, str(min(count, _MOST)), "number" if count else "faint")
        _centred(canvas, x, floor + 9, _DAY, f"{day.month}/{day.day}", "number")
    return canvas.png()


def _centred(canvas: Canvas, x: int, y: int, width: int, text: str, ink: str) -> None:
    size = 2 if text_width(text, 2) <= width + _GAP else 1
    canvas.write(x + (width - text_width(text, size)) // 2, y + (2 - size) * GLYPH_HEIGHT // 2, text, ink, size)
