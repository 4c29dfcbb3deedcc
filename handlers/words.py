"""A command's text as words: quotes of every keyboard, Slack's escapes, and what people mean by a mistyped word."""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Iterable, Sequence

from bot.errors import UnclosedQuote, UnknownWord

#: opening quote → what closes it; phones and the keyboards of other countries write their own
_QUOTES = {
    '"': '"',
    "“": "”",
    "”": "”",
    "„": "“”",
    "＂": "＂",
    "«": "»",
    "「": "」",
    "『": "』",
    "《": "》",
    "'": "'",
    "‘": "’",
    "’": "’",
}
#: autocorrection changes one quote of a pair and leaves the other
_ALIKE = '"“”„＂'
#: they are apostrophes as well: Mei's, 'n Sync
_APOSTROPHES = "'‘’"


def _endings(quote: str) -> tuple[re.Pattern[str], ...]:
    """What may end such a quote, the likeliest first; an apostrophe does only where a word ends."""
    if quote in _APOSTROPHES:
        return (re.compile(rf"{_QUOTES[quote]}(?!\S)"),)
    return tuple(re.compile(f"[{ends}]") for ends in (_QUOTES[quote], _ALIKE if quote in _ALIKE else "") if ends)


_ENDINGS = {quote: _endings(quote) for quote in _QUOTES}
_SPACE = re.compile(r"\s")

#: nobody has so many pages that their number is longer
_DIGITS = 6

#: Slack writes a mention as <@U123> or <@U123|name>
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
#: what looks like an address arrives as <http://acme.com|acme.com>, a channel as <#C123|name>:
#: https://docs.slack.dev/interactivity/implementing-slash-commands
_LINK = re.compile(r"<(?:(?:https?://|mailto:)[^|<>]*\||(?=https?://)|(?P<channel>#)[CG][A-Z0-9]+\|)(?P<typed>[^<>]*)>")


def as_typed(text: str) -> str:
    """What Slack sent, as it was typed: without its links and escapes. Mentions stay."""
    return html.unescape(_LINK.sub(lambda link: f"{link['channel'] or ''}{link['typed']}", text))


def first_word(typed: str) -> tuple[str, str]:
    """The first word, and what stands behind it as it was typed."""
    first, *rest = typed.split(maxsplit=1) or [""]
    return first, rest[0].strip() if rest else ""


def split_words(text: str) -> list[str]:
    """The words of a command, a quoted one whole. Raises UnclosedQuote."""
    typed = as_typed(text)
    words: list[str] = []
    word: list[str] = []
    missing: set[re.Pattern[str]] = set()
    quoted = False
    at = 0
    while at < len(typed):
        char = typed[at]
        end = _closing(typed, at, missing) if char in _QUOTES and not word else None
        if end is not None:
            word.append(typed[at + 1 : end])
            quoted, at = True, end
        elif not _SPACE.match(char):
            word.append(char)
        else:
            if word or quoted:
                words.append("".join(word))
            word, quoted = [], False
        at += 1
    if word or quoted:
        words.append("".join(word))
    return words


def _closing(text: str, opening: int, missing: set[re.Pattern[str]]) -> int | None:
    """Where the quote ends that begins at `opening`; None for an apostrophe. Raises UnclosedQuote.

    What the rest of the text does not hold is noted in `missing` and never looked for again: no text is read twice.
    """
    quote = text[opening]
    for ending in _ENDINGS[quote]:
        if ending in missing:
            continue
        if found := ending.search(text, opening + 1):
            return found.start()
        missing.add(ending)
    if quote in _APOSTROPHES:
        return None
    raise UnclosedQuote(example='"Acme US"')


def number_in(text: str) -> int:
    """A page's number, as a button carries it or a person types it; 0 for whatever is none: ① and ² are digits to Python."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0


def mentioned_user(word: str) -> str | None:
    """The user id in a mention."""
    match = _MENTION.fullmatch(word)
    return match[1] if match else None


def page_in(words: Sequence[str]) -> int:
    """The page that a command names, counted from nought; the first for anything else. Too far is the list's business."""
    return max(0, number_in(words[0]) - 1) if words else 0


def pick(given: str, known: Iterable[str]) -> str:
    """The known word that was meant, letter case aside. Raises UnknownWord with the nearest one."""
    options = list(known)
    wanted = given.casefold()
    if wanted in options:
        return wanted
    near = difflib.get_close_matches(wanted, options, n=1, cutoff=0.5)
    raise UnknownWord(given=given[:40], suggestion=near[0] if near else ", ".join(options))
