"""Questions that were not answered well, and what is learned from them. Texts are kept without anything personal, and not long."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

#: how long what somebody wrote is kept at most
TEXT_LIFETIME = timedelta(days=30)
#: characters of a question that are kept
TEXT_LIMIT = 400
#: characters that are read at all: these patterns take time by the square, and everybody waits while one message is read
_READ = 2000
#: longer than a name, an address or a number that the cut may go through: dropped with it
_CUT_THROUGH = 100
#: a phrase is one thing people say
PHRASE_LIMIT = 200

#: what stands where something personal stood
GAP = "…"

_PERSONAL = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # Slack's own: mentions, channels, links with the address they hide
        r"<[@#!][^>]*>",
        r"<(?:https?|mailto|tel):[^>]*>",
        r"(?:https?://|www\.)[^\s，。]+",
        r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
        r"(?<![\w@])@\w[\w.-]*",
        # tokens, application ids
        r"\b(?:Atz[ra]\||amzn1\.|xox[a-z]-)\S+",
        # Amazon order numbers, telephone numbers, and any other number long enough to point at somebody
        r"(?<!\d)\d{3}-\d{7}-\d{7}(?!\d)",
        r"(?<![\w])\+?\d[\d ()./-]{6,}\d(?!\w)",
        r"\d{5,}",
    )
)
#: seller, product and ticket numbers: capitals and digits in one
_CODE = re.compile(
    r"(?<![A-Za-z0-9])(?=[A-Za-z0-9_-]*\d)(?=[A-Za-z0-9_-]*[A-Za-z])[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*(?![A-Za-z0-9])"
)
#: Amazon's error codes point at nobody
_ERROR_CODE = re.compile(r"(?:MD|SPDC|SPSA)[-_]?\d{4}", re.IGNORECASE)
_SHORT_CODE = 5
#: from here on a letter is only signed
_SIGN_OFF = re.compile(
    r"\n\s*(?:--|(?:best|kind|warm) regards|regards|best wishes|cheers|sincerely|yours|sent from|发自|發自|此致|顺颂|順頌|祝商祺|敬上)",
    re.IGNORECASE,
)
_GAPS = re.compile(rf"{GAP}(?:[\s,;:#-]*{GAP})+")


def without_personal(text: str, labels: Iterable[str] = ()) -> str:
    """A question as it may be kept: no names of stores, people or accounts, no addresses, no numbers. Cut to size."""
    read = text if len(text) <= _READ else text[: _READ - _CUT_THROUGH]
    kept = _SIGN_OFF.split(read, maxsplit=1)[0]
    for label in sorted(filter(None, labels), key=len, reverse=True):
        kept = re.sub(rf"(?<![A-Za-z0-9]){re.escape(label)}(?![A-Za-z0-9])", GAP, kept, flags=re.IGNORECASE)
    for pattern in _PERSONAL:
        kept = pattern.sub(GAP, kept)
    kept = _CODE.sub(_kept_code, kept)
    kept = _GAPS.sub(GAP, " ".join(kept.split()))
    return kept if len(kept) <= TEXT_LIMIT else kept[: TEXT_LIMIT - 1] + "…"


def _kept_code(match: re.Match[str]) -> str:
    code = match[0]
    return code if len(code) <= _SHORT_CODE or _ERROR_CODE.fullmatch(code) else GAP


class MissKind(StrEnum):
    """How a question was missed. The values are stored and are keys of the catalogs (`miss.<value>`)."""

    #: nothing was found to answer
    UNMATCHED = "unmatched"
    #: an answer was given, and the asker said that it did not help
    NOT_HELPFUL = "not_helpful"


@dataclass(frozen=True, slots=True)
class Miss:
    """A question that was missed, perhaps by several people."""

    id: str
    team_id: str
    #: the language it was asked in, one of `bot.i18n.LOCALES`
    locale: str
    #: the article that did not help; the likeliest one, or nothing, for a question that was not answered
    topic: str
    kind: MissKind
    text: str
    times: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class MissCount:
    """How often, by language and topic. Stays when the texts are gone."""

    locale: str
    topic: str
    kind: MissKind
    times: int


@dataclass(frozen=True, slots=True)
class TaughtPhrase:
    """Something people say, and the topic it means: taught by an agent, until it stands in the articles."""

    id: str
    slug: str
    locale: str
    text: str
    taught_by: str
    team_id: str
    taught_at: datetime


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """An answer in a thread. `reader` is whoever alone could see it; empty when everybody in the channel can."""

    team_id: str
    channel_id: str
    thread_ts: str
    slug: str
    reader: str = ""
