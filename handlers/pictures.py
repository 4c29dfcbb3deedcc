"""Small PNGs, drawn here pixel by pixel, at signed addresses that expire. Knows no story: each picture is a module beside it.

An address carries the numbers themselves and no names, so that there is nothing to look up and nothing to find by trying. There
are only digits in a picture: it needs no font and no language, and the message's alt text says the same in words.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.ports import Clock

#: how long Slack may fetch a picture again
LIFETIME = timedelta(days=60)
_SIGNATURE_BYTES = 16
#: pictures kept, of a few kilobytes each: drawing one takes twenty milliseconds, in which nobody else is answered
_KEPT = 256

PALETTE: Mapping[str, tuple[int, int, int]] = {
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
_INK = {name: number for number, name in enumerate(PALETTE)}

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
GLYPH_WIDTH, GLYPH_HEIGHT = 6, 7


class SignedPictures:
    """Makes addresses below `root` and answers them. `keys`: the newest signs, every one is accepted."""

    def __init__(self, root: str, public_url: str, keys: Sequence[bytes], *, clock: Clock) -> None:
        self._root = root
        self._public_url = public_url
        purpose = f"grantdesk {root.rpartition('/')[2]} ".encode()
        self._keys = tuple(hashlib.sha256(purpose + key).digest() for key in keys)
        self._clock = clock

    def url(self, numbers: Sequence[Any]) -> str:
        """The address of the picture of these numbers (JSON takes them), good for two months."""
        until = int((self._clock() + LIFETIME).timestamp())
        facts = json.dumps([until, *numbers], separators=(",", ":")).encode()
        return f"{self._public_url}{self._root}/{_text(facts)}.{_text(_signature(self._keys[0], facts))}.png"

    def route(self, draw: Callable[..., bytes]) -> Route:
        """Answers with what `draw` makes of the numbers, drawn once however often and until when it is asked for."""

        @lru_cache(_KEPT)
        def drawn(numbers: str) -> bytes:
            return draw(*json.loads(numbers))

        async def answer(request: Request) -> Response:
            facts = self._facts(request.path_params["name"])
            if facts is None:
                return PlainTextResponse("There is no such picture, or its time is over.", status_code=404)
            until, *numbers = facts
            left = max(0, until - int(self._clock().timestamp()))
            return Response(
                drawn(json.dumps(numbers)),
                media_type="image/png",
                headers={
                    "cache-control": f"public, max-age={min(left, 86_400)}, immutable",
                    # made to be shown elsewhere: in Slack
                    "cross-origin-resource-policy": "cross-origin",
                },
            )

        return Route(f"{self._root}/{{name}}.png", answer)

    def _facts(self, name: str) -> list[Any] | None:
        """What a signed name says; None for one that is not ours, or too old."""
        encoded, _, proof = name.partition(".")
        try:
            facts, signature = _bytes(encoded), _bytes(proof)
        except ValueError:
            return None
        if not any(hmac.compare_digest(_signature(key, facts), signature) for key in self._keys):
            return None
        known: list[Any] = json.loads(facts)
        return None if self._clock() >= datetime.fromtimestamp(known[0], UTC) else known


def _signature(key: bytes, facts: bytes) -> bytes:
    return hmac.new(key, facts, hashlib.sha256).digest()[:_SIGNATURE_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


# --- drawing ---------------------------------------------------------------------------------------------------------


class Canvas:
    """Rows of palette numbers."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.rows = [bytearray([_INK["paper"]]) * width for _ in range(height)]

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
                        left = x + (place * GLYPH_WIDTH + column) * size
                        for line in range(size):
                            self.rows[y + row * size + line][left : left + size] = bytes([_INK[ink]]) * size

    def png(self) -> bytes:
        """An image of eight-bit palette numbers (PNG, 3rd edition: colour type 3)."""
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 3, 0, 0, 0)
        palette = bytes(part for colour in PALETTE.values() for part in colour)
        pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in self.rows), 9)
        parts = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", pixels), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in parts
        )


def text_width(text: str, size: int) -> int:
    """Pixels that a text takes."""
    return (len(text) * GLYPH_WIDTH - 1) * size
