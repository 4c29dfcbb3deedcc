"""A command's words: quotes of every keyboard, read in time however many there are."""

from __future__ import annotations

import time

import pytest

from bot.errors import UnclosedQuote
from handlers.words import split_words


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ('"Acme US" US', ["Acme US", "US"]),
        ("„Acme DE“ DE", ["Acme DE", "DE"]),
        ("“Acme US„ US “Acme DE„", ["Acme US", "US", "Acme DE"]),
        ("'Mei's shop' US", ["Mei's shop", "US"]),
        ("'n Sync 'Acme US' US", ["n Sync 'Acme US", "US"]),
        ("'n Sync ’n Sync", ["'n", "Sync", "’n", "Sync"]),
        ("‘Acme US’ ’Acme DE’", ["Acme US", "Acme DE"]),
        ("「Acme 美国」 US", ["Acme 美国", "US"]),
        ('"" Acme"s', ["", 'Acme"s']),
    ],
)
def test_quotes_hold_a_name_together_and_apostrophes_do_not(typed: str, words: list[str]) -> None:
    assert split_words(typed) == words


@pytest.mark.parametrize("typed", ['"Acme US', "“Acme US", "«Acme US", "'n \"Acme"])
def test_a_quote_that_never_ends_is_said(typed: str) -> None:
    with pytest.raises(UnclosedQuote):
        split_words(typed)


@pytest.mark.parametrize(("written", "word"), [("'a ", "'a"), ("’a ", "’a"), ("“a„ ", "a"), ("'a' ", "a")])
def test_ten_thousand_quotes_are_read_without_holding_anybody_up(written: str, word: str) -> None:
    began = time.perf_counter()
    words = split_words(written * 10_000)
    assert time.perf_counter() - began < 1
    assert words == [word] * 10_000
