"""Error codes that sellers report from Amazon's pages, with whose fault each is. Adding one is adding a row.

Each row has a sentence in every catalog under `amazon_error.<code>`. Sources: Amazon's Selling Partner API documentation on
authorization errors, and what sellers have reported.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.domain.verification import Turn


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One code (or, where Amazon shows none, a name of ours), whose turn it is, and the words that give it away."""

    code: str
    turn: Turn
    #: texts of Amazon's page, in lower case, by which the error is recognised without its code
    phrases: tuple[str, ...] = ()
    #: True when trying again is worth it before anybody else acts
    retry_first: bool = False


_ROWS = (
    ErrorCode("MD1000", Turn.US),
    ErrorCode("MD5100", Turn.US),
    ErrorCode("MD5101", Turn.US),
    ErrorCode("MD5110", Turn.US),
    ErrorCode("MD5200", Turn.NOBODY, retry_first=True),
    ErrorCode("MD9010", Turn.US),
    ErrorCode("MD9100", Turn.US),
    ErrorCode("MD9999", Turn.US, retry_first=True),
    ErrorCode(
        "SPDC8143",
        Turn.SELLER,
        ("you do not have permission", "don't have permission", "没有权限", "沒有權限", "無權限", "无权限"),
    ),
    ErrorCode(
        "PRIMARY_USER",
        Turn.SELLER,
        (
            "must be the primary user",
            "primary user of a professional",
            "professional selling account",
            "专业销售账户",
            "专业卖家账户的主",
            "專業賣家帳戶的主",
        ),
    ),
    ErrorCode("CONSENT_LIMIT_REACHED", Turn.US, ("consent limit", "consent_limit")),
    ErrorCode("SPSA0404", Turn.US),
    ErrorCode("SPSA2043", Turn.US),
)

ERROR_CODES: Mapping[str, ErrorCode] = MappingProxyType({row.code: row for row in _ROWS})

#: anything shaped like Amazon's codes, known or not
#: (Chinese is written without spaces around them, so that word boundaries do not tell)
_SHAPE = re.compile(r"(?<![A-Za-z0-9])(MD|SPDC|SPSA)[\s:_#-]{0,2}([0-9]{4})(?![A-Za-z0-9])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a pasted text holds: a known row, or a code of Amazon's shape that we do not know."""

    known: ErrorCode | None
    written: str


def recognise(text: str) -> Recognised | None:
    """The first error in a text a seller typed or pasted; None when nothing in it looks like one."""
    folded = unicodedata.normalize("NFKC", text)
    upper = folded.upper()
    for code, row in ERROR_CODES.items():
        if re.search(rf"(?<![A-Z0-9]){re.escape(code)}(?![A-Z0-9])", upper):
            return Recognised(row, code)
    if shaped := _SHAPE.search(folded):
        written = f"{shaped[1].upper()}{shaped[2]}"
        return Recognised(ERROR_CODES.get(written), written)
    lower = " ".join(folded.casefold().split())
    for code, row in ERROR_CODES.items():
        if any(phrase in lower for phrase in row.phrases):
            return Recognised(row, code)
    return None
