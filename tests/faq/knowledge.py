"""The shipped articles and matcher, loaded once for all tests of the knowledge layer."""

from functools import cache

from faq.library import Library
from faq.matcher import Matcher
from faq.training import build


@cache
def library() -> Library:
    return Library.load()


@cache
def matcher() -> Matcher:
    return build(library())
