"""In which script a text is written: a taught phrase goes into the article of its own language."""

from enum import StrEnum
from functools import cache

import opencc

from faq.text import has_han


class Script(StrEnum):
    """How a text is written."""

    LATIN = "latin"
    SIMPLIFIED = "simplified"
    TRADITIONAL = "traditional"
    #: Chinese whose characters are the same in both
    EITHER = "either"


def script_of(text: str) -> Script:
    """A text in which both kinds stand is taken for traditional: simplified slips into it more often than the reverse."""
    if not has_han(text):
        return Script.LATIN
    if _converter("s2t").convert(text) == text == _converter("t2s").convert(text):
        return Script.EITHER
    return Script.SIMPLIFIED if _converter("t2s").convert(text) == text else Script.TRADITIONAL


@cache
def _converter(direction: str) -> opencc.OpenCC:
    return opencc.OpenCC(direction)
