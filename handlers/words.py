"""A command's text as words: quotes of every keyboard, Slack's escapes, and what people mean by a mistyped word."""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Iterable

from bot.errors import UnclosedQuote, UnknownWord

#: opening quote → its closing ones; phones and Chinese keyboards write their own
_QUOTES = {'"': '"', "“": '”"', "”": '”"', "「": "」", "『": "』", "＂": "＂"}
_SPACE = re.compile(r"\s")

#: Slack writes a mention as <@U123> or <@U123|name>
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")


def split_words(text: str) -> list[str]:
    """The words of a command, a quoted one whole. Raises UnclosedQuote."""
    words: list[str] = []
    word: list[str] = []
    closing = ""
    quoted = False
    for char in html.unescape(text):
        if closing:
            if char in closing:
                closing = ""
            else:
                word.append(char)
        elif char in _QUOTES and not word:
            closing, quoted = _QUOTES[char], True
        elif _SPACE.match(char):
            if word or quoted:
                words.append("".join(word))
            word, quoted = [], False
        else:
            word.append(char)
    if closing:
        raise UnclosedQuote(example='"Acme US"')
    if word or quoted:
        words.append("".join(word))
    return words


def mentioned_user(word: str) -> str | None:
    """The user id in a mention."""
    match = _MENTION.fullmatch(word)
    return match[1] if match else None


def pick(given: str, known: Iterable[str]) -> str:
    """The known word that was meant, letter case aside. Raises UnknownWord with the nearest one."""
    options = list(known)
    wanted = given.casefold()
    if wanted in options:
        return wanted
    near = difflib.get_close_matches(wanted, options, n=1, cutoff=0.5)
    raise UnknownWord(given=given[:40], suggestion=near[0] if near else ", ".join(options))
