"""What agents say again and again: one row each, with a sentence in every catalog (`desk.reply.<key>`).

Articles can be sent as well; these are for what no article says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Template:
    """`asks`: the seller's turn comes next, so that the ticket's clock stands still."""

    key: str
    asks: bool = False


_ROWS = (
    Template("looking"),
    Template("mended"),
    Template("try_again"),
    Template("link_sent"),
    Template("amazon_waits"),
    Template("checked_fine"),
    Template("which_store", asks=True),
    Template("which_error", asks=True),
    Template("which_user", asks=True),
    Template("still_there", asks=True),
)

TEMPLATES: Mapping[str, Template] = MappingProxyType({row.key: row for row in _ROWS})

#: an article, in a reply's choice
ARTICLE = "article:"
#: nothing but the agent's own words
OWN_WORDS = "own"
